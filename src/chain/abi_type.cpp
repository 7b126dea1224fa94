// Types from their text.
#include <charconv>

#include "chain/abi.hpp"
#include "chain/abi_layout.hpp"

namespace sp::chain {
namespace {

constexpr std::size_t kSizeDigitsMax = 6;  // kAbiElementsMax has as many

Error malformed(std::string_view what) {
  return {Errc::malformed, "ABI type: " + std::string(what)};
}

class TypeParser {
 public:
  explicit TypeParser(std::string_view text) : rest_(text) {}

  Result<AbiType> whole() {
    SP_ASSIGN(AbiType type, type_at(0, true));
    if (!rest_.empty()) return malformed("unexpected \"" + std::string(rest_.substr(0, 20)) + "\"");
    return type;
  }

 private:
  // Only the outermost tuple may be empty: values without bytes could be repeated without end.
  Result<AbiType> type_at(std::size_t depth, bool may_be_empty) {
    if (depth > kAbiDepthMax) {
      return Error{Errc::too_large, "ABI type nested deeper than " + std::to_string(kAbiDepthMax)};
    }
    const bool is_tuple = rest_.starts_with('(');
    SP_ASSIGN(AbiType type, is_tuple ? tuple(depth) : elementary());
    bool empty = is_tuple && type.elements.empty();
    std::size_t levels = depth + depth_of(type);
    while (rest_.starts_with('[')) {
      if (++levels > kAbiDepthMax) {
        return Error{Errc::too_large,
                     "ABI type nested deeper than " + std::to_string(kAbiDepthMax)};
      }
      if (empty) return malformed("array of an empty tuple");
      SP_ASSIGN(type, array_of(std::move(type)));
    }
    if (empty && !may_be_empty) return malformed("empty tuple inside another type");
    return type;
  }

  static std::size_t depth_of(const AbiType& type) {
    std::size_t deepest = 0;
    for (const AbiType& element : type.elements) {
      deepest = std::max(deepest, 1 + depth_of(element));
    }
    return deepest;
  }

  Result<AbiType> tuple(std::size_t depth) {
    AbiType type{AbiType::Kind::tuple, 0, {}};
    rest_.remove_prefix(1);
    if (rest_.starts_with(')')) {
      rest_.remove_prefix(1);
      return type;
    }
    for (;;) {
      SP_ASSIGN(AbiType member, type_at(depth + 1, false));
      type.elements.push_back(std::move(member));
      if (abi_head_words(type) > kAbiElementsMax) {
        return Error{Errc::too_large, "ABI type with too many values"};
      }
      const char separator = rest_.empty() ? '\0' : rest_.front();
      if (separator != ',' && separator != ')') return malformed("',' or ')' expected");
      rest_.remove_prefix(1);
      if (separator == ')') return type;
    }
  }

  // "[]" or "[3]" behind an element type.
  Result<AbiType> array_of(AbiType element) {
    rest_.remove_prefix(1);
    AbiType type{AbiType::Kind::array, 0, {}};
    if (!rest_.starts_with(']')) {
      type.kind = AbiType::Kind::fixed_array;
      SP_ASSIGN(type.size, number());
    }
    if (!rest_.starts_with(']')) return malformed("']' expected");
    rest_.remove_prefix(1);
    type.elements.push_back(std::move(element));
    if (abi_head_words(type) > kAbiElementsMax || type.size > kAbiElementsMax) {
      return Error{Errc::too_large, "ABI type with too many values"};
    }
    return type;
  }

  // A positive number without leading zeros.
  Result<std::size_t> number() {
    std::size_t digits = 0;
    while (digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9') ++digits;
    if (digits == 0 || rest_.front() == '0') return malformed("bad size");
    if (digits > kSizeDigitsMax) return Error{Errc::too_large, "ABI type: size too large"};
    std::size_t value = 0;
    std::from_chars(rest_.data(), rest_.data() + digits, value);
    rest_.remove_prefix(digits);
    return value;
  }

  Result<AbiType> elementary() {
    using Kind = AbiType::Kind;
    std::size_t letters = 0;
    while (letters < rest_.size() && rest_[letters] >= 'a' && rest_[letters] <= 'z') ++letters;
    const std::string_view name = rest_.substr(0, letters);
    rest_.remove_prefix(letters);
    const bool sized = !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
    if (name == "uint" || name == "int") {
      AbiType type{name == "uint" ? Kind::unsigned_int : Kind::signed_int, 256, {}};
      if (sized) {
        SP_ASSIGN(type.size, number());
      }
      if (type.size > 256 || type.size % 8 != 0) return malformed("bad integer size");
      return type;
    }
    if (name == "bytes" && sized) {
      SP_ASSIGN(const std::size_t size, number());
      if (size > 32) return malformed("bytes" + std::to_string(size));
      return AbiType{Kind::fixed_bytes, size, {}};
    }
    if (sized) return malformed("a size behind " + std::string(name.substr(0, 20)));
    if (name == "address") return AbiType{Kind::address, 0, {}};
    if (name == "bool") return AbiType{Kind::boolean, 0, {}};
    if (name == "bytes") return AbiType{Kind::bytes, 0, {}};
    if (name == "string") return AbiType{Kind::string, 0, {}};
    return malformed("unknown type \"" + std::string(name.substr(0, 20)) + "\"");
  }

  std::string_view rest_;
};

}  // namespace

Result<AbiType> AbiType::parse(std::string_view text) {
  if (text.size() > kAbiTypeTextMax) {
    return Error{Errc::too_large, "ABI type of " + std::to_string(text.size()) +
                                      " characters, at most " + std::to_string(kAbiTypeTextMax)};
  }
  return TypeParser(text).whole();
}

bool AbiType::is_dynamic() const {
  switch (kind) {
    case Kind::bytes:
    case Kind::string:
    case Kind::array:
      return true;
    case Kind::fixed_array:
    case Kind::tuple:
      return std::any_of(elements.begin(), elements.end(),
                         [](const AbiType& element) { return element.is_dynamic(); });
    case Kind::unsigned_int:
    case Kind::signed_int:
    case Kind::address:
    case Kind::boolean:
    case Kind::fixed_bytes:
      return false;
  }
  SP_CHECK(false);
}

std::string AbiType::text() const {
  switch (kind) {
    case Kind::unsigned_int:
      return "uint" + std::to_string(size);
    case Kind::signed_int:
      return "int" + std::to_string(size);
    case Kind::address:
      return "address";
    case Kind::boolean:
      return "bool";
    case Kind::fixed_bytes:
      return "bytes" + std::to_string(size);
    case Kind::bytes:
      return "bytes";
    case Kind::string:
      return "string";
    case Kind::array:
      return elements.front().text() + "[]";
    case Kind::fixed_array:
      return elements.front().text() + "[" + std::to_string(size) + "]";
    case Kind::tuple: {
      std::string members;
      for (const AbiType& member : elements)
        members += (members.empty() ? "" : ",") + member.text();
      return "(" + members + ")";
    }
  }
  SP_CHECK(false);
}

std::size_t abi_head_words(const AbiType& type) {
  if (type.is_dynamic()) return 1;
  if (type.kind == AbiType::Kind::fixed_array) {
    return type.size * abi_head_words(type.elements.front());
  }
  if (type.kind != AbiType::Kind::tuple) return 1;
  std::size_t words = 0;
  for (const AbiType& member : type.elements) words += abi_head_words(member);
  return words;
}

}  // namespace sp::chain
