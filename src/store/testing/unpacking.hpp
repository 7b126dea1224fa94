// Tars that tests unpack, and what comes of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "store/testing/test_support.hpp"
#include "store/tree.hpp"

namespace sp::store::testing {

inline std::string read_file(const Path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline Status unpack_to(const Path& folder, ByteView tar,
                        const TreeLimits& limits = {1 << 20, 1000}) {
  MemorySource source(tar);
  return write_tree(source, folder, limits);
}

/// The error of unpacking; nothing may lie beside the destination afterwards.
inline Errc error_of(ByteView tar, const TreeLimits& limits = {1 << 20, 1000}) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "inside");
  const Status done = unpack_to(folder / "inside", tar, limits);
  EXPECT_FALSE(done.ok());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "inside")) {
    EXPECT_TRUE(entry.symlink_status().type() == std::filesystem::file_type::regular ||
                entry.symlink_status().type() == std::filesystem::file_type::directory);
  }
  return done.ok() ? Errc::usage : done.error().code;
}

inline std::vector<std::string> names_in(const Path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    names.push_back(entry.path().lexically_relative(folder).string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace sp::store::testing
