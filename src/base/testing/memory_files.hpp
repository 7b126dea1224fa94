// Files in memory, for fuzz targets and tests of what reads a disk after damage. Belongs to one
// thread.
#pragma once

#include <map>

#include "base/files.hpp"

namespace sp::testing {

class MemoryFiles final : public Files {
 public:
  Result<Bytes> read(const Path& path, std::size_t size_max) const override {
    const auto found = files_.find(path);
    if (found == files_.end()) return Error{Errc::not_found, "no file " + path.string()};
    if (found->second.size() > size_max) return Error{Errc::too_large, path.string()};
    return found->second;
  }
  Result<Bytes> read_range(const Path& path, std::uint64_t offset,
                           std::size_t size) const override {
    SP_ASSIGN(const Bytes whole, read(path, ~std::size_t{0}));
    if (offset > whole.size() || size > whole.size() - offset) {
      return Error{Errc::malformed, path.string() + " ends before"};
    }
    return to_bytes(ByteView(whole).subspan(offset, size));
  }
  Result<std::uint64_t> size(const Path& path) const override {
    SP_ASSIGN(const Bytes whole, read(path, ~std::size_t{0}));
    return std::uint64_t{whole.size()};
  }
  Status write_atomic(const Path& path, ByteView bytes, FileMode /*mode*/) override {
    files_[path] = to_bytes(bytes);
    return {};
  }
  Status make_folder(const Path& /*path*/) override { return {}; }
  Status remove(const Path& path) override {
    files_.erase(path);
    return {};
  }
  Result<std::vector<std::string>> list(const Path& folder) const override {
    std::vector<std::string> names;
    for (const auto& [path, bytes] : files_) {
      if (path.parent_path() == folder) names.push_back(path.filename());
    }
    return names;
  }

 private:
  std::map<Path, Bytes> files_;
};

}  // namespace sp::testing
