// A file of small records that are only ever appended, and are on the disk when sync() says so.
//
// A record has kRecordSize bytes: its content, of which one byte is the log's own, and the first 4
// bytes of the SHA-256 of that. The log's byte says how many records right before it weren't known
// to be on the disk when it was appended: at most kUnsyncedRecordsMax.
//
// What a crash leaves is taken, what is damaged is refused. A killed process leaves at most a part
// of a record at the end. A power failure loses records that no sync() had covered, in any order:
// the place of one that is lost ends in zeros, since its check is written last, and what stands
// behind it doesn't claim that it was on the disk. Reading ends before the first such place. Any
// other place that holds no record is damage, and behind it might be what somebody relies on.
//
// Those who wait for the disk at the same time share one fdatasync. After a write that couldn't be
// taken back, or an fdatasync that failed, nothing more is appended: what the disk has is unknown
// until the next opening.
//
// Safe to call from any thread.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>

#include "base/files.hpp"
#include "base/sync.hpp"

namespace sp::store {

inline constexpr std::size_t kRecordSize = 64;
inline constexpr std::size_t kRecordContentSize = 60;
inline constexpr std::size_t kRecordOwnByte = 53;          ///< of the content: the log's, else zero
inline constexpr std::uint64_t kUnsyncedRecordsMax = 255;  ///< more wait for the disk in append()

class RecordLog {
 public:
  using Content = std::array<std::uint8_t, kRecordContentSize>;
  using Visit = std::function<void(const Content&)>;

  /// Reads a file of at most `records_max` records, which need not exist. Errc::io,
  /// Errc::too_large; Errc::mismatch where it is damaged, with the place and what to do.
  static Result<std::unique_ptr<RecordLog>> open(Files& files, Path file, std::size_t records_max,
                                                 const Visit& visit);
  /// Whether there is no file, or one whose end a crash cut off: rewrite() has to come first.
  [[nodiscard]] bool needs_rewrite() const { return needs_rewrite_; }
  [[nodiscard]] std::size_t records() const;
  /// Puts these in the place of all, at the crash site store_owners; who appends waits. Errc::io:
  /// all stays as it was, or nothing more is appended where that isn't known.
  Status rewrite(Files& files, const std::vector<Content>& records);
  /// Errc::refused where there are `records_max` already, Errc::io. What was written in part is
  /// taken back, so that what follows stays readable. CHECK: the log's own byte is zero.
  Status append(const Content& content);
  /// Returns when all that was appended before is on the disk. Errc::io.
  Status sync();

 private:
  RecordLog(Path file, std::size_t records_max)
      : file_(std::move(file)), records_max_(records_max) {}
  Status read(const Files& files, const Visit& visit);
  Status take(ByteView record, std::uint64_t place, const Visit& visit);
  [[nodiscard]] Error damaged(std::uint64_t place) const;
  [[nodiscard]] Error broken() const;
  Status begin_appending(Files& files);
  [[nodiscard]] bool is_still_there() const;
  Status sync_all_before(std::uint64_t wanted, std::unique_lock<Mutex>& lock);

  const Path file_;
  const std::size_t records_max_;
  bool needs_rewrite_ = false;
  std::optional<std::uint64_t> lost_;  // place of the first record that isn't there, when read
  mutable Mutex mutex_;                // guards all below
  Condition synced_one_;
  std::unique_ptr<AppendFile> log_;
  std::uint64_t size_ = 0;
  std::uint64_t appended_ = 0;  // records since the opening
  std::uint64_t synced_ = 0;    // of these, on the disk
  bool syncing_ = false;
  bool broken_ = false;
};

}  // namespace sp::store
