#include "store/remote/promise_book.hpp"

#include <algorithm>

#include "base/codec.hpp"
#include "base/crash_point.hpp"

namespace sp::store {
namespace {

constexpr std::size_t kVoidPart = 8;           // of a full file: so much of it has to be over
constexpr std::int64_t kLookAgainSeconds = 1;  // in a full file, for what is over: it is long
constexpr std::chrono::seconds kBusyPause{1};  // of recall, where the store doesn't answer

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
    for (const auto& [package, until] : kept.until) book->unread_[{account, package}] = until;
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

/// The next to be read; takes out what is over.
std::optional<std::pair<PromiseBook::Owed, std::int64_t>> PromiseBook::next_unread(
    const std::optional<Owed>& after, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  auto one = after ? unread_.upper_bound(*after) : unread_.begin();
  while (one != unread_.end() && one->second <= now) one = unread_.erase(one);
  if (one == unread_.end()) return std::nullopt;
  return *one;
}

Status PromiseBook::recall(BlobStore& blobs, std::int64_t now, const Stop& stop) {
  std::optional<Owed> last;
  std::optional<Error> first;
  std::size_t failures = 0;
  std::chrono::nanoseconds pause{};
  while (const auto next = next_unread(last, now)) {
    if (stop(pause)) return Error{Errc::cancelled, "reading promises was stopped"};
    last = next->first;
    const Status read = recall_one(blobs, next->first, next->second);
    const bool busy =
        !read && (read.error().code == Errc::unavailable || read.error().code == Errc::timed_out);
    pause = busy ? kBusyPause : std::chrono::nanoseconds{};
    if (read) continue;
    ++failures;
    if (!first) first = read.error();
  }
  const std::lock_guard lock(mutex_);
  been_through_ = true;
  if (!first) return {};
  return Error{first->code,
               std::to_string(failures) +
                   " promises can't be read, and hold up deletions; the first: " + first->message};
}

/// Once: the next time recall() comes by is early enough.
Status PromiseBook::recall_one(BlobStore& blobs, const Owed& owed, std::int64_t until) {
  SP_ASSIGN(const Package whole, Package::fetch(blobs, owed.second));
  hold(whole, owed.first, until);
  const std::lock_guard lock(mutex_);
  unread_.erase(owed);
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

/// For one more record, of `own`. Writes anew only without many, since that takes seconds.
Status PromiseBook::make_room(const Kept& own, std::int64_t now) {
  const std::size_t records = log_->records();
  if (records < records_max_) return {};
  if (now >= looked_at_ + kLookAgainSeconds) {
    looked_at_ = now;
    for (auto& [account, kept] : kept_) forget_over(kept, now);
    std::erase_if(kept_,
                  [&](const auto& one) { return one.second.until.empty() && &one.second != &own; });
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

std::size_t PromiseBook::accounts() {
  const std::lock_guard lock(mutex_);
  return kept_.size();
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
    const Status noted = note(own, {account, package}, until, now);
    if (own.until.empty()) kept_.erase(account);  // or keys that are refused would fill the memory
    SP_TRY(noted);
  }
  return log_->sync();  // also of what another request has appended and nobody has synced yet
}

/// In the log, and in what it is known to say.
Status PromiseBook::note(Kept& own, const Owed& owed, std::int64_t until, std::int64_t now) {
  const auto& [account, package] = owed;
  const auto known = own.until.find(package);
  const bool is_new = known == own.until.end();
  if (!is_new && known->second >= until) return {};
  const std::int64_t time = time_of(own, package, until);
  if (is_new) SP_TRY(make_share(own, now));
  SP_TRY(make_room(own, now));
  SP_TRY(log_->append(record_of(account, package, time)));
  if (own.until.insert_or_assign(package, time).second) ++kept_count_;
  return {};
}

/// Errc::unavailable where what the account is promised may be of any blob. Forgets what is over.
Status PromiseBook::check_read(const Address& account, std::int64_t now) {
  if (!been_through_ && !unread_.empty()) {
    return Error{Errc::unavailable, "the store still reads what it has promised, " +
                                        std::to_string(unread_.size()) + " promises"};
  }
  auto one = unread_.lower_bound({account, PackageId{}});
  while (one != unread_.end() && one->first.first == account) {
    if (one->second > now) {
      return Error{Errc::unavailable,
                   "the store can't read package " + one->first.second.hex() +
                       ", which it has promised to this account until " +
                       std::to_string(one->second) +
                       ", and so can't tell which blobs that holds: put its manifest again, or ask "
                       "the store's operator"};
    }
    one = unread_.erase(one);
  }
  return {};
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
    SP_ASSIGN(others, look(id, account, now));
    SP_TRY(check_read(account, now));
    if (!unread_.empty()) others = Others::promised;  // perhaps
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
