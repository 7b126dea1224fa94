#include "store/remote/promise_book.hpp"

#include <algorithm>

#include "base/codec.hpp"
#include "base/crash_point.hpp"
#include "base/log.hpp"

namespace sp::store {
namespace {

constexpr std::size_t kVoidPart = 8;           // of a full file: so much of it has to be over
constexpr std::int64_t kLookAgainSeconds = 1;  // in a full file, for what is over: it is long

// account, package, time.
RecordLog::Content record_of(const Address& account, const PackageId& package, std::int64_t until) {
  Writer writer;
  writer.raw(account.view()).raw(package.view()).u64(static_cast<std::uint64_t>(until));
  const Bytes bytes = std::move(writer).take();
  RecordLog::Content content{};
  SP_CHECK(bytes.size() == content.size());
  std::copy(bytes.begin(), bytes.end(), content.begin());
  return content;
}

/// Whether there is no such package. A bucket that refuses, or a proxy's words, say nothing of it.
bool is_none(BlobStore& blobs, const PackageId& package, Errc why) {
  if (why == Errc::not_found || why == Errc::mismatch) return true;
  const auto bytes = blobs.get(package, kManifestSizeMax);
  return bytes && !Manifest::decode(*bytes);
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

Result<std::unique_ptr<PromiseBook>> PromiseBook::open(Files& files, Path file, std::int64_t now,
                                                       std::size_t records_max) {
  std::unique_ptr<PromiseBook> book(new PromiseBook(files, records_max));
  SP_ASSIGN(book->log_, RecordLog::open(files, std::move(file), records_max,
                                        [&](const auto& one) { book->read(one, now); }));
  for (const auto& [account, kept] : book->kept_) {
    for (const auto& [package, until] : kept.until) {
      book->unread_[package].emplace_back(account, until);
    }
  }
  if (book->log_->needs_rewrite() || book->log_->records() > book->kept_count_) {
    SP_TRY(book->write_anew());
  }
  return book;
}

/// A record of before accounts stood in it is package, time, and zeros: a time of zero in the place
/// where others have theirs.
void PromiseBook::read(const RecordLog::Content& record, std::int64_t now) {
  Reader reader(record);
  auto account = reader.fixed<Address>();
  auto package = reader.fixed<PackageId>();
  auto until = static_cast<std::int64_t>(reader.u64());
  if (until == 0) {
    Reader older(record);
    account = {};
    package = older.fixed<PackageId>();
    until = static_cast<std::int64_t>(older.u64());
  }
  if (until <= now) return;
  std::int64_t& known = kept_[account].until[package];
  if (known == 0) ++kept_count_;
  known = std::max(known, until);
}

Status PromiseBook::recall(BlobStore& blobs, const std::function<bool()>& stop) {
  for (;;) {
    PackageId package;
    {
      const std::lock_guard lock(mutex_);
      if (unread_.empty()) return {};
      package = unread_.begin()->first;
    }
    if (stop()) return Error{Errc::cancelled, "reading promises was stopped"};
    SP_TRY(recall_one(blobs, package));
  }
}

Status PromiseBook::recall_one(BlobStore& blobs, const PackageId& package) {
  const auto whole = Package::fetch(blobs, package);
  if (whole) {
    // It can't change: what is promised meanwhile isn't of before the start.
    for (const auto& [account, until] : unread_.at(package)) hold(*whole, account, until);
  } else {
    if (!is_none(blobs, package, whole.error().code)) return whole.error();
    log(LogLevel::error, "store_promise_broken",
        {{"package", package.hex()}, {"message", whole.error().message}});
  }
  const std::lock_guard lock(mutex_);
  unread_.erase(package);
  return {};
}

Status PromiseBook::write_anew() {
  std::vector<RecordLog::Content> records;
  records.reserve(kept_count_);
  for (const auto& [account, kept] : kept_) {
    for (const auto& [package, until] : kept.until)
      records.push_back(record_of(account, package, until));
  }
  return log_->rewrite(files_, records);
}

void PromiseBook::forget_over(Kept& kept, std::int64_t now) {
  kept_count_ -= std::erase_if(kept.until, [&](const auto& one) { return one.second <= now; });
}

/// For one more record. Writes anew only without many, since that takes seconds.
Status PromiseBook::make_room(std::int64_t now) {
  const std::size_t records = log_->records();
  if (records < records_max_) return {};
  if (now >= looked_at_ + kLookAgainSeconds) {
    looked_at_ = now;
    for (auto& [account, kept] : kept_) forget_over(kept, now);
  }
  if (records - kept_count_ > records_max_ / kVoidPart) return write_anew();
  return Error{Errc::refused, "this store's record of promises is full"};
}

/// For one more package of an account.
Status PromiseBook::make_share(Kept& own, std::int64_t now) {
  const std::size_t share = records_max_ / kPromisesAccountPart;
  if (own.until.size() < share) return {};
  if (now >= own.looked_at + kLookAgainSeconds) {
    own.looked_at = now;
    forget_over(own, now);
  }
  if (own.until.size() < share) return {};
  return Error{Errc::refused, "this store keeps at most " + std::to_string(share) +
                                  " promises to an account, and all aren't over"};
}

void PromiseBook::hold_until(const BlobId& id, const Address& account, std::int64_t until) {
  std::int64_t& held = until_[{id, account}];
  held = std::max(held, until);
}

void PromiseBook::hold(const Package& package, const Address& account, std::int64_t until) {
  const std::vector<BlobId>& chunks = package.manifest().chunks;
  std::unique_lock lock(mutex_);
  // What is being deleted now isn't there, or not the account's, when that is looked at after this.
  ++waiting_;
  ended_one_.wait(lock, [&] {
    return std::ranges::none_of(ending_, [&](const BlobId& id) {
      return id == package.id() || std::ranges::find(chunks, id) != chunks.end();
    });
  });
  --waiting_;
  const auto own = kept_.find(account);
  const std::int64_t time = own == kept_.end() ? until : time_of(own->second, package.id(), until);
  hold_until(package.id(), account, time);
  for (const BlobId& chunk : chunks) hold_until(chunk, account, time);
}

std::size_t PromiseBook::waiting() {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

/// Of a promise that is asked for: a longer one is for whole days, so that one package fills no log
/// second by second.
std::int64_t PromiseBook::time_of(const Kept& own, const PackageId& package, std::int64_t until) {
  const auto known = own.until.find(package);
  return known != own.until.end() && known->second < until ? end_of_day(until) : until;
}

Status PromiseBook::keep(const PackageId& package, const Address& account, std::int64_t until,
                         std::int64_t now) {
  const CrashEffect effect(CrashSite::store_promise);
  {
    const std::lock_guard lock(mutex_);
    Kept& own = kept_[account];
    const auto known = own.until.find(package);
    const bool is_new = known == own.until.end();
    if (is_new || known->second < until) {
      const std::int64_t time = time_of(own, package, until);
      if (is_new) SP_TRY(make_share(own, now));
      SP_TRY(make_room(now));
      SP_TRY(log_->append(record_of(account, package, time)));
      if (own.until.insert_or_assign(package, time).second) ++kept_count_;
    }
  }
  return log_->sync();  // also of what another request has appended and nobody has synced yet
}

/// Errc::refused where it is promised to the account itself. Forgets what is over.
Result<PromiseBook::Others> PromiseBook::look(const BlobId& id, const Address& account,
                                              std::int64_t now) {
  const auto own = until_.find({id, account});
  if (own != until_.end() && own->second > now) {
    return Error{Errc::refused, "the store has promised by a receipt to keep blob " + id.hex() +
                                    " until " + std::to_string(own->second)};
  }
  auto one = until_.lower_bound({id, Address{}});
  while (one != until_.end() && one->first.first == id) {
    if (one->second > now) return Others::promised;
    one = until_.erase(one);
  }
  return Others::none;
}

std::int64_t PromiseBook::held_until(const BlobId& id) {
  std::int64_t last = 0;
  const std::lock_guard lock(mutex_);
  for (auto one = until_.lower_bound({id, Address{}});
       one != until_.end() && one->first.first == id; ++one) {
    last = std::max(last, one->second);
  }
  return last;
}

Status PromiseBook::unless_promised(const BlobId& id, const Address& account, std::int64_t now,
                                    const End& end) {
  Others others{};
  {
    const std::lock_guard lock(mutex_);
    if (!unread_.empty()) {
      return Error{Errc::unavailable, "the store still reads what it has promised, " +
                                          std::to_string(unread_.size()) + " packages"};
    }
    SP_ASSIGN(others, look(id, account, now));
    ending_.push_back(id);
  }
  const Status ended = end(others);  // perhaps over the network: no other promise waits for it
  {
    const std::lock_guard lock(mutex_);
    ending_.erase(std::ranges::find(ending_, id));
  }
  ended_one_.notify_all();
  return ended;
}

}  // namespace sp::store
