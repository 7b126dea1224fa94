// Secrets: move-only bytes that are wiped when they go, have no text form and no ==.
//
// Compare secrets with crypto::equal_constant_time. Not safe to share between threads while one
// moves it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/bytes.hpp"

namespace sp {

/// Overwrites memory in a way that the compiler keeps.
void wipe(MutableByteView memory);

/// A secret of exactly N bytes.
template <std::size_t N>
class SecretArray {
 public:
  static constexpr std::size_t kSize = N;

  SecretArray() = default;
  SecretArray(const SecretArray&) = delete;
  SecretArray& operator=(const SecretArray&) = delete;
  SecretArray(SecretArray&& other) noexcept : data_(other.data_) { wipe(other.data_); }
  SecretArray& operator=(SecretArray&& other) noexcept {
    if (this != &other) {
      data_ = other.data_;
      wipe(other.data_);
    }
    return *this;
  }
  ~SecretArray() { wipe(data_); }

  /// Errc::malformed unless `bytes` are exactly N. The caller wipes the source.
  static Result<SecretArray> from(ByteView bytes) {
    if (bytes.size() != N) return Error{Errc::malformed, "secret of the wrong size"};
    SecretArray secret;
    std::copy(bytes.begin(), bytes.end(), secret.data_.begin());
    return secret;
  }

  [[nodiscard]] ByteView reveal() const { return data_; }
  [[nodiscard]] MutableByteView writable() { return data_; }
  /// A second holder of the same secret, made on purpose.
  [[nodiscard]] SecretArray clone() const {
    SecretArray copy;
    copy.data_ = data_;
    return copy;
  }

 private:
  std::array<std::uint8_t, N> data_{};
};

using Secret32 = SecretArray<32>;

/// A secret of any size. Its memory never grows in place, so no copy is left behind.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size) : data_(size) {}
  explicit SecretBytes(ByteView source) : data_(source.begin(), source.end()) {}
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  SecretBytes(SecretBytes&& other) noexcept : data_(std::move(other.data_)) { other.data_.clear(); }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      wipe(data_);
      data_ = std::move(other.data_);
      other.data_.clear();
    }
    return *this;
  }
  ~SecretBytes() { wipe(data_); }

  [[nodiscard]] std::size_t size() const { return data_.size(); }
  [[nodiscard]] ByteView reveal() const { return data_; }
  [[nodiscard]] MutableByteView writable() { return data_; }

 private:
  Bytes data_;
};

}  // namespace sp
