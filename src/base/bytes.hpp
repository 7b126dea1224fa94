// Bytes, views of bytes, and fixed-size byte values with a type of their own.
//
// A FixedBytes<Tag, N> is a value: ids, digests, addresses and public keys are FixedBytes with
// different tags, so that one can't be passed where another is meant. Secrets never are (see
// secret.hpp). Everything here is safe to call from any thread.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace sp {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableByteView = std::span<std::uint8_t>;

/// The bytes of a text, without its terminator.
inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The text whose bytes these are; no encoding is checked.
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }

inline void append(Bytes& to, ByteView what) { to.insert(to.end(), what.begin(), what.end()); }

/// Lower-case hexadecimal without a prefix.
std::string to_hex(ByteView bytes);

/// Lower-case hexadecimal behind "0x".
std::string to_hex0x(ByteView bytes);

/// Reads hexadecimal of either case, with or without "0x". Errc::malformed for an odd length or
/// another character.
Result<Bytes> from_hex(std::string_view text);

/// Fills `out` from hexadecimal. Errc::malformed unless the text holds exactly out.size() bytes.
Result<void> from_hex_into(std::string_view text, MutableByteView out);

/// A value of N bytes whose meaning is its Tag.
template <class Tag, std::size_t N>
struct FixedBytes {
  static constexpr std::size_t kSize = N;

  std::array<std::uint8_t, N> data{};

  auto operator<=>(const FixedBytes&) const = default;

  [[nodiscard]] ByteView view() const { return data; }
  [[nodiscard]] bool is_zero() const {
    return std::all_of(data.begin(), data.end(), [](std::uint8_t byte) { return byte == 0; });
  }
  [[nodiscard]] std::string hex() const { return to_hex(data); }
  [[nodiscard]] std::string hex0x() const { return to_hex0x(data); }

  /// Errc::malformed unless `bytes` are exactly N.
  static Result<FixedBytes> from(ByteView bytes) {
    if (bytes.size() != N) {
      return Error{Errc::malformed,
                   "expected " + std::to_string(N) + " bytes, got " + std::to_string(bytes.size())};
    }
    FixedBytes value;
    std::copy(bytes.begin(), bytes.end(), value.data.begin());
    return value;
  }

  /// Errc::malformed unless the text is the hexadecimal of exactly N bytes.
  static Result<FixedBytes> from_hex(std::string_view text) {
    FixedBytes value;
    if (auto read = from_hex_into(text, value.data); !read) return read.error();
    return value;
  }
};

using Digest32 = FixedBytes<struct Digest32Tag, 32>;  ///< SHA-256 or Keccak-256, as the place says
using Digest48 = FixedBytes<struct Digest48Tag, 48>;  ///< SHA-384
using Digest64 = FixedBytes<struct Digest64Tag, 64>;  ///< SHA-512
using Address = FixedBytes<struct AddressTag, 20>;    ///< an Ethereum account

/// Hashes a FixedBytes for unordered containers; the values are digests or keys, so their first
/// bytes serve.
struct FixedBytesHash {
  template <class Tag, std::size_t N>
  std::size_t operator()(const FixedBytes<Tag, N>& value) const {
    static_assert(N >= sizeof(std::size_t));
    std::size_t hash = 0;
    for (std::size_t i = 0; i < sizeof hash; ++i) hash = hash << 8 | value.data[i];
    return hash;
  }
};

}  // namespace sp
