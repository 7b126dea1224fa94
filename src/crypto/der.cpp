#include "crypto/der.hpp"

#include "base/check.hpp"

namespace sp::crypto {

namespace {

constexpr std::uint8_t kTagNumberMask = 0x1f;
constexpr std::uint8_t kTagNumberLong = 0x1f;
constexpr std::uint8_t kLengthLong = 0x80;
constexpr std::size_t kRawSignatureSizeMax = 2 * 66;  // P-521

Error malformed(std::string what) { return {Errc::malformed, "DER: " + std::move(what)}; }

std::string tag_text(DerTag tag) {
  const auto byte = static_cast<std::uint8_t>(tag);
  return to_hex(ByteView(&byte, 1));
}

struct Header {
  std::size_t size;     // bytes of tag and length
  std::size_t content;  // bytes after them
};

Result<Header> read_header(ByteView input) {
  if (input.size() < 2) return malformed("ends inside a tag or length");
  if ((input[0] & kTagNumberMask) == kTagNumberLong) {
    return Error{Errc::unsupported, "DER: a tag number over 30"};
  }
  if (input[1] < kLengthLong) return Header{2, input[1]};
  const std::size_t count = input[1] & 0x7fU;
  if (count == 0) return malformed("indefinite length");
  if (count > kDerLengthBytesMax) return malformed("a length of more than 4 bytes");
  if (input.size() < 2 + count) return malformed("ends inside a length");
  std::size_t length = 0;
  for (const std::uint8_t byte : input.subspan(2, count)) length = length << 8 | byte;
  if (length < kLengthLong || input[2] == 0)
    return malformed("length in a longer form than needed");
  return Header{2 + count, length};
}

}  // namespace

bool DerReader::next_is(DerTag tag) const {
  return !rest_.empty() && rest_[0] == static_cast<std::uint8_t>(tag);
}

Result<DerElement> DerReader::next() {
  SP_ASSIGN(const Header header, read_header(rest_));
  if (header.content > rest_.size() - header.size) {
    return malformed("a length of " + std::to_string(header.content) + " where " +
                     std::to_string(rest_.size() - header.size) + " bytes are left");
  }
  const ByteView whole = rest_.first(header.size + header.content);
  rest_ = rest_.subspan(whole.size());
  return DerElement{static_cast<DerTag>(whole[0]), whole.subspan(header.size), whole};
}

Result<ByteView> DerReader::read(DerTag tag) {
  SP_ASSIGN(const DerElement element, next());
  if (element.tag != tag) {
    return malformed("expected tag " + tag_text(tag) + ", got " + tag_text(element.tag));
  }
  return element.content;
}

Result<DerReader> DerReader::enter(DerTag tag) {
  if (depth_ >= kDerDepthMax) return Error{Errc::too_large, "DER: nested too deep"};
  SP_ASSIGN(const ByteView content, read(tag));
  return DerReader(content, depth_ + 1);
}

Result<ByteView> DerReader::unsigned_integer(std::size_t size_max) {
  SP_ASSIGN(ByteView content, read(DerTag::integer));
  if (content.empty()) return malformed("an empty integer");
  if ((content[0] & 0x80U) != 0) return malformed("a negative integer");
  if (content[0] == 0 && content.size() > 1) {
    content = content.subspan(1);
    if ((content[0] & 0x80U) == 0) return malformed("an integer with a needless leading zero");
  }
  if (content.size() > size_max) {
    return Error{Errc::too_large, "DER: an integer of " + std::to_string(content.size()) +
                                      " bytes, at most " + std::to_string(size_max)};
  }
  return content;
}

Result<std::uint64_t> DerReader::number() {
  SP_ASSIGN(const ByteView bytes, unsigned_integer(sizeof(std::uint64_t)));
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

Result<bool> DerReader::boolean() {
  SP_ASSIGN(const ByteView content, read(DerTag::boolean));
  if (content.size() != 1) return malformed("a boolean that isn't one byte");
  if (content[0] != 0x00 && content[0] != 0xff) return malformed("a boolean that isn't 00 or ff");
  return content[0] == 0xff;
}

Result<std::string> DerReader::oid() {
  SP_ASSIGN(const ByteView content, read(DerTag::oid));
  if (content.empty()) return malformed("an empty object identifier");
  if (content.size() > kDerOidSizeMax) return Error{Errc::too_large, "DER: object identifier"};
  std::string text;
  std::uint64_t arc = 0;
  bool inside = false;  // an arc has begun and its last byte is still to come
  for (const std::uint8_t byte : content) {
    if (!inside && byte == 0x80) return malformed("an arc with a needless leading byte");
    arc = arc << 7 | (byte & 0x7fU);
    if (arc > UINT32_MAX) return Error{Errc::too_large, "DER: an arc over 2^32 - 1"};
    inside = (byte & 0x80U) != 0;
    if (inside) continue;
    if (text.empty()) {
      // The first two arcs share one number: 40 * first + second (X.690 section 8.19.4).
      const std::uint64_t first = std::min<std::uint64_t>(arc / 40, 2);
      text = std::to_string(first) + "." + std::to_string(arc - first * 40);
    } else {
      text += "." + std::to_string(arc);
    }
    arc = 0;
  }
  if (inside) return malformed("an object identifier ends inside an arc");
  return text;
}

Status DerReader::finish() const {
  if (at_end()) return {};
  return malformed(std::to_string(rest_.size()) + " bytes after the end");
}

Result<Bytes> ecdsa_raw_from_der(ByteView der, std::size_t number_size) {
  DerReader outer(der);
  SP_ASSIGN(DerReader numbers, outer.enter(DerTag::sequence));
  SP_TRY(outer.finish());
  Bytes raw;
  raw.reserve(2 * number_size);
  for (int i = 0; i < 2; ++i) {
    const auto number = numbers.unsigned_integer(number_size);
    if (!number) return Error{Errc::malformed, number.error().message};
    raw.insert(raw.end(), number_size - number->size(), 0);
    append(raw, *number);
  }
  SP_TRY(numbers.finish());
  return raw;
}

Bytes ecdsa_der_from_raw(ByteView raw) {
  SP_CHECK(raw.size() % 2 == 0 && !raw.empty() && raw.size() <= kRawSignatureSizeMax);
  Bytes numbers;
  for (ByteView number : {raw.first(raw.size() / 2), raw.subspan(raw.size() / 2)}) {
    while (number.size() > 1 && number[0] == 0) number = number.subspan(1);
    const bool padded = (number[0] & 0x80U) != 0;
    numbers.push_back(static_cast<std::uint8_t>(DerTag::integer));
    numbers.push_back(static_cast<std::uint8_t>(number.size() + (padded ? 1 : 0)));
    if (padded) numbers.push_back(0);
    append(numbers, number);
  }
  Bytes der{static_cast<std::uint8_t>(DerTag::sequence)};
  if (numbers.size() >= kLengthLong) der.push_back(kLengthLong | 1U);
  der.push_back(static_cast<std::uint8_t>(numbers.size()));
  append(der, numbers);
  return der;
}

}  // namespace sp::crypto
