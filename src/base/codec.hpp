// The one binary encoding of our formats (docs/FORMATS.md section 1): fields in order, integers
// big-endian, variable bytes behind a u32 length, lists behind a u16 count. There is one encoding
// of a value, so an encoded value can be hashed and signed.
//
// Reader remembers the first failure: read all fields, then ask finish(). Every read has its limit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace sp {

class Writer {
 public:
  Writer& u8(std::uint8_t value);
  Writer& u16(std::uint16_t value);
  Writer& u32(std::uint32_t value);
  Writer& u64(std::uint64_t value);
  /// Bytes as they are, without a length.
  Writer& raw(ByteView bytes);
  /// u32 length, then the bytes. At most 2^32-1 bytes.
  Writer& var(ByteView bytes);
  Writer& text(std::string_view value) { return var(as_bytes(value)); }

  [[nodiscard]] const Bytes& bytes() const& { return bytes_; }
  [[nodiscard]] Bytes&& take() && { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  std::uint8_t u8();
  std::uint16_t u16();
  std::uint32_t u32();
  std::uint64_t u64();
  /// A u8 that is 0 or 1; anything else fails.
  bool boolean();
  /// The next `size` bytes; empty after a failure. Valid as long as the source.
  ByteView raw(std::size_t size);
  /// u32 length and bytes; a length over `size_max` fails with Errc::too_large.
  ByteView var(std::size_t size_max);
  std::string text(std::size_t size_max) { return std::string(as_text(var(size_max))); }
  /// A u16 count; over `count_max` fails with Errc::too_large (and reads as 0).
  std::size_t count(std::size_t count_max);

  template <class Fixed>
  Fixed fixed() {
    Fixed value;
    const ByteView bytes = raw(Fixed::kSize);
    if (bytes.size() == Fixed::kSize) std::copy(bytes.begin(), bytes.end(), value.data.begin());
    return value;
  }

  /// Makes the whole decoding fail, for checks of the caller's own.
  void fail(Errc code, std::string message);
  [[nodiscard]] bool failed() const { return !status_.ok(); }
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }

  /// The first failure; Errc::malformed where bytes are left over.
  [[nodiscard]] Status finish() const;

 private:
  ByteView rest_;
  Status status_;
};

}  // namespace sp
