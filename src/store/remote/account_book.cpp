#include "store/remote/account_book.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <unordered_map>

#include "base/codec.hpp"
#include "base/durable.hpp"
#include "base/log.hpp"
#include "crypto/hash.hpp"

namespace sp::store {
namespace {

// account, blob, size with the highest bit for a refund, and the beginning of a SHA-256 over these.
constexpr std::size_t kRecordSize = 64;
constexpr std::size_t kCheckSize = 4;
constexpr std::uint64_t kRefundBit = std::uint64_t{1} << 63;
constexpr std::size_t kVoidRecordsMax = 4096;  // more are left out by writing the file anew
constexpr std::size_t kReadSize = kRecordSize << 14;

struct Owned {
  Address account;
  std::uint64_t size = 0;
};

struct BlobHash {
  std::size_t operator()(const BlobId& id) const {
    std::size_t value = 0;
    std::copy_n(id.data.begin(), sizeof(value), reinterpret_cast<std::uint8_t*>(&value));
    return value;
  }
};

using Live = std::unordered_map<BlobId, Owned, BlobHash>;

Bytes check_of(ByteView record) {
  const Digest32 digest = crypto::sha256(record.first(kRecordSize - kCheckSize));
  return to_bytes(digest.view().first(kCheckSize));
}

Bytes record_of(const Address& account, const BlobId& id, std::uint64_t size) {
  Writer writer;
  writer.raw(account.view()).raw(id.view()).u64(size);
  Bytes record = std::move(writer).take();
  record.resize(kRecordSize);
  const Bytes check = check_of(record);
  std::copy(check.begin(), check.end(), record.end() - kCheckSize);
  return record;
}

// False where it isn't a record: a write that was cut off.
bool apply(ByteView record, Live& live) {
  if (!std::ranges::equal(check_of(record), record.last(kCheckSize))) return false;
  Reader reader(record);
  const auto account = reader.fixed<Address>();
  const auto id = reader.fixed<BlobId>();
  const std::uint64_t size = reader.u64();
  if ((size & kRefundBit) == 0) {
    live.try_emplace(id, Owned{account, size});
  } else if (const auto found = live.find(id); found != live.end()) {
    if (found->second.account == account) live.erase(found);
  }
  return true;
}

// Bytes of the file up to the first that is no record.
Result<std::uint64_t> read_log(const Files& files, const Path& file, std::uint64_t whole,
                               Live& live) {
  std::uint64_t done = 0;
  while (whole - done >= kRecordSize) {
    const std::uint64_t left = (whole - done) / kRecordSize * kRecordSize;
    SP_ASSIGN(const Bytes piece,
              files.read_range(file, done, std::min<std::uint64_t>(left, kReadSize)));
    for (std::size_t at = 0; at < piece.size(); at += kRecordSize) {
      if (!apply(ByteView(piece).subspan(at, kRecordSize), live)) return done + at;
    }
    done += piece.size();
  }
  return done;
}

Status write_whole(int descriptor, ByteView bytes, const Path& file) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return errno_error("write", file);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<AccountBook>> AccountBook::open(Files& files, Path file,
                                                       StoreAccounts accounts, const Holds& holds) {
  std::unique_ptr<AccountBook> book(new AccountBook(std::move(file), std::move(accounts)));
  SP_TRY(book->recover(files, holds));
  return book;
}

Status AccountBook::recover(Files& files, const Holds& holds) {
  const auto size = files.size(file_);
  if (!size && size.error().code != Errc::not_found) return size.error();
  const std::uint64_t whole = size ? *size : 0;
  if (whole / kRecordSize > kOwnedBlobsMax) {
    return Error{Errc::too_large,
                 file_.string() + " has over " + std::to_string(kOwnedBlobsMax) + " records"};
  }
  Live live;
  SP_ASSIGN(log_size_, read_log(files, file_, whole, live));
  if (log_size_ != whole) {
    log(LogLevel::warning, "store_owners_cut",
        {{"read", std::to_string(log_size_)}, {"bytes", std::to_string(whole)}});
  }
  std::erase_if(live, [&](const auto& one) { return !holds(one.first, one.second.size); });
  for (const auto& [id, owned] : live) {
    Usage& usage = usage_[owned.account];
    usage.bytes += owned.size;
    ++usage.blobs;
  }
  if (log_size_ != whole || log_size_ / kRecordSize > live.size() + kVoidRecordsMax) {
    Bytes records;
    records.reserve(live.size() * kRecordSize);
    for (const auto& [id, owned] : live)
      sp::append(records, record_of(owned.account, id, owned.size));
    SP_TRY(keep(files, CrashSite::store_owners, file_, records, FileMode::owner_only));
    log_size_ = records.size();
  }
  log_ = Fd(::open(file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!log_.valid()) return errno_error("open", file_);
  return {};
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

Status AccountBook::charge(const Address& account, const BlobId& id, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (!usage_.contains(account) && usage_.size() >= kAccountsMax) {
    return Error{Errc::refused,
                 "this store has its " + std::to_string(kAccountsMax) + " accounts already"};
  }
  const Usage used = usage_[account];
  const std::uint64_t quota = quota_of(account);
  if (used.bytes > quota || size > quota - used.bytes) {
    return Error{Errc::refused, "the quota of " + account.hex0x() + " is " + std::to_string(quota) +
                                    " bytes: " + std::to_string(used.bytes) + " are used, " +
                                    std::to_string(size) + " more don't fit"};
  }
  if (used.blobs >= accounts_.quota_blobs) {
    return Error{Errc::refused, "the quota of " + account.hex0x() + " is " +
                                    std::to_string(accounts_.quota_blobs) +
                                    " blobs, and all are used"};
  }
  SP_TRY(append(account, id, size, false));
  usage_[account] = {used.bytes + size, used.blobs + 1};
  return {};
}

void AccountBook::refund(const Address& account, const BlobId& id, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  Usage& used = usage_[account];
  SP_CHECK(used.bytes >= size && used.blobs > 0);
  used.bytes -= size;
  --used.blobs;
  // Without the record the blob's absence says the same at the next start.
  if (const Status written = append(account, id, size, true); !written) {
    log(LogLevel::error, "store_io", {{"message", written.error().message}});
  }
}

// A record that was written in part is taken back, so that what follows stays readable.
Status AccountBook::append(const Address& account, const BlobId& id, std::uint64_t size,
                           bool refund) {
  if (log_size_ / kRecordSize >= kOwnedBlobsMax) {
    return Error{Errc::refused,
                 "this store has its " + std::to_string(kOwnedBlobsMax) + " records already"};
  }
  const Bytes record = record_of(account, id, refund ? size | kRefundBit : size);
  const CrashEffect effect(CrashSite::store_owner);
  const Status written = write_whole(log_.get(), record, file_);
  if (written) {
    log_size_ += record.size();
  } else if (::ftruncate(log_.get(), static_cast<off_t>(log_size_)) != 0) {
    log(LogLevel::error, "store_io", {{"message", errno_error("truncate", file_).message}});
  }
  return written;
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
