// Hostile tar streams: the first byte says whether the rest is one, or of what one is built.
// Whatever comes, nothing but folders and files within the limits appears in the destination,
// nothing beside it, and what was accepted is stable: packed again and unpacked it is the same
// tree. A built one has all its files; with an entry that no tree has it is refused.
#include "store/tree.hpp"

#include <map>

#include "base/testing/fuzz_input.hpp"
#include "store/testing/hostile_tar.hpp"
#include "store/testing/test_support.hpp"

namespace sp::store {
namespace {

namespace fs = std::filesystem;

using sp::testing::FuzzInput;
using testing::HostileTar;
using Contents = std::map<std::string, Bytes>;  // of files, by path

constexpr TreeLimits kLimits{64 << 10, 32};

/// One folder for all inputs of this process.
const Path& scratch() {
  static const sp::testing::TemporaryFolder kept(sp::testing::memory_path());
  return kept.path();
}

void check_contents(const Path& folder) {
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

/// Unpacks; where that does, `files` are there, and it packs and unpacks again. Whether it did.
bool check_tar(ByteView tar, const Contents& files = {}) {
  const Path inside = scratch() / "inside";
  const Path again = scratch() / "again";
  fs::create_directory(inside);
  MemorySource source(tar);
  const bool accepted = write_tree(source, inside, kLimits).ok();
  SP_CHECK(std::distance(fs::directory_iterator(scratch()), {}) == 1);
  check_contents(inside);
  if (accepted) {
    for (const auto& [path, content] : files) {
      SP_CHECK(PosixFiles().read(inside / path, kLimits.bytes_max).value() == content);
    }
    fs::create_directory(again);
    const auto packed = read_tree({{"", inside}}, OddEntries::refuse);
    SP_CHECK(packed.ok() && write_tree(**packed, again, kLimits).ok());
    SP_CHECK(*tree_digest(again, OddEntries::refuse) == *tree_digest(inside, OddEntries::refuse));
    fs::remove_all(again);
  }
  fs::remove_all(inside);
  return accepted;
}

Contents add_files(FuzzInput& input, HostileTar& tar) {
  Contents files;
  for (std::size_t i = input.below(6); i > 0; --i) {
    const std::string path =
        input.one_of(std::array<const char*, 4>{"", "a/", "a/b/", "c/"}) + std::to_string(i);
    const std::string name = input.flag() ? "./" + path : path;
    const Bytes content = to_bytes(input.bytes(900));
    const bool in_pax = input.flag();
    if (in_pax) tar.pax("path", name);
    tar.file(in_pax ? "short" : name, as_text(content));
    files[path] = content;
  }
  return files;
}

/// What no tree has.
void add_odd(FuzzInput& input, HostileTar& tar) {
  switch (input.below(8)) {
    case 0:
      tar.file("../x");
      break;
    case 1:
      tar.file("/x");
      break;
    case 2:
      tar.pax("path", "a/../../x").file("x");
      break;
    case 3:
      tar.file("f").file("f/x");
      break;
    case 4:
      tar.file("f").file("./f");
      break;
    case 5:
      tar.entry("f", '2', {}, "/etc").file("f/x");
      break;
    case 6:
      tar.file("f").entry("g", '1', {}, "f");
      break;
    default:
      tar.entry("f", input.one_of(std::array{'3', '4', '6'}));
  }
}

void check_built(FuzzInput& input) {
  HostileTar tar;
  const Contents files = add_files(input, tar);
  SP_CHECK(check_tar(tar.bytes(), files));
  HostileTar odd = tar;
  add_odd(input, odd);
  SP_CHECK(!check_tar(odd.bytes()));
  Bytes spoiled = tar.bytes();
  const std::size_t at = input.below(spoiled.size() / kTarBlock) * kTarBlock;
  const MutableByteView block = MutableByteView(spoiled).subspan(at, kTarBlock);
  for (std::size_t changes = input.below(4); changes > 0; --changes) {
    block[input.number<std::uint16_t>() % kTarBlock] = input.byte();
  }
  testing::sum_up(block);
  check_tar(input.spoiled(std::move(spoiled)));
}

}  // namespace
}  // namespace sp::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const sp::ByteView bytes(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    sp::store::check_tar(bytes);
  } else {
    sp::testing::FuzzInput input(bytes);
    sp::store::check_built(input);
  }
  return 0;
}
