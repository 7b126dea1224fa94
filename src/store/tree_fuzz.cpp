// Hostile tar streams: whatever comes, nothing but folders and files within the limits appears in
// the destination, nothing beside it, and what was accepted is stable: packed again and unpacked it
// is the same tree.
#include <cstddef>
#include <cstdint>

#include "base/testing/temporary_folder.hpp"
#include "store/testing/test_support.hpp"
#include "store/tree.hpp"

namespace {

namespace fs = std::filesystem;

constexpr sp::store::TreeLimits kLimits{64 << 10, 32};

sp::Path scratch_base() {
  const sp::Path memory = "/dev/shm";
  return fs::is_directory(memory) ? memory : fs::temp_directory_path();
}

/// One folder for all inputs of this process.
const sp::Path& scratch() {
  static const sp::testing::TemporaryFolder kept(scratch_base());
  return kept.path();
}

void check_contents(const sp::Path& folder) {
  std::uintmax_t bytes = 0;
  std::size_t entries = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto type = entry.symlink_status().type();
    SP_CHECK(type == fs::file_type::regular || type == fs::file_type::directory);
    if (type == fs::file_type::regular) bytes += entry.file_size();
    ++entries;
  }
  SP_CHECK(bytes <= kLimits.bytes_max && entries <= kLimits.entries_max);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sp::Path inside = scratch() / "inside";
  const sp::Path again = scratch() / "again";
  fs::create_directory(inside);
  sp::store::MemorySource source(sp::ByteView(data, size));
  const bool accepted = sp::store::write_tree(source, inside, kLimits).ok();
  SP_CHECK(std::distance(fs::directory_iterator(scratch()), {}) == 1);
  check_contents(inside);
  if (accepted) {
    fs::create_directory(again);
    const auto packed = sp::store::read_tree({{"", inside}}, sp::store::OddEntries::refuse);
    SP_CHECK(packed.ok());
    SP_CHECK(sp::store::write_tree(**packed, again, kLimits).ok());
    SP_CHECK(*sp::store::tree_digest(again, sp::store::OddEntries::refuse) ==
             *sp::store::tree_digest(inside, sp::store::OddEntries::refuse));
    fs::remove_all(again);
  }
  fs::remove_all(inside);
  return 0;
}
