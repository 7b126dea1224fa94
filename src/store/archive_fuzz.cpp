// Archives that people have (tar, plain or compressed), as they become canonical trees: whatever
// the file holds, what comes out unpacks to a tree, and again gives the same bytes.
#include <fstream>

#include "base/check.hpp"
#include "store/testing/test_support.hpp"
#include "store/tree.hpp"

namespace sp::store {
namespace {

namespace fs = std::filesystem;

constexpr TreeLimits kLimits{1 << 20, 1000};

Result<Bytes> canonical(const Path& archive, const Path& scratch) {
  fs::create_directory(scratch);
  auto tree = read_archive(archive, scratch);
  if (!tree) return tree.error();
  return testing::read_all(**tree);
}

void check(const testing::TemporaryFolder& folder, const Bytes& tree) {
  MemorySource source{ByteView(tree)};
  fs::create_directory(folder / "out");
  SP_CHECK(write_tree(source, folder / "out", kLimits).ok());
  std::ofstream(folder / "again", std::ios::binary) << as_text(tree);
  SP_CHECK(canonical(folder / "again", folder / "scratch2").value() == tree);
}

}  // namespace
}  // namespace sp::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::store;
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "archive", std::ios::binary) << sp::as_text({data, size});
  const auto tree = canonical(folder / "archive", folder / "scratch");
  // A few bytes of zstd can hold far more than is worth a round trip here.
  if (tree && tree->size() <= (std::size_t{1} << 20)) check(folder, *tree);
  return 0;
}
