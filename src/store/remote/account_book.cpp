#include "store/remote/account_book.hpp"

#include <algorithm>

#include "base/codec.hpp"
#include "base/crash_point.hpp"
#include "base/log.hpp"
#include "store/remote/signed_request.hpp"

namespace sp::store {
namespace {

constexpr std::uint64_t kEndBit = std::uint64_t{1} << 63;  // in the size: the ownership ends
constexpr std::size_t kVoidRecordsMax = 4096;  // more are left out by writing the file anew
constexpr std::size_t kVoidPart = 8;           // of a full file: so much of it has to be void
constexpr std::string_view kMoreQuota = "; delete something, or ask the operator for more";

// account, blob, size.
RecordLog::Content record_of(const BlobId& id, const Address& account, std::uint64_t size) {
  Writer writer;
  writer.raw(account.view()).raw(id.view()).u64(size);
  const Bytes bytes = std::move(writer).take();
  RecordLog::Content content{};
  SP_CHECK(bytes.size() == content.size());
  std::copy(bytes.begin(), bytes.end(), content.begin());
  return content;
}

}  // namespace

AccountBook::Holds AccountBook::held_in(BlobStore& blobs) {
  return [&blobs](const BlobId& id, std::uint64_t size) {
    const auto held = blobs.size(id);
    return held ? *held == size : held.error().code != Errc::not_found;
  };
}

Result<std::unique_ptr<AccountBook>> AccountBook::open(Files& files, const Path& file,
                                                       StoreAccounts accounts, std::int64_t now,
                                                       const Holds& holds,
                                                       std::size_t records_max) {
  std::unique_ptr<AccountBook> book(new AccountBook(files, std::move(accounts), now, records_max));
  SP_TRY(book->recover(file, holds));
  return book;
}

Status AccountBook::recover(const Path& file, const Holds& holds) {
  const auto apply = [&](const RecordLog::Content& content) {
    Reader reader(content);
    const auto account = reader.fixed<Address>();
    const auto id = reader.fixed<BlobId>();
    const std::uint64_t size = reader.u64();
    if ((size & kEndBit) != 0) {
      owned_.erase({id, account});
    } else {
      owned_.try_emplace({id, account}, Owned{size, opened_at_ - 1});
    }
  };
  SP_ASSIGN(log_, RecordLog::open(files_, file, records_max_, apply));
  const std::size_t gone = std::erase_if(
      owned_, [&](const auto& one) { return !holds(one.first.first, one.second.size); });
  for (const auto& [key, owned] : owned_) {
    Usage& usage = usage_[key.second];
    usage.bytes += owned.size;
    ++usage.blobs;
  }
  // What is void now stays so, though somebody else may bring the blob.
  const bool much_void = log_->records() > owned_.size() + kVoidRecordsMax;
  if (!log_->needs_rewrite() && !much_void && gone == 0) return {};
  return write_anew();
}

Status AccountBook::write_anew() {
  std::vector<RecordLog::Content> records;
  records.reserve(owned_.size());
  for (const auto& [key, owned] : owned_)
    records.push_back(record_of(key.first, key.second, owned.size));
  return log_->rewrite(files_, records);
}

/// For one more ownership. Each may end: its record has a place already, or a deletion would lose
/// the blob and keep its charge. Writes anew only for many records, since that takes seconds.
Status AccountBook::make_room() {
  const std::size_t needed = owned_.size() + 2;
  if (log_->records() + needed <= records_max_) return {};
  if (owned_.size() + needed > records_max_ ||
      log_->records() - owned_.size() <= records_max_ / kVoidPart) {
    return Error{Errc::refused, "this store's record of owners is full until some delete theirs"};
  }
  return write_anew();
}

std::uint64_t AccountBook::quota_of(const Address& account) const {
  const auto listed = accounts_.quotas.find(account);
  if (listed != accounts_.quotas.end()) return listed->second;
  return accounts_.open ? accounts_.quota_bytes : 0;
}

Status AccountBook::admit(const Address& account) const {
  if (accounts_.open || accounts_.quotas.contains(account)) return {};
  return Error{Errc::unauthorised, "account " + account.hex0x() + " may not write to this store"};
}

bool AccountBook::enter(const Address& account) {
  const std::lock_guard lock(mutex_);
  std::size_t& count = entered_[account];
  if (count >= kAccountPutsMax) return false;
  ++count;
  return true;
}

void AccountBook::leave(const Address& account) {
  const std::lock_guard lock(mutex_);
  const auto found = entered_.find(account);
  SP_CHECK(found != entered_.end() && found->second > 0);
  if (--found->second == 0) entered_.erase(found);
}

Status AccountBook::check_quota(const Address& account, std::uint64_t size) const {
  const auto found = usage_.find(account);
  if (found == usage_.end() && usage_.size() >= accounts_.accounts_max) {
    return Error{Errc::refused, "this store has its " + std::to_string(accounts_.accounts_max) +
                                    " accounts already; take another store"};
  }
  const Usage used = found == usage_.end() ? Usage{} : found->second;
  const std::uint64_t quota = quota_of(account);
  if (used.bytes > quota || size > quota - used.bytes) {
    return Error{Errc::refused, "the quota of " + account.hex0x() + " is " + std::to_string(quota) +
                                    " bytes: " + std::to_string(used.bytes) + " are used, " +
                                    std::to_string(size) + " more don't fit" +
                                    std::string(kMoreQuota)};
  }
  if (used.blobs >= accounts_.quota_blobs) {
    return Error{Errc::refused, "the quota of " + account.hex0x() + " is " +
                                    std::to_string(accounts_.quota_blobs) +
                                    " blobs, and all are used" + std::string(kMoreQuota)};
  }
  return {};
}

Result<AccountBook::Charge> AccountBook::charge(const Address& account, const BlobId& id,
                                                std::uint64_t size, std::int64_t signed_at) {
  const std::lock_guard lock(mutex_);
  const Key key{id, account};
  const auto deleted = deleted_at_.find(account);
  const std::int64_t since =
      std::max(signed_at, deleted == deleted_at_.end() ? deleted_last_ : deleted->second);
  if (const auto found = owned_.find(key); found != owned_.end()) {
    found->second.since = std::max(found->second.since, since);
    return Charge::owned_already;
  }
  SP_TRY(check_quota(account, size));
  SP_TRY(make_room());
  SP_TRY(append(key, size));
  owned_.emplace(key, Owned{size, since});
  Usage& used = usage_[account];
  used.bytes += size;
  ++used.blobs;
  return Charge::made;
}

Status AccountBook::append(const Key& key, std::uint64_t size) {
  const CrashEffect effect(CrashSite::store_owner);
  return log_->append(record_of(key.first, key.second, size));
}

void AccountBook::forget(std::map<Key, Owned>::iterator owned) {
  const auto found = usage_.find(owned->first.second);
  SP_CHECK(found != usage_.end());
  Usage& used = found->second;
  SP_CHECK(used.bytes >= owned->second.size && used.blobs > 0);
  used.bytes -= owned->second.size;
  if (--used.blobs == 0) usage_.erase(found);
  owned_.erase(owned);
}

void AccountBook::refund(const Address& account, const BlobId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = owned_.find({id, account});
  SP_CHECK(found != owned_.end());
  // Without the record the blob's absence says the same at the next start.
  if (const Status written = append(found->first, found->second.size | kEndBit); !written) {
    log(LogLevel::error, "store_io", {{"message", written.error().message}});
  }
  forget(found);
}

void AccountBook::note_deletion(const Address& account, std::int64_t signed_at) {
  std::int64_t& latest = deleted_at_.try_emplace(account, deleted_last_).first->second;
  latest = std::max(latest, signed_at);
  if (deleted_at_.size() <= accounts_.accounts_max) return;
  // Now isn't before the window of this one, so the windows of those have ended.
  std::erase_if(deleted_at_,
                [&](const auto& one) { return one.second < signed_at - 2 * kRequestClockWindow; });
  if (deleted_at_.size() <= accounts_.accounts_max) return;
  for (const auto& [other, at] : deleted_at_) deleted_last_ = std::max(deleted_last_, at);
  deleted_at_.clear();
}

AccountBook::Share AccountBook::share(const Address& account, const BlobId& id) const {
  const std::lock_guard lock(mutex_);
  if (!owned_.contains({id, account})) return Share::none;
  std::size_t owners = 0;
  for (auto one = owned_.lower_bound({id, Address{}});
       one != owned_.end() && one->first.first == id && owners < 2; ++one) {
    ++owners;
  }
  return owners == 1 ? Share::last : Share::of_several;
}

Status AccountBook::owns_all(const Address& account, const Package& package) const {
  std::vector<BlobId> blobs = package.manifest().chunks;
  blobs.push_back(package.id());
  std::ranges::sort(blobs);
  blobs.erase(std::unique(blobs.begin(), blobs.end()), blobs.end());
  const std::lock_guard lock(mutex_);
  for (const BlobId& id : blobs) {
    if (owned_.contains({id, account})) continue;
    return Error{Errc::unauthorised,
                 "account " + account.hex0x() + " doesn't own blob " + id.hex()};
  }
  return {};
}

Status AccountBook::may_delete(const Address& account, const BlobId& id,
                               std::int64_t signed_at) const {
  const std::lock_guard lock(mutex_);
  const auto found = owned_.find({id, account});
  SP_CHECK(found != owned_.end());
  if (signed_at > found->second.since) return {};
  return Error{Errc::expired, "the deletion of blob " + id.hex() + " was signed for " +
                                  std::to_string(signed_at) +
                                  ", before the blob was brought last: sign it anew"};
}

Status AccountBook::disown(const Address& account, const BlobId& id, std::int64_t signed_at) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = owned_.find({id, account});
    SP_CHECK(found != owned_.end());
    SP_TRY(append(found->first, found->second.size | kEndBit));
    forget(found);
    note_deletion(account, signed_at);
  }
  return log_->sync();
}

Status AccountBook::leave(const Address& account, const BlobId& id, std::int64_t signed_at) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = owned_.find({id, account});
    SP_CHECK(found != owned_.end());
    const std::uint64_t size = found->second.size;
    const Key left{id, Address{}};
    SP_TRY(make_room());
    SP_TRY(append(left, size));
    owned_.emplace(left, Owned{size, 0});
    Usage& used = usage_[Address{}];
    used.bytes += size;
    ++used.blobs;
  }
  return disown(account, id, signed_at);
}

std::vector<BlobId> AccountBook::left() const {
  std::vector<BlobId> ids;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, owned] : owned_) {
    if (key.second == Address{}) ids.push_back(key.first);
  }
  return ids;
}

AccountBook::Usage AccountBook::usage(const Address& account) const {
  const std::lock_guard lock(mutex_);
  const auto found = usage_.find(account);
  return found == usage_.end() ? Usage{} : found->second;
}

AccountBook::Usage AccountBook::total() const {
  const std::lock_guard lock(mutex_);
  Usage sum;
  for (const auto& [account, usage] : usage_) {
    sum.bytes += usage.bytes;
    sum.blobs += usage.blobs;
  }
  return sum;
}

}  // namespace sp::store
