// Little-endian numbers, as AMD's, Intel's and UEFI's structures hold them. Values; safe from any
// thread.
#pragma once

#include "base/bytes.hpp"

namespace sp::attest {

/// The number whose little-endian bytes these are; at most 8 bytes (CHECK).
inline std::uint64_t little_number(ByteView bytes) {
  SP_CHECK(bytes.size() <= 8);
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) value = value << 8 | bytes[i - 1];
  return value;
}

/// The little-endian bytes of a number; what doesn't fit into `out` is cut off.
inline void put_little(std::uint64_t value, MutableByteView out) {
  for (std::uint8_t& byte : out) {
    byte = static_cast<std::uint8_t>(value);
    value >>= 8;
  }
}

/// base's Reader for little-endian formats: remembers the first failure, reads zeros after it.
class LittleReader {
 public:
  explicit LittleReader(ByteView bytes) : rest_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(little_number(raw(1))); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(little_number(raw(2))); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(little_number(raw(4))); }
  std::uint64_t u64() { return little_number(raw(8)); }
  /// The next `size` bytes; empty after a failure. Valid as long as the source.
  ByteView raw(std::size_t size) {
    if (size > rest_.size()) {
      fail(Errc::malformed, "truncated");
      return {};
    }
    const ByteView bytes = rest_.first(size);
    rest_ = rest_.subspan(size);
    return bytes;
  }
  template <class Fixed>
  Fixed fixed() {
    Fixed value;
    const ByteView bytes = raw(Fixed::kSize);
    std::copy(bytes.begin(), bytes.end(), value.data.begin());
    return value;
  }

  void fail(Errc code, std::string message) {
    if (status_.ok()) status_ = Error{code, std::move(message)};
    rest_ = {};
  }
  [[nodiscard]] bool failed() const { return !status_.ok(); }
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }
  [[nodiscard]] ByteView rest() const { return rest_; }
  /// The first failure. What is left over is the caller's matter.
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  ByteView rest_;
  Status status_;
};

}  // namespace sp::attest
