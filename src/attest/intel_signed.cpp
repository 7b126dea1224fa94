#include "attest/intel_signed.hpp"

#include <nlohmann/json.hpp>

#include "base/json.hpp"

namespace sp::attest {
namespace {

constexpr std::size_t kSignatureSize = 64;
constexpr std::string_view kBlank = " \t\r\n";

// A cursor over text that parse_json has accepted: it need not look for errors.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  void skip_blank() { at_ = std::min(text_.find_first_not_of(kBlank, at_), text_.size()); }
  void skip(char c) {
    skip_blank();
    SP_CHECK(at_ < text_.size() && text_[at_] == c);
    ++at_;
  }
  bool next_is(char c) {
    skip_blank();
    return at_ < text_.size() && text_[at_] == c;
  }
  // The bytes of the next value, blanks around it left out.
  std::string_view value() {
    skip_blank();
    const std::size_t from = at_;
    std::size_t depth = 0;
    do {
      const char c = text_[at_];
      if (c == '"') {
        skip_text();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    } while (depth != 0);
    return text_.substr(from, at_ - from);
  }

 private:
  void skip_text() {
    for (++at_; text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// Both values are objects or texts, so each has an end of its own. Empty where no key is written
// as `name`: one with escapes is another text for whoever signs.
std::string_view value_of(std::string_view text, std::string_view name) {
  Cursor cursor(text);
  cursor.skip('{');
  for (;;) {
    const std::string_view key = cursor.value();
    cursor.skip(':');
    const std::string_view value = cursor.value();
    if (key.substr(1, key.size() - 2) == name) return value;
    if (!cursor.next_is(',')) return {};
    cursor.skip(',');
  }
}

}  // namespace

Result<SignedJson> split_signed_json(std::string_view text, std::string_view name) {
  SP_ASSIGN(const Json json, parse_json(text, kPieceSizeMax));
  const std::string what = "an answer with \"" + std::string(name) + "\" and \"signature\"";
  if (!json.is_object() || json.size() != 2 || !json.contains(name) ||
      !json.at(std::string(name)).is_object() || !json.contains("signature") ||
      !json.at("signature").is_string()) {
    return Error{Errc::malformed, "not " + what};
  }
  SP_ASSIGN(Bytes signature, from_hex(json.at("signature").get<std::string>()));
  if (signature.size() != kSignatureSize) {
    return Error{Errc::malformed, "the signature has " + std::to_string(signature.size()) +
                                      " bytes, not " + std::to_string(kSignatureSize)};
  }
  const std::string_view value = value_of(text, name);
  if (value.empty()) return Error{Errc::malformed, "not " + what};
  return SignedJson{to_bytes(as_bytes(value)), std::move(signature)};
}

}  // namespace sp::attest
