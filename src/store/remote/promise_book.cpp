#include "store/remote/promise_book.hpp"

#include <algorithm>
#include <map>

#include "base/codec.hpp"
#include "base/crash_point.hpp"
#include "base/log.hpp"

namespace sp::store {
namespace {

// package, time, and zeros.
RecordLog::Content record_of(const PackageId& package, std::int64_t until) {
  Writer writer;
  writer.raw(package.view()).u64(static_cast<std::uint64_t>(until));
  const Bytes bytes = std::move(writer).take();
  RecordLog::Content content{};
  std::copy(bytes.begin(), bytes.end(), content.begin());
  return content;
}

}  // namespace

std::size_t PromiseBook::BlobHash::operator()(const BlobId& id) const {
  std::size_t value = 0;
  std::copy_n(id.data.begin(), sizeof(value), reinterpret_cast<std::uint8_t*>(&value));
  return value;
}

Result<std::unique_ptr<PromiseBook>> PromiseBook::open(Files& files, Path file, BlobStore& blobs,
                                                       std::int64_t now) {
  std::unique_ptr<PromiseBook> book(new PromiseBook);
  std::map<PackageId, std::int64_t> promised;
  SP_ASSIGN(book->log_, RecordLog::open(files, std::move(file), kPromisesMax, [&](const auto& one) {
              Reader reader(one);
              const auto package = reader.fixed<PackageId>();
              const auto until = static_cast<std::int64_t>(reader.u64());
              if (until > now) promised[package] = std::max(promised[package], until);
            }));
  std::vector<RecordLog::Content> records;
  for (const auto& [package, until] : promised) {
    records.push_back(record_of(package, until));
    if (const Status held = book->hold(blobs, package, until); !held) {
      if (held.error().code == Errc::io || held.error().code == Errc::unavailable)
        return held.error();
      log(LogLevel::error, "store_promise_broken",
          {{"package", package.hex()}, {"message", held.error().message}});
    }
  }
  if (book->log_->needs_rewrite() || book->log_->records() > records.size()) {
    SP_TRY(book->log_->rewrite(files, records));
  }
  return book;
}

void PromiseBook::hold_until(const BlobId& id, std::int64_t until) {
  std::int64_t& held = until_[id];
  held = std::max(held, until);
}

Status PromiseBook::hold(BlobStore& blobs, const PackageId& package, std::int64_t until) {
  SP_ASSIGN(const Package whole, Package::fetch(blobs, package));
  const std::lock_guard lock(mutex_);
  hold_until(package, until);
  for (const BlobId& chunk : whole.manifest().chunks) hold_until(chunk, until);
  return {};
}

Status PromiseBook::keep(const PackageId& package, std::int64_t until) {
  const CrashEffect effect(CrashSite::store_promise);
  SP_TRY(log_->append(record_of(package, until)));
  return log_->sync();
}

Status PromiseBook::unless_promised(const BlobId& id, std::int64_t now,
                                    const std::function<Status()>& remove) {
  const std::lock_guard lock(mutex_);
  const auto found = until_.find(id);
  if (found != until_.end()) {
    if (found->second > now) {
      return Error{Errc::refused, "the store has promised by a receipt to keep blob " + id.hex() +
                                      " until " + std::to_string(found->second)};
    }
    until_.erase(found);
  }
  return remove();
}

}  // namespace sp::store
