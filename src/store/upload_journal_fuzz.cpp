// The journal of an upload, of any making: it opens, knows no more than stands in its file, and
// what it records then it knows when it is opened again. One nonce never seals two contents: a
// chunk that was recorded is refused as another one.
#include "store/upload_journal.hpp"

#include <filesystem>
#include <fstream>

#include "base/codec.hpp"
#include "base/testing/fuzz_input.hpp"
#include "crypto/hash.hpp"
#include "store/testing/test_support.hpp"

namespace sp::store {
namespace {

using sp::testing::FuzzInput;

/// The digest of a chunk that is the last one.
Digest32 digest_of(const Bytes& plain) { return crypto::sha256({Bytes{1}, plain}); }

struct Written {
  Secret32 key;
  std::vector<Bytes> chunks;  // by number
  Bytes bytes;
};

Written written_by(FuzzInput& input) {
  Written written;
  std::ranges::fill(written.key.writable(), input.byte());
  Writer writer;
  writer.raw(as_bytes("SPUJ")).u16(1).raw(written.key.reveal()).raw(input.fixed<Digest32>().view());
  for (std::size_t left = input.below(4); left > 0; --left) {
    written.chunks.push_back(to_bytes(input.bytes(9)));
    writer.u32(static_cast<std::uint32_t>(written.chunks.size() - 1));
    writer.raw(digest_of(written.chunks.back()).view());
  }
  written.bytes = std::move(writer).take();
  return written;
}

std::unique_ptr<UploadJournal> open(const Path& file, testing::CountingRandom& random) {
  return UploadJournal::open(file, random).value();
}

void check_whole(UploadJournal& journal, const Written& written) {
  SP_CHECK(std::ranges::equal(journal.content_key().reveal(), written.key.reveal()));
  SP_CHECK(journal.resumed() == written.chunks.size());
  for (std::uint32_t i = 0; i < written.chunks.size(); ++i) {
    SP_CHECK(journal.record(i, true, written.chunks[i]).ok());
    SP_CHECK(journal.record(i, false, written.chunks[i]).error().code == Errc::conflict);
  }
}

/// Whatever the file holds.
void check_any(const Path& file, std::uint32_t number) {
  testing::CountingRandom random;
  const std::size_t records_max = std::filesystem::file_size(file) / Digest32::kSize;
  auto journal = open(file, random);
  const std::size_t resumed = journal->resumed();
  SP_CHECK(resumed <= records_max);
  const Bytes chunk{7};
  const bool recorded = journal->record(number, true, chunk).ok();
  const Secret32 key = journal->content_key().clone();
  journal.reset();  // and its lock
  journal = open(file, random);
  SP_CHECK(std::ranges::equal(journal->content_key().reveal(), key.reveal()));
  SP_CHECK(journal->resumed() >= resumed && journal->resumed() <= resumed + 1);
  SP_CHECK(journal->record(number, true, chunk).ok() == recorded);
  if (recorded) SP_CHECK(journal->record(number, true, {}).error().code == Errc::conflict);
}

}  // namespace
}  // namespace sp::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::store;
  static const testing::TemporaryFolder folder(sp::testing::memory_path());
  sp::testing::FuzzInput input({data, size});
  const Written written = written_by(input);
  const sp::Path file = folder / "journal";
  const auto put = [&](const sp::Bytes& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << sp::as_text(bytes);
  };
  put(written.bytes);
  testing::CountingRandom random;
  check_whole(*open(file, random), written);
  const auto number = static_cast<std::uint32_t>(input.below(1000));
  put(input.spoiled(written.bytes));
  check_any(file, number);
  return 0;
}
