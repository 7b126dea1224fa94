// A folder of a test's own. Belongs to one thread; its path may be read from any.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/check.hpp"
#include "base/files.hpp"

namespace sp::testing {

/// Where files lie in memory; the system's folder for temporary files where there is no such place.
/// For what makes and removes many.
inline Path memory_path() {
  const Path memory = "/dev/shm";
  return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
}

/// A new, empty folder below the system's for temporary files, or below `base`; removed with
/// everything in it at the end. Reads as its path.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const Path& base = std::filesystem::temp_directory_path()) {
    std::string name = base / "sp-test-XXXXXX";
    SP_CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const Path& path() const { return path_; }
  [[nodiscard]] std::string string() const { return path_.string(); }
  operator const Path&() const { return path_; }
  [[nodiscard]] Path operator/(const Path& name) const { return path_ / name; }

 private:
  Path path_;
};

}  // namespace sp::testing
