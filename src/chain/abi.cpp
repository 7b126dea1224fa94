#include "chain/abi.hpp"

#include <limits>

#include "chain/abi_layout.hpp"
#include "crypto/hash.hpp"

namespace sp::chain {
namespace {

using Kind = AbiType::Kind;
using Values = std::vector<AbiValue>;

constexpr std::size_t kWord = 32;

Error mismatch(const AbiType& type) {
  return {Errc::mismatch, "the value isn't of ABI type " + type.text().substr(0, 100)};
}

Error malformed(std::string_view what) {
  return {Errc::malformed, "ABI data: " + std::string(what)};
}

// The member types of a tuple or array of `count` values.
const AbiType& member(const AbiType& type, std::size_t index) {
  return type.kind == Kind::tuple ? type.elements[index] : type.elements.front();
}

std::size_t head_size(const AbiType& type, std::size_t count) {
  if (type.kind != Kind::tuple) return count * abi_head_words(type.elements.front()) * kWord;
  std::size_t words = 0;
  for (const AbiType& element : type.elements) words += abi_head_words(element);
  return words * kWord;
}

Result<Bytes> encode_value(const AbiType& type, const AbiValue& value);

// Heads, then tails, of the values of a tuple or array.
Status encode_list(const AbiType& type, const Values& values, Bytes& out) {
  const std::size_t head = head_size(type, values.size());
  Bytes tails;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const AbiType& element = member(type, i);
    SP_ASSIGN(const Bytes encoded, encode_value(element, values[i]));
    if (element.is_dynamic()) {
      append(out, AbiValue::number(head + tails.size()).as_word().value().view());
      append(tails, encoded);
    } else {
      append(out, encoded);
    }
  }
  append(out, tails);
  return {};
}

Result<Bytes> encode_value(const AbiType& type, const AbiValue& value) {
  Bytes out;
  switch (type.kind) {
    case Kind::bytes:
    case Kind::string: {
      const Bytes* bytes = std::get_if<Bytes>(&value.value);
      if (bytes == nullptr) return mismatch(type);
      append(out, AbiValue::number(bytes->size()).as_word().value().view());
      append(out, *bytes);
      out.resize(kWord + abi_padded(bytes->size()));
      return out;
    }
    case Kind::array:
    case Kind::fixed_array:
    case Kind::tuple: {
      const Values* values = std::get_if<Values>(&value.value);
      if (values == nullptr) return mismatch(type);
      if (type.kind == Kind::array) {
        append(out, AbiValue::number(values->size()).as_word().value().view());
      } else if (values->size() != (type.kind == Kind::tuple ? type.elements.size() : type.size)) {
        return mismatch(type);
      }
      SP_TRY(encode_list(type, *values, out));
      return out;
    }
    case Kind::unsigned_int:
    case Kind::signed_int:
    case Kind::address:
    case Kind::boolean:
    case Kind::fixed_bytes: {
      const Digest32* word = std::get_if<Digest32>(&value.value);
      if (word == nullptr || !abi_word_fits(type, *word)) return mismatch(type);
      append(out, word->view());
      return out;
    }
  }
  SP_CHECK(false);
}

// Walks the data in the order in which abi_encode writes it, so each byte is read once and what is
// allocated stays in proportion to it.
class Decoder {
 public:
  explicit Decoder(ByteView data) : data_(data) {}

  // The values of a tuple or array of `count` values whose heads begin at `base`. Returns where
  // their tails end.
  Result<std::size_t> list(const AbiType& type, std::size_t count, std::size_t base,
                           Values& values) {
    if (head_size(type, count) > data_.size() - base) return malformed("truncated");
    elements_ += count;
    if (elements_ > kAbiElementsMax) {
      return Error{Errc::too_large,
                   "ABI data with more than " + std::to_string(kAbiElementsMax) + " values"};
    }
    values.reserve(count);
    std::size_t head = base;
    std::size_t tail = base + head_size(type, count);
    for (std::size_t i = 0; i < count; ++i) {
      const AbiType& element = member(type, i);
      AbiValue value;
      if (element.is_dynamic()) {
        SP_ASSIGN(const std::size_t offset, size_at(head));
        if (offset != tail - base) return malformed("unexpected offset");
        SP_ASSIGN(tail, dynamic(element, tail, value));
        head += kWord;
      } else {
        SP_ASSIGN(head, fixed(element, head, value));
      }
      values.push_back(std::move(value));
    }
    return tail;
  }

 private:
  Digest32 word_at(std::size_t at) const {
    return Digest32::from(data_.subspan(at, kWord)).value();
  }

  // A length or offset: never beyond the data.
  Result<std::size_t> size_at(std::size_t at) const {
    if (data_.size() - at < kWord) return malformed("truncated");
    const auto size = AbiValue{word_at(at)}.as_number(data_.size());
    if (!size) return malformed("a length or offset beyond the end");
    return static_cast<std::size_t>(*size);
  }

  // A value of a static type at `at`; returns where it ends. The caller has checked the size.
  Result<std::size_t> fixed(const AbiType& type, std::size_t at, AbiValue& value) {
    if (type.kind == Kind::tuple || type.kind == Kind::fixed_array) {
      Values values;
      SP_ASSIGN(
          const std::size_t end,
          list(type, type.kind == Kind::tuple ? type.elements.size() : type.size, at, values));
      value.value = std::move(values);
      return end;
    }
    const Digest32 word = word_at(at);
    if (!abi_word_fits(type, word)) return malformed("bad padding or range of " + type.text());
    value.value = word;
    return at + kWord;
  }

  // A value of a dynamic type at `at`; returns where it ends.
  Result<std::size_t> dynamic(const AbiType& type, std::size_t at, AbiValue& value) {
    Values values;
    if (type.kind == Kind::tuple || type.kind == Kind::fixed_array) {
      const std::size_t count = type.kind == Kind::tuple ? type.elements.size() : type.size;
      SP_ASSIGN(const std::size_t end, list(type, count, at, values));
      value.value = std::move(values);
      return end;
    }
    SP_ASSIGN(const std::size_t size, size_at(at));
    const std::size_t begin = at + kWord;
    if (type.kind == Kind::array) {
      SP_ASSIGN(const std::size_t end, list(type, size, begin, values));
      value.value = std::move(values);
      return end;
    }
    if (abi_padded(size) > data_.size() - begin) return malformed("truncated");
    const ByteView padding = data_.subspan(begin + size, abi_padded(size) - size);
    if (std::any_of(padding.begin(), padding.end(), [](std::uint8_t b) { return b != 0; })) {
      return malformed("padding isn't zero");
    }
    value.value = to_bytes(data_.subspan(begin, size));
    return begin + abi_padded(size);
  }

  ByteView data_;
  std::size_t elements_ = 0;
};

}  // namespace

bool abi_word_fits(const AbiType& type, const Digest32& word) {
  const auto all = [&](std::size_t from, std::size_t to, std::uint8_t value) {
    return std::all_of(word.data.begin() + static_cast<std::ptrdiff_t>(from),
                       word.data.begin() + static_cast<std::ptrdiff_t>(to),
                       [&](std::uint8_t byte) { return byte == value; });
  };
  switch (type.kind) {
    case Kind::unsigned_int:
      return all(0, kWord - type.size / 8, 0);
    case Kind::signed_int: {
      const std::size_t first = kWord - type.size / 8;
      return all(0, first, (word.data[first] & 0x80) != 0 ? 0xff : 0);
    }
    case Kind::address:
      return all(0, kWord - Address::kSize, 0);
    case Kind::boolean:
      return all(0, kWord - 1, 0) && word.data[kWord - 1] <= 1;
    case Kind::fixed_bytes:
      return all(type.size, kWord, 0);
    case Kind::bytes:
    case Kind::string:
    case Kind::array:
    case Kind::fixed_array:
    case Kind::tuple:
      return false;
  }
  SP_CHECK(false);
}

Result<Bytes> abi_encode(const AbiType& tuple, const std::vector<AbiValue>& values) {
  SP_CHECK(tuple.kind == Kind::tuple);
  if (values.size() != tuple.elements.size()) return mismatch(tuple);
  Bytes out;
  SP_TRY(encode_list(tuple, values, out));
  return out;
}

Result<std::vector<AbiValue>> abi_decode(const AbiType& tuple, ByteView data) {
  SP_CHECK(tuple.kind == Kind::tuple);
  Values values;
  SP_TRY([&]() -> Status {
    const auto end = Decoder(data).list(tuple, tuple.elements.size(), 0, values);
    return end ? Status() : Status(end.error());
  }());
  return values;
}

FixedBytes<struct SelectorTag, 4> abi_selector(std::string_view signature) {
  const Digest32 digest = crypto::keccak256(as_bytes(signature));
  return FixedBytes<struct SelectorTag, 4>::from(digest.view().first(4)).value();
}

Result<Bytes> abi_call(std::string_view signature, const std::vector<AbiValue>& arguments) {
  const std::size_t name_end = signature.find('(');
  SP_CHECK(name_end != std::string_view::npos);
  const auto type = AbiType::parse(signature.substr(name_end));
  SP_CHECK(type.ok() && type->kind == Kind::tuple);
  SP_ASSIGN(const Bytes encoded, abi_encode(*type, arguments));
  const std::string canonical = std::string(signature.substr(0, name_end)) + type->text();
  Bytes call = to_bytes(abi_selector(canonical).view());
  append(call, encoded);
  return call;
}

AbiValue AbiValue::number(std::uint64_t number) { return {Amount(number).word()}; }

AbiValue AbiValue::signed_number(std::int64_t number) {
  Digest32 word = Amount(static_cast<std::uint64_t>(number)).word();
  if (number < 0) std::fill_n(word.data.begin(), kWord - 8, std::uint8_t{0xff});
  return {word};
}

AbiValue AbiValue::address(const Address& address) {
  Digest32 word;
  std::copy(address.data.begin(), address.data.end(), word.data.begin() + 12);
  return {word};
}

AbiValue AbiValue::word(ByteView bytes32) {
  auto word = Digest32::from(bytes32);
  SP_CHECK(word.ok());
  return {*word};
}

Result<std::uint64_t> AbiValue::as_number(std::uint64_t max) const {
  SP_ASSIGN(const Amount amount, as_amount());
  if (amount > Amount(max)) {
    return Error{Errc::too_large, "number " + amount.text() + ", at most " + std::to_string(max)};
  }
  return static_cast<std::uint64_t>(amount.units());
}

Result<std::int64_t> AbiValue::as_signed() const {
  SP_ASSIGN(const Digest32 word, as_word());
  std::uint64_t low = 0;
  for (std::size_t i = kWord - 8; i < kWord; ++i) low = low << 8 | word.data[i];
  const auto number = static_cast<std::int64_t>(low);
  if (std::get<Digest32>(signed_number(number).value) != word) {
    return Error{Errc::too_large, "number beyond 64 bits"};
  }
  return number;
}

Result<Amount> AbiValue::as_amount() const {
  SP_ASSIGN(const Digest32 word, as_word());
  return Amount::from_word(word);
}

Result<Address> AbiValue::as_address() const {
  SP_ASSIGN(const Digest32 word, as_word());
  if (!abi_word_fits({Kind::address, 0, {}}, word)) {
    return Error{Errc::mismatch, "the word isn't an address"};
  }
  return Address::from(word.view().subspan(kWord - Address::kSize));
}

Result<Digest32> AbiValue::as_word() const {
  const Digest32* word = std::get_if<Digest32>(&value);
  if (word == nullptr) return Error{Errc::mismatch, "the ABI value isn't one word"};
  return *word;
}

Result<Bytes> AbiValue::as_bytes_value() const {
  const Bytes* bytes = std::get_if<Bytes>(&value);
  if (bytes == nullptr) return Error{Errc::mismatch, "the ABI value isn't bytes"};
  return *bytes;
}

Result<std::vector<AbiValue>> AbiValue::as_list() const {
  const Values* list = std::get_if<Values>(&value);
  if (list == nullptr) return Error{Errc::mismatch, "the ABI value isn't a list"};
  return *list;
}

}  // namespace sp::chain
