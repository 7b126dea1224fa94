#include "store/remote/record_log.hpp"

#include <algorithm>

#include "base/durable.hpp"
#include "base/log.hpp"
#include "crypto/hash.hpp"

namespace sp::store {
namespace {

constexpr std::size_t kReadSize = kRecordSize << 14;

constexpr std::size_t kCheckSize = kRecordSize - kRecordContentSize;

Bytes record_of(const RecordLog::Content& content) {
  Bytes record(content.begin(), content.end());
  append(record, crypto::sha256(content).view().first(kCheckSize));
  return record;
}

}  // namespace

Result<std::unique_ptr<RecordLog>> RecordLog::open(Files& files, Path file, std::size_t records_max,
                                                   const Visit& visit) {
  std::unique_ptr<RecordLog> log(new RecordLog(std::move(file), records_max));
  SP_TRY(log->read(files, visit));
  if (!log->needs_rewrite_) SP_TRY(log->begin_appending(files));
  return log;
}

Status RecordLog::read(const Files& files, const Visit& visit) {
  const auto size = files.size(file_);
  if (!size && size.error().code != Errc::not_found) return size.error();
  const std::uint64_t whole = size ? *size : 0;
  if (whole / kRecordSize > records_max_) {
    return Error{Errc::too_large,
                 file_.string() + " has over " + std::to_string(records_max_) + " records"};
  }
  const std::uint64_t places = whole / kRecordSize;
  for (std::uint64_t place = 0; place < places;) {
    const std::uint64_t left = (places - place) * kRecordSize;
    SP_ASSIGN(const Bytes piece, files.read_range(file_, place * kRecordSize,
                                                  std::min<std::uint64_t>(left, kReadSize)));
    for (std::size_t at = 0; at < piece.size(); at += kRecordSize, ++place)
      SP_TRY(take(ByteView(piece).subspan(at, kRecordSize), place, visit));
  }
  size_ = lost_.value_or(places) * kRecordSize;
  if (size_ != whole) {
    log(LogLevel::warning, "store_records_cut",
        {{"file", file_.filename().string()},
         {"read", std::to_string(size_)},
         {"bytes", std::to_string(whole)}});
  }
  needs_rewrite_ = !size || size_ != whole;
  return {};
}

/// Looks at what stands at a place; hands on records before the first that is lost.
Status RecordLog::take(ByteView record, std::uint64_t place, const Visit& visit) {
  Content content{};
  std::copy_n(record.begin(), kRecordContentSize, content.begin());
  if (std::ranges::equal(record_of(content), record)) {
    const std::uint64_t unsynced = std::exchange(content[kRecordOwnByte], 0);
    // Who appended it knew that what was before those is on the disk, and had been answered for.
    if (lost_ && *lost_ + unsynced < place) return damaged(*lost_);
    if (!lost_) visit(content);
    return {};
  }
  const bool unfinished =
      std::ranges::all_of(record.last(kCheckSize), [](std::uint8_t byte) { return byte == 0; });
  if (!unfinished) return damaged(place);
  if (!lost_) lost_ = place;
  return {};
}

Error RecordLog::damaged(std::uint64_t place) const {
  const std::uint64_t at = place * kRecordSize;
  return {Errc::mismatch,
          file_.string() + " is damaged: bytes " + std::to_string(at) + " to " +
              std::to_string(at + kRecordSize - 1) +
              " hold no record, and no crash leaves that. Nothing was changed. Restore the "
              "store's folder from a backup, or take these bytes out of the file and lose this "
              "one record (docs/OPERATIONS.md, \"A damaged log of the store\")"};
}

std::size_t RecordLog::records() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(size_ / kRecordSize);
}

Status RecordLog::rewrite(Files& files, const std::vector<Content>& records) {
  Bytes bytes;
  bytes.reserve(records.size() * kRecordSize);
  for (const Content& content : records) sp::append(bytes, record_of(content));
  std::unique_lock lock(mutex_);
  while (syncing_) synced_one_.wait(lock);
  if (broken_) return broken();
  Status done = keep(files, CrashSite::store_owners, file_, bytes, FileMode::owner_only);
  if (!done && is_still_there()) return done;
  size_ = bytes.size();
  synced_ = appended_;
  if (done) done = begin_appending(files);
  broken_ = !done;
  needs_rewrite_ = false;
  return done;
}

/// Whether the file is the one that is appended to, or there is none yet.
bool RecordLog::is_still_there() const { return log_ == nullptr || log_->is_still_there(); }

Status RecordLog::begin_appending(Files& files) {
  SP_ASSIGN(log_, files.append_to(file_));
  // What a killed process had appended may not be on the disk yet; records to come say that it is.
  return log_->sync();
}

Status RecordLog::append(const Content& content) {
  std::unique_lock lock(mutex_);
  SP_CHECK(log_ != nullptr && content[kRecordOwnByte] == 0);
  while (appended_ - synced_ >= kUnsyncedRecordsMax) SP_TRY(sync_all_before(appended_, lock));
  if (broken_) return broken();
  if (size_ / kRecordSize >= records_max_) {
    return Error{Errc::refused,
                 "this store has its " + std::to_string(records_max_) + " records already"};
  }
  Content numbered = content;
  numbered[kRecordOwnByte] = static_cast<std::uint8_t>(appended_ - synced_);
  const Bytes record = record_of(numbered);
  const Status written = log_->append(record);
  if (written) {
    size_ += record.size();
    ++appended_;
  } else if (const Status cut = log_->cut(size_); !cut) {
    broken_ = true;
    log(LogLevel::error, "store_io", {{"message", cut.error().message}});
  }
  return written;
}

Status RecordLog::sync() {
  std::unique_lock lock(mutex_);
  return sync_all_before(appended_, lock);
}

Status RecordLog::sync_all_before(std::uint64_t wanted, std::unique_lock<Mutex>& lock) {
  while (!broken_ && synced_ < wanted) {
    if (syncing_) {
      synced_one_.wait(lock);
      continue;
    }
    syncing_ = true;
    const std::uint64_t covered = appended_;
    lock.unlock();
    const CrashEffect effect(CrashSite::store_records);
    const Status kept = log_->sync();
    lock.lock();
    syncing_ = false;
    broken_ = broken_ || !kept.ok();
    if (kept) synced_ = covered;
    synced_one_.notify_all();
    if (!kept) return kept;
  }
  return broken_ ? Status(broken()) : Status{};
}

Error RecordLog::broken() const {
  return {Errc::io, file_.string() + " couldn't be kept before: start the store again"};
}

}  // namespace sp::store
