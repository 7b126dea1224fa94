#include "store/upload_journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/codec.hpp"
#include "base/crash_point.hpp"
#include "crypto/hash.hpp"

namespace sp::store {
namespace {

constexpr std::string_view kMagic = "SPUJ";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kHeadSize = 4 + 2 + 32 + 32;
constexpr std::size_t kRecordSize = 4 + 32;

Digest32 digest_of(bool last, ByteView plain) {
  crypto::Hasher hasher(crypto::Hasher::Kind::sha256);
  const std::uint8_t flag = last ? 1 : 0;
  hasher.update({&flag, 1});
  hasher.update(plain);
  return *Digest32::from(hasher.finish());
}

Status write_at(int descriptor, std::uint64_t offset, ByteView bytes, const Path& file) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return errno_error("write", file);
    offset += static_cast<std::size_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// As many bytes as there are.
Result<std::size_t> read_at(int descriptor, std::uint64_t offset, MutableByteView out,
                            const Path& file) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(descriptor, out.data() + done, out.size() - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("read", file);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<Fd> open_locked(const Path& file) {
  for (;;) {
    Fd descriptor(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!descriptor.valid()) return errno_error("open", file);
    if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return errno_error("lock", file);
      return Error{Errc::conflict, "the same is being uploaded by another process"};
    }
    struct stat info {};
    if (::fstat(descriptor.get(), &info) != 0) return errno_error("stat", file);
    // Its holder before may have forgotten it between opening and locking.
    if (info.st_nlink != 0) return descriptor;
  }
}

}  // namespace

UploadJournal::~UploadJournal() = default;

Result<std::unique_ptr<UploadJournal>> UploadJournal::open(const Path& file, Random& random) {
  SP_ASSIGN(Fd descriptor, open_locked(file));
  std::unique_ptr<UploadJournal> journal(new UploadJournal(file, std::move(descriptor)));
  SP_ASSIGN(const bool whole, journal->read());
  if (!whole) SP_TRY(journal->begin(random));
  return journal;
}

// False where it isn't a journal, or not a whole one: what its records vouched for can't be told.
Result<bool> UploadJournal::read() {
  Bytes head(kHeadSize);
  SP_ASSIGN(const std::size_t got, read_at(fd_.get(), 0, head, file_));
  Reader reader(head);
  const bool ours =
      got == kHeadSize && as_text(reader.raw(kMagic.size())) == kMagic && reader.u16() == kVersion;
  if (ours) {
    SP_ASSIGN(key_, Secret32::from(reader.raw(Secret32::kSize)));
    const ByteView salt = reader.raw(salt_.size());
    std::copy(salt.begin(), salt.end(), salt_.begin());
  }
  wipe(head);
  if (!ours) return false;
  end_ = kHeadSize;
  Bytes record(kRecordSize);
  for (;;) {
    SP_ASSIGN(const std::size_t size, read_at(fd_.get(), end_, record, file_));
    Reader fields(record);
    if (size < kRecordSize) return true;
    const std::uint32_t number = fields.u32();
    if (number >= kChunksMax || (number < known_.size() && known_[number])) return false;
    if (number >= chunks_.size()) {
      chunks_.resize(number + 1);
      known_.resize(number + 1);
    }
    chunks_[number] = fields.fixed<Digest32>();
    known_[number] = true;
    ++resumed_;
    end_ += kRecordSize;
  }
}

Status UploadJournal::begin(Random& random) {
  if (::ftruncate(fd_.get(), 0) != 0) return errno_error("truncate", file_);
  chunks_.clear();
  known_.clear();
  resumed_ = 0;
  random.fill(key_.writable());
  random.fill(salt_);
  Writer writer;
  writer.raw(as_bytes(kMagic)).u16(kVersion).raw(key_.reveal()).raw(salt_);
  Bytes head = std::move(writer).take();
  const CrashEffect effect(CrashSite::upload_begun);
  const Status written = write_at(fd_.get(), 0, head, file_);
  wipe(head);
  SP_TRY(written);
  if (::fsync(fd_.get()) != 0) return errno_error("sync", file_);
  end_ = kHeadSize;
  return {};
}

Status UploadJournal::record(std::uint32_t number, bool last, ByteView plain) {
  SP_CHECK(number < kChunksMax);
  const Digest32 digest = digest_of(last, plain);
  const std::lock_guard lock(mutex_);
  if (number < known_.size() && known_[number]) {
    if (chunks_[number] == digest) return {};
    return Error{Errc::conflict, "the content has changed since its upload began"};
  }
  Writer writer;
  writer.u32(number).raw(digest.view());
  const CrashEffect effect(CrashSite::upload_sealed);
  SP_TRY(write_at(fd_.get(), end_, writer.bytes(), file_));
  if (::fdatasync(fd_.get()) != 0) return errno_error("sync", file_);
  end_ += kRecordSize;
  if (number >= known_.size()) {
    chunks_.resize(number + 1);
    known_.resize(number + 1);
  }
  chunks_[number] = digest;
  known_[number] = true;
  return {};
}

void UploadJournal::use(SealOptions& options) {
  options.salt = salt_;
  options.before_seal = [this](std::uint32_t number, bool last, ByteView plain) {
    return record(number, last, plain);
  };
}

void UploadJournal::forget() {
  const std::lock_guard lock(mutex_);
  const CrashEffect effect(CrashSite::upload_done);
  // One that stays would only be gone on with.
  if (::unlink(file_.c_str()) != 0) return;
}

}  // namespace sp::store
