// A file of small records that are only ever appended, and are on the disk when sync() says so.
//
// A record has kRecordSize bytes: its content and the first 4 bytes of the SHA-256 of that. Reading
// ends at the first that is none: a write that was cut off. Those who wait for the disk at the same
// time share one fdatasync. After an fdatasync that failed nothing more counts as kept: what the
// disk has is unknown until the next opening.
//
// Safe to call from any thread.
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "base/files.hpp"
#include "base/sync.hpp"

namespace sp::store {

inline constexpr std::size_t kRecordSize = 64;
inline constexpr std::size_t kRecordContentSize = 60;

class RecordLog {
 public:
  using Content = std::array<std::uint8_t, kRecordContentSize>;
  using Visit = std::function<void(const Content&)>;

  /// Reads a file of at most `records_max` records, which need not exist. Errc::io,
  /// Errc::too_large.
  static Result<std::unique_ptr<RecordLog>> open(const Files& files, Path file,
                                                 std::size_t records_max, const Visit& visit);
  /// Whether there is no file, or one whose end is no record: rewrite() has to come first.
  [[nodiscard]] bool needs_rewrite() const { return needs_rewrite_; }
  [[nodiscard]] std::size_t records() const;
  /// Puts these in the place of all, at the crash site store_owners. Before the first append.
  Status rewrite(Files& files, const std::vector<Content>& records);
  /// Errc::refused where there are `records_max` already, Errc::io. What was written in part is
  /// taken back, so that what follows stays readable.
  Status append(const Content& content);
  /// Returns when all that was appended before is on the disk. Errc::io.
  Status sync();

 private:
  RecordLog(Path file, std::size_t records_max)
      : file_(std::move(file)), records_max_(records_max) {}
  Status read(const Files& files, const Visit& visit);
  Status begin_appending();

  const Path file_;
  const std::size_t records_max_;
  bool needs_rewrite_ = false;
  mutable Mutex mutex_;  // guards all below
  Condition synced_one_;
  Fd log_;
  std::uint64_t size_ = 0;
  std::uint64_t appended_ = 0;  // records since the opening
  std::uint64_t synced_ = 0;    // of these, on the disk
  bool syncing_ = false;
  bool broken_ = false;
};

}  // namespace sp::store
