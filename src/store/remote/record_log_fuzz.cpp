// Files of appended records: what is read of a spoilt one is whole records from its beginning, and
// after it was written anew it goes on where it ended.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/log.hpp"
#include "base/testing/fuzz_input.hpp"
#include "crypto/hash.hpp"
#include "store/remote/record_log.hpp"
#include "store/testing/test_support.hpp"

namespace sp::store {
namespace {

constexpr std::size_t kRecordsMax = 8;
using Contents = std::vector<RecordLog::Content>;

Contents contents_of(sp::testing::FuzzInput& input) {
  Contents contents(input.below(kRecordsMax + 2));
  for (RecordLog::Content& content : contents) content.fill(input.byte());
  return contents;
}

Bytes encoded(const Contents& contents) {
  Bytes bytes;
  for (const RecordLog::Content& content : contents) {
    append(bytes, content);
    append(bytes, crypto::sha256(content).view().first(kRecordSize - kRecordContentSize));
  }
  return bytes;
}

Result<std::unique_ptr<RecordLog>> open(const Path& file, Contents& seen) {
  seen.clear();
  return RecordLog::open(PosixFiles(), file, kRecordsMax,
                         [&](const RecordLog::Content& content) { seen.push_back(content); });
}

void check(const Path& file, const Contents& written, bool whole, std::size_t size) {
  Contents seen;
  const auto log = open(file, seen);
  SP_CHECK(log.ok() == (size / kRecordSize <= kRecordsMax));
  if (!log) return;
  SP_CHECK((*log)->records() == seen.size());
  if (whole) SP_CHECK(seen == written && !(*log)->needs_rewrite());
  PosixFiles files;
  if ((*log)->needs_rewrite()) SP_CHECK((*log)->rewrite(files, seen).ok());
  RecordLog::Content further{};
  const bool room = seen.size() < kRecordsMax;
  SP_CHECK((*log)->append(further).ok() == room && (*log)->sync().ok());
  Contents again;
  SP_CHECK(open(file, again).ok());
  if (room) seen.push_back(further);
  SP_CHECK(again == seen);
}

}  // namespace
}  // namespace sp::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::store;
  static const testing::TemporaryFolder folder = [] {
    sp::set_log_level(sp::LogLevel::error);  // of what is cut
    return testing::TemporaryFolder();
  }();
  sp::testing::FuzzInput input({data, size});
  const Contents written = contents_of(input);
  const bool whole = input.empty();
  const sp::Bytes bytes = input.spoiled(encoded(written));
  const sp::Path file = folder.path() / "records";
  std::ofstream(file, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  check(file, written, whole, bytes.size());
  return 0;
}
