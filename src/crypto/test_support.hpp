// What crypto's tests share. Not part of the room: only *_test.cpp include it.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/world.hpp"

namespace sp::crypto {

/// Bytes of hexadecimal that the test itself wrote.
inline Bytes hex(std::string_view text) { return from_hex(text).value(); }

template <class Fixed>
Fixed hex_as(std::string_view text) {
  return Fixed::from_hex(text).value();
}

/// A published file of evidence (EVIDENCE_DIR, or beside the project); empty where it is absent.
inline std::optional<std::string> evidence(const std::string& name) {
  const char* folder = std::getenv("EVIDENCE_DIR");
  const std::string root = folder != nullptr && *folder != '\0'
                               ? std::string(folder)
                               : std::string(SP_TEST_SOURCE_DIR "/../shared/evidence");
  std::ifstream file(root + "/" + name, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

/// Hands out the bytes that it was made with, in order.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(Bytes bytes) : bytes_(std::move(bytes)) {}
  void fill(MutableByteView out) override {
    SP_CHECK(out.size() <= bytes_.size() - at_);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), out.size(), out.begin());
    at_ += out.size();
  }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

}  // namespace sp::crypto
