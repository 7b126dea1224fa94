#include "store/remote/promise_book.hpp"

#include <algorithm>

#include "base/codec.hpp"
#include "base/crash_point.hpp"
#include "base/log.hpp"

namespace sp::store {
namespace {

constexpr std::size_t kVoidPart = 8;           // of a full file: so much of it has to be over
constexpr std::int64_t kLookAgainSeconds = 1;  // in a full file, for what is over: it is long

// package, time, and zeros.
RecordLog::Content record_of(const PackageId& package, std::int64_t until) {
  Writer writer;
  writer.raw(package.view()).u64(static_cast<std::uint64_t>(until));
  const Bytes bytes = std::move(writer).take();
  RecordLog::Content content{};
  std::copy(bytes.begin(), bytes.end(), content.begin());
  return content;
}

std::int64_t end_of_day(std::int64_t time) {
  constexpr std::int64_t kDay = 24 * 3600;
  const std::int64_t day = time / kDay;
  return day < INT64_MAX / kDay ? (day + 1) * kDay : time;
}

}  // namespace

std::size_t PromiseBook::BlobHash::operator()(const BlobId& id) const {
  std::size_t value = 0;
  std::copy_n(id.data.begin(), sizeof(value), reinterpret_cast<std::uint8_t*>(&value));
  return value;
}

Result<std::unique_ptr<PromiseBook>> PromiseBook::open(Files& files, Path file, BlobStore& blobs,
                                                       std::int64_t now, std::size_t records_max) {
  std::unique_ptr<PromiseBook> book(new PromiseBook(files, records_max));
  auto& promised = book->kept_;
  SP_ASSIGN(book->log_, RecordLog::open(files, std::move(file), records_max, [&](const auto& one) {
              Reader reader(one);
              const auto package = reader.fixed<PackageId>();
              const auto until = static_cast<std::int64_t>(reader.u64());
              if (until > now) promised[package] = std::max(promised[package], until);
            }));
  for (const auto& [package, until] : promised) {
    const auto whole = Package::fetch(blobs, package);
    if (whole) {
      book->hold(*whole, until);
      continue;
    }
    if (whole.error().code == Errc::io || whole.error().code == Errc::unavailable)
      return whole.error();
    log(LogLevel::error, "store_promise_broken",
        {{"package", package.hex()}, {"message", whole.error().message}});
  }
  if (book->log_->needs_rewrite() || book->log_->records() > promised.size()) {
    SP_TRY(book->write_anew());
  }
  return book;
}

Status PromiseBook::write_anew() {
  std::vector<RecordLog::Content> records;
  records.reserve(kept_.size());
  for (const auto& [package, until] : kept_) records.push_back(record_of(package, until));
  return log_->rewrite(files_, records);
}

/// For one more record. Writes anew only without many, since that takes seconds.
Status PromiseBook::make_room(std::int64_t now) {
  const std::size_t records = log_->records();
  if (records < records_max_) return {};
  if (now >= looked_at_ + kLookAgainSeconds) {
    looked_at_ = now;
    std::erase_if(kept_, [&](const auto& one) { return one.second <= now; });
  }
  if (records - kept_.size() > records_max_ / kVoidPart) return write_anew();
  return Error{Errc::refused, "this store's record of promises is full"};
}

void PromiseBook::hold_until(const BlobId& id, std::int64_t until) {
  std::int64_t& held = until_[id];
  held = std::max(held, until);
}

void PromiseBook::hold(const Package& package, std::int64_t until) {
  const std::vector<BlobId>& chunks = package.manifest().chunks;
  std::unique_lock lock(mutex_);
  // What is being removed now isn't there when the blobs are looked at after this.
  removed_one_.wait(lock, [&] {
    return std::ranges::none_of(removing_, [&](const BlobId& id) {
      return id == package.id() || std::ranges::find(chunks, id) != chunks.end();
    });
  });
  hold_until(package.id(), until);
  for (const BlobId& chunk : chunks) hold_until(chunk, until);
}

Status PromiseBook::keep(const PackageId& package, std::int64_t until, std::int64_t now) {
  const CrashEffect effect(CrashSite::store_promise);
  {
    const std::lock_guard lock(mutex_);
    const auto known = kept_.find(package);
    const bool longer = known != kept_.end() && known->second < until;
    if (known == kept_.end() || longer) {
      // A longer promise is for whole days, so that one package fills no log second by second.
      const std::int64_t kept = longer ? end_of_day(until) : until;
      SP_TRY(make_room(now));
      SP_TRY(log_->append(record_of(package, kept)));
      kept_[package] = kept;
    }
  }
  return log_->sync();  // also of what another request has appended and nobody has synced yet
}

Status PromiseBook::unless_promised(const BlobId& id, std::int64_t now,
                                    const std::function<Status()>& remove) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = until_.find(id);
    if (found != until_.end()) {
      if (found->second > now) {
        return Error{Errc::refused, "the store has promised by a receipt to keep blob " + id.hex() +
                                        " until " + std::to_string(found->second)};
      }
      until_.erase(found);
    }
    removing_.push_back(id);
  }
  const Status removed = remove();  // perhaps over the network: nobody else's promise waits for it
  {
    const std::lock_guard lock(mutex_);
    removing_.erase(std::ranges::find(removing_, id));
  }
  removed_one_.notify_all();
  return removed;
}

}  // namespace sp::store
