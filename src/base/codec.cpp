#include "base/codec.hpp"

#include <limits>

namespace sp {
namespace {

template <class Unsigned>
void write_big_endian(Bytes& to, Unsigned value) {
  for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8) {
    to.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

template <class Unsigned>
Unsigned read_big_endian(ByteView bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return static_cast<Unsigned>(value);
}

}  // namespace

Writer& Writer::u8(std::uint8_t value) {
  bytes_.push_back(value);
  return *this;
}

Writer& Writer::u16(std::uint16_t value) {
  write_big_endian(bytes_, value);
  return *this;
}

Writer& Writer::u32(std::uint32_t value) {
  write_big_endian(bytes_, value);
  return *this;
}

Writer& Writer::u64(std::uint64_t value) {
  write_big_endian(bytes_, value);
  return *this;
}

Writer& Writer::raw(ByteView bytes) {
  append(bytes_, bytes);
  return *this;
}

Writer& Writer::var(ByteView bytes) {
  SP_CHECK(bytes.size() <= std::numeric_limits<std::uint32_t>::max());
  u32(static_cast<std::uint32_t>(bytes.size()));
  return raw(bytes);
}

void Reader::fail(Errc code, std::string message) {
  if (status_.ok()) status_ = Error{code, std::move(message)};
  rest_ = {};
}

ByteView Reader::raw(std::size_t size) {
  if (size > rest_.size()) {
    fail(Errc::malformed, "truncated");
    return {};
  }
  const ByteView bytes = rest_.first(size);
  rest_ = rest_.subspan(size);
  return bytes;
}

std::uint8_t Reader::u8() { return read_big_endian<std::uint8_t>(raw(1)); }
std::uint16_t Reader::u16() { return read_big_endian<std::uint16_t>(raw(2)); }
std::uint32_t Reader::u32() { return read_big_endian<std::uint32_t>(raw(4)); }
std::uint64_t Reader::u64() { return read_big_endian<std::uint64_t>(raw(8)); }

bool Reader::boolean() {
  const std::uint8_t value = u8();
  if (value > 1) fail(Errc::malformed, "a boolean must be 0 or 1");
  return value == 1;
}

ByteView Reader::var(std::size_t size_max) {
  const std::size_t size = u32();
  if (size > size_max) {
    fail(Errc::too_large,
         "field of " + std::to_string(size) + " bytes, at most " + std::to_string(size_max));
    return {};
  }
  return raw(size);
}

std::size_t Reader::count(std::size_t count_max) {
  const std::size_t value = u16();
  if (value > count_max) {
    fail(Errc::too_large,
         "list of " + std::to_string(value) + ", at most " + std::to_string(count_max));
    return 0;
  }
  return value;
}

Status Reader::finish() const {
  if (!status_.ok()) return status_;
  if (!rest_.empty())
    return Error{Errc::malformed, std::to_string(rest_.size()) + " bytes left over"};
  return {};
}

}  // namespace sp
