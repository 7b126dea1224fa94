// The bytes of a canonical tar stream (FORMATS.md section 4): headers, padding, end. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace sp::store {

inline constexpr std::size_t kTarBlock = 512;

struct TarEntry {
  std::string_view path;  ///< as clean_tree_path gives it, not empty
  bool is_folder = false;
  bool is_executable = false;
  std::uint64_t size = 0;  ///< of a file's content
};

/// The entry's header block, behind a pax header where its path or size needs one.
Bytes tar_header(const TarEntry& entry);

/// How many zero bytes follow a content of `size` bytes.
constexpr std::size_t tar_padding(std::uint64_t size) {
  return static_cast<std::size_t>((kTarBlock - size % kTarBlock) % kTarBlock);
}

/// The end of the stream: two blocks of zeros.
inline constexpr std::size_t kTarEndSize = 2 * kTarBlock;

}  // namespace sp::store
