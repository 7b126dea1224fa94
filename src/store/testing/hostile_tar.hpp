// Tar streams for tests and fuzz targets of what unpacks them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string>

#include "store/tar_format.hpp"

namespace sp::store::testing {

/// Makes the checksum of a header right.
inline void sum_up(MutableByteView block) {
  std::fill_n(block.begin() + 148, 8, std::uint8_t{' '});
  unsigned sum = 0;
  for (const auto byte : block) sum += byte;
  std::array<char, 8> digits{};
  std::snprintf(digits.data(), digits.size(), "%06o", sum);
  std::copy_n(digits.begin(), 7, block.begin() + 148);
}

/// A tar that nobody would make: entries of any kind, with any name and size.
class HostileTar {
 public:
  HostileTar& entry(std::string_view name, char type, std::string_view content = {},
                    std::string_view link = {}, std::optional<std::uint64_t> size = {}) {
    Bytes block = tar_header({"x", false, true, size.value_or(content.size())});
    std::fill_n(block.begin(), 100, std::uint8_t{0});
    std::copy_n(name.begin(), std::min<std::size_t>(name.size(), 100), block.begin());
    std::copy(link.begin(), link.end(), block.begin() + 157);
    block[156] = static_cast<std::uint8_t>(type);
    sum_up(block);
    append(bytes_, block);
    append(bytes_, as_bytes(content));
    bytes_.resize(bytes_.size() + tar_padding(content.size()));
    return *this;
  }
  HostileTar& file(std::string_view name, std::string_view content = "hello") {
    return entry(name, '0', content);
  }
  HostileTar& folder(std::string_view name) { return entry(name, '5'); }
  /// A file of `size` bytes with holes: `map` is "at,count,..." of what `content` has in a row.
  HostileTar& sparse(std::string_view name, std::size_t size, std::string_view map,
                     std::string_view content) {
    return records({{"GNU.sparse.size", std::to_string(size)}, {"GNU.sparse.map", map}})
        .file(name, content);
  }
  HostileTar& pax(std::string_view key, std::string_view value) { return records({{key, value}}); }
  using Record = std::pair<std::string_view, std::string_view>;
  HostileTar& records(std::initializer_list<Record> records) {
    std::string all;
    for (const auto& [key, value] : records) all += record(key, value);
    return entry("pax", 'x', all);
  }
  [[nodiscard]] Bytes bytes() const {
    Bytes whole = bytes_;
    whole.resize(whole.size() + kTarEndSize);
    return whole;
  }

 private:
  static std::string record(std::string_view key, std::string_view value) {
    const std::string rest = " " + std::string(key) + "=" + std::string(value) + "\n";
    std::size_t size = rest.size() + 1;
    while (std::to_string(size).size() + rest.size() > size) ++size;
    return std::to_string(size) + rest;
  }

  Bytes bytes_;
};

/// The sparse file "f", before whose content stands a map (GNU's format 1.0) of `size` bytes, which
/// says that it has many more entries.
inline Bytes tar_of_long_map(std::size_t size) {
  std::string map = "2000000000\n";
  while (map.size() < size) map += "0\n0\n";
  return HostileTar()
      .records({{"GNU.sparse.major", "1"},
                {"GNU.sparse.minor", "0"},
                {"GNU.sparse.name", "f"},
                {"GNU.sparse.realsize", "5"}})
      .file("f", map)
      .bytes();
}

}  // namespace sp::store::testing
