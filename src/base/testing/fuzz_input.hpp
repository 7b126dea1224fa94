// A fuzzer's input as a stream of choices: fuzz targets of nested formats build a valid value of
// it, encode it, and spoil the encoding, so that what lies behind lengths, counts, digests and
// signatures is reached. Every input is valid: behind its end all choices are zero.
//
// Belongs to one thread. For fuzz targets alone.
#pragma once

#include <array>
#include <concepts>
#include <string>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace sp::testing {

class FuzzInput {
 public:
  explicit FuzzInput(ByteView bytes) : rest_(bytes) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  /// What hasn't been taken yet.
  [[nodiscard]] ByteView rest() const { return rest_; }

  template <std::unsigned_integral Number>
  Number number() {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i) value = value << 8 | byte();
    return static_cast<Number>(value);
  }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }
  bool flag() { return (byte() & 1) != 0; }
  /// From 0 to limit - 1; CHECK: limit is over 0.
  std::size_t below(std::size_t limit) {
    SP_CHECK(limit > 0);
    return (limit <= 0x100 ? byte() : number<std::uint32_t>()) % limit;
  }
  /// At most `size_max` bytes, as many as there are.
  ByteView bytes(std::size_t size_max) {
    const std::size_t wanted = below(size_max + 1);  // first, since it takes bytes itself
    const std::size_t size = std::min(wanted, rest_.size());
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  std::string text(std::size_t size_max) { return std::string(as_text(bytes(size_max))); }
  template <class Fixed>
  Fixed fixed() {
    Fixed value;
    for (std::uint8_t& at : value.data) at = byte();
    return value;
  }
  template <class Value, std::size_t N>
  Value one_of(const std::array<Value, N>& values) {
    return values[below(N)];
  }

  /// Spoils an encoding in up to three places: other bytes, bytes too many or too few. Without
  /// input left it stays as it is.
  Bytes spoiled(Bytes encoding) {
    for (std::size_t changes = below(4); changes > 0 && !empty(); --changes) spoil(encoding);
    return encoding;
  }

 private:
  void spoil(Bytes& encoding) {
    const std::size_t at = encoding.empty() ? 0 : below(encoding.size());
    const auto place = encoding.begin() + static_cast<std::ptrdiff_t>(at);
    switch (byte() % 5) {
      case 0:
        if (!encoding.empty()) *place ^= static_cast<std::uint8_t>(1U << (byte() % 8));
        break;
      case 1:
        if (!encoding.empty()) *place = byte();
        break;
      case 2:
        encoding.insert(place, byte());
        break;
      case 3:
        encoding.resize(at);
        break;
      default: {
        const std::size_t size = std::min(below(64), encoding.size() - at);
        encoding.erase(place, place + static_cast<std::ptrdiff_t>(size));
      }
    }
  }

  ByteView rest_;
};

/// What decodes has exactly one encoding: CHECK.
template <class Message>
void check_one_encoding(ByteView bytes) {
  const auto message = Message::decode(bytes);
  if (message) SP_CHECK(std::ranges::equal(ByteView(message->encode()), bytes));
}

}  // namespace sp::testing
