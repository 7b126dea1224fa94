// Files of appended records, some of them appended before others were on the disk, and spoilt: what
// is read is whole records up to one that a power failure may have lost, and after it was written
// anew it goes on where it ended; what is refused is left as it is.
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

Bytes check_of(const RecordLog::Content& content) {
  return to_bytes(crypto::sha256(content).view().first(kRecordSize - kRecordContentSize));
}

bool is_record(ByteView place) {
  RecordLog::Content content{};
  std::copy_n(place.begin(), content.size(), content.begin());
  return std::ranges::equal(check_of(content), place.subspan(content.size()));
}

/// A file's records as they stand there, and as they are seen.
struct Written {
  Contents contents;
  Bytes bytes;
};

Written written_by(sp::testing::FuzzInput& input) {
  Written written;
  for (std::size_t left = input.below(kRecordsMax + 2); left > 0; --left) {
    RecordLog::Content content{};
    content.fill(input.byte());
    content[kRecordOwnByte] = 0;
    written.contents.push_back(content);
    content[kRecordOwnByte] = static_cast<std::uint8_t>(input.below(written.contents.size()));
    append(written.bytes, content);
    append(written.bytes, check_of(content));
  }
  // A place that is zero from some byte on, as if its write had come in part or not at all.
  if (!written.bytes.empty() && input.flag()) {
    const std::size_t place = input.below(written.contents.size());
    const std::size_t begin = place * kRecordSize + input.below(kRecordSize);
    std::fill(written.bytes.begin() + static_cast<std::ptrdiff_t>(begin),
              written.bytes.begin() + static_cast<std::ptrdiff_t>((place + 1) * kRecordSize), 0);
  }
  return written;
}

Result<std::unique_ptr<RecordLog>> open(const Path& file, Contents& seen) {
  seen.clear();
  static PosixFiles files;
  return RecordLog::open(files, file, kRecordsMax,
                         [&](const RecordLog::Content& content) { seen.push_back(content); });
}

void check(const Path& file, const Bytes& bytes, const Contents* whole) {
  Contents seen;
  const auto log = open(file, seen);
  const std::size_t places = bytes.size() / kRecordSize;
  const auto place = [&](std::size_t i) {
    return ByteView(bytes).subspan(i * kRecordSize, kRecordSize);
  };
  if (whole != nullptr && places <= kRecordsMax) SP_CHECK(log.ok() && seen == *whole);
  if (!log) {
    if (places > kRecordsMax) {
      SP_CHECK(log.error().code == Errc::too_large);
    } else {
      bool bad = false;
      for (std::size_t i = 0; i < places; ++i) bad = bad || !is_record(place(i));
      SP_CHECK(log.error().code == Errc::mismatch && bad);
    }
    SP_CHECK(*PosixFiles().read(file, bytes.size()) == bytes);
    return;
  }
  SP_CHECK(places <= kRecordsMax && (*log)->records() == seen.size() && seen.size() <= places);
  for (std::size_t i = 0; i < seen.size(); ++i) SP_CHECK(is_record(place(i)));
  if (seen.size() < places) SP_CHECK(place(seen.size()).back() == 0);
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
  const Written written = written_by(input);
  const sp::Bytes bytes = input.spoiled(written.bytes);
  bool whole = bytes.size() == written.contents.size() * kRecordSize;
  for (std::size_t at = 0; whole && at < bytes.size(); at += kRecordSize)
    whole = is_record(sp::ByteView(bytes).subspan(at, kRecordSize));
  const sp::Path file = folder.path() / "records";
  std::ofstream(file, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  check(file, bytes, whole && bytes == written.bytes ? &written.contents : nullptr);
  return 0;
}
