#include "store/remote/xml.hpp"

#include <charconv>
#include <string>
#include <vector>

namespace sp::store {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::size_t kReferenceMax = 10;  // bytes between '&' and ';'

Error bad(std::string_view what) { return {Errc::malformed, "XML: " + std::string(what)}; }
Error over(std::string_view what) { return {Errc::too_large, "XML: " + std::string(what)}; }

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_name_rest(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':';
}

// Whether XML allows it as text (production 2, as far as bytes tell).
bool is_text(char c) {
  return static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\r' || c == '\n';
}

// Appends a Unicode scalar value as UTF-8.
void append_utf8(std::string& to, std::uint32_t value) {
  const auto tail = [&](unsigned shift) {
    to.push_back(static_cast<char>(0x80 | ((value >> shift) & 0x3f)));
  };
  if (value < 0x80) {
    to.push_back(static_cast<char>(value));
  } else if (value < 0x800) {
    to.push_back(static_cast<char>(0xc0 | value >> 6));
    tail(0);
  } else if (value < 0x10000) {
    to.push_back(static_cast<char>(0xe0 | value >> 12));
    tail(6);
    tail(0);
  } else {
    to.push_back(static_cast<char>(0xf0 | value >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

// What stands between "&#" and ';'.
Status append_number(std::string& to, std::string_view digits) {
  const bool hexadecimal = digits.starts_with('x');
  if (hexadecimal) digits.remove_prefix(1);
  std::uint32_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [rest, failure] = std::from_chars(digits.data(), end, value, hexadecimal ? 16 : 10);
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (failure != std::errc{} || rest != end || value > 0x10ffff || surrogate ||
      (value < 0x80 && !is_text(static_cast<char>(value)))) {
    return bad("a bad character reference");
  }
  append_utf8(to, value);
  return {};
}

class Reader {
 public:
  Reader(std::string_view document, const XmlVisitor& visit) : rest_(document), visit_(visit) {}

  Status read() {
    skip_space();
    SP_TRY(skip_declaration());
    skip_space();
    SP_TRY(open());
    while (!opened_.empty()) {
      if (rest_.empty()) return bad("it ends inside of an element");
      if (rest_.starts_with("</"))
        SP_TRY(close());
      else if (rest_.starts_with('<'))
        SP_TRY(open());
      else
        SP_TRY(read_text());
    }
    skip_space();
    return rest_.empty() ? Status() : bad("something stands behind the root element");
  }

 private:
  struct Element {
    std::size_t path_size;  // of path_ without it
    std::string text;
  };

  void skip_space() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size()));
  }

  bool skip(std::string_view what) {
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }

  Status skip_declaration() {
    if (!rest_.starts_with("<?xml ")) return {};
    const std::size_t end = rest_.substr(0, kXmlDeclarationMax).find("?>");
    if (end == std::string_view::npos) return bad("a bad declaration");
    rest_.remove_prefix(end + 2);
    return {};
  }

  Result<std::string_view> read_name() {
    std::size_t size = 0;
    while (size < rest_.size() && size <= kXmlNameMax &&
           (size == 0 ? is_name_start(rest_[0]) : is_name_rest(rest_[size]))) {
      ++size;
    }
    if (size == 0) return bad("a name is expected");
    if (size > kXmlNameMax) return over("a name is too long");
    const std::string_view name = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return name;
  }

  Status open() {
    if (!skip("<")) return bad("an element is expected");
    SP_ASSIGN(const std::string_view name, read_name());
    if (opened_.size() >= kXmlDepthMax) return over("elements lie too deep");
    if (++elements_ > kXmlElementsMax) return over("too many elements");
    opened_.push_back({path_.size(), {}});
    if (!path_.empty()) path_.push_back('/');
    path_ += name;
    SP_TRY(skip_attributes());
    if (skip("/>")) return leave();
    return skip(">") ? Status() : bad("'>' is expected");
  }

  Status skip_attributes() {
    for (std::size_t count = 0;; ++count) {
      const std::size_t before = rest_.size();
      skip_space();
      if (rest_.empty() || rest_[0] == '>' || rest_[0] == '/') return {};
      if (rest_.size() == before) return bad("a space is expected before an attribute");
      if (count >= kXmlAttributesMax) return over("too many attributes");
      SP_TRY(skip_attribute());
    }
  }

  Status skip_attribute() {
    SP_ASSIGN([[maybe_unused]] const std::string_view name, read_name());
    skip_space();
    if (!skip("=")) return bad("'=' is expected");
    skip_space();
    if (rest_.empty() || (rest_[0] != '"' && rest_[0] != '\'')) return bad("a quote is expected");
    const std::size_t end = rest_.find(rest_[0], 1);
    if (end == std::string_view::npos) return bad("an attribute doesn't end");
    if (end > kXmlTextMax) return over("an attribute is too long");
    if (rest_.substr(0, end).find('<') != std::string_view::npos) return bad("'<' in an attribute");
    rest_.remove_prefix(end + 1);
    return {};
  }

  Status close() {
    rest_.remove_prefix(2);
    SP_ASSIGN(const std::string_view name, read_name());
    const std::size_t above = opened_.back().path_size;
    if (std::string_view(path_).substr(above == 0 ? 0 : above + 1) != name) {
      return bad("another element ends than is open");
    }
    skip_space();
    if (!skip(">")) return bad("'>' is expected");
    return leave();
  }

  Status leave() {
    SP_TRY(visit_(path_, opened_.back().text));
    path_.resize(opened_.back().path_size);
    opened_.pop_back();
    return {};
  }

  // Up to the next '<'.
  Status read_text() {
    std::string& text = opened_.back().text;
    while (!rest_.empty() && rest_[0] != '<') {
      const char c = rest_[0];
      if (!is_text(c)) return bad("a control character");
      if (c == '&') {
        SP_TRY(read_reference(text));
      } else {
        text.push_back(c);
        rest_.remove_prefix(1);
      }
      if (text.size() > kXmlTextMax) return over("a text is too long");
    }
    return {};
  }

  Status read_reference(std::string& text) {
    const std::size_t end = rest_.substr(0, kReferenceMax + 2).find(';');
    if (end == std::string_view::npos) return bad("a reference doesn't end");
    const std::string_view name = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    if (name.starts_with('#')) return append_number(text, name.substr(1));
    constexpr std::pair<std::string_view, char> kEntities[] = {
        {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    for (const auto& [entity, character] : kEntities) {
      if (name != entity) continue;
      text.push_back(character);
      return {};
    }
    return bad("an unknown entity");
  }

  std::string_view rest_;
  const XmlVisitor& visit_;
  std::vector<Element> opened_;
  std::string path_;  // of the innermost open element
  std::size_t elements_ = 0;
};

}  // namespace

Status read_xml(std::string_view document, const XmlVisitor& visit) {
  if (document.size() > kXmlSizeMax) return over("the document is too large");
  return Reader(document, visit).read();
}

}  // namespace sp::store
