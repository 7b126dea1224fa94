#include <nlohmann/json.hpp>

#include "base/crash_point.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "crypto/hash.hpp"
#include "net/problem.hpp"
#include "store/remote/byte_range.hpp"
#include "store/remote/conditional.hpp"
#include "store/remote/signed_request.hpp"
#include "store/remote/store_service.hpp"

namespace sp::store {
namespace {

constexpr std::string_view kBlobsPath = "/v1/blobs/";
constexpr std::string_view kReceiptsPath = "/v1/receipts";
constexpr std::string_view kIdentityPath = "/v1/identity";
constexpr std::string_view kHealthPath = "/health";

unsigned status_of(Errc code) {
  switch (code) {
    case Errc::malformed:
    case Errc::unsupported:
    case Errc::usage:
    case Errc::bad_signature:
      return 400;
    case Errc::unauthorised:
      return 403;
    case Errc::not_found:
      return 404;
    case Errc::mismatch:
    case Errc::refused:
    case Errc::conflict:
    case Errc::expired:
      return 409;
    case Errc::too_large:
      return 413;
    case Errc::timed_out:
    case Errc::unavailable:
    case Errc::cancelled:
      return 503;
    case Errc::io:
      return 500;
  }
  SP_CHECK(false);
}

net::HttpResponse error_response(unsigned status, const Error& error) {
  const Json body{{"error", errc_name(error.code)}, {"message", error.message}};
  return net::text_response(status, "application/json",
                            body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

net::HttpResponse error_response(const Error& error) {
  // The system's words may name folders of this machine; they are for its own log.
  if (error.code == Errc::io) {
    log(LogLevel::error, "store_io", {{"message", error.message}});
    return error_response(500, {Errc::io, "the store's disk failed"});
  }
  const unsigned status = status_of(error.code);
  if (status == 503) return net::retry_response(status, error, net::kProblemRetryAfter);
  return error_response(status, error);
}

/// Why a blob or a promise isn't kept: 507 where it is for want of room, or of a disk.
net::HttpResponse cannot_keep(const Error& error) {
  if (error.code == Errc::refused) return error_response(507, error);
  if (error.code != Errc::io) return error_response(error);
  log(LogLevel::error, "store_io", {{"message", error.message}});
  return error_response(507, {Errc::io, "the store's disk failed; its operator has to mend it"});
}

/// Room for promises comes by itself, as they end; room for blobs doesn't.
net::HttpResponse cannot_promise(const Error& error) {
  if (error.code != Errc::refused) return cannot_keep(error);
  return net::retry_response(507, error, kPromisesRetryAfter);
}

net::HttpResponse not_allowed(std::string_view allowed) {
  auto response = error_response(405, {Errc::unsupported, "method not allowed"});
  response.headers["allow"] = allowed;
  return response;
}

net::HttpResponse binary_response(unsigned status, Bytes body) {
  net::HttpResponse response;
  response.status = status;
  response.headers["content-type"] = "application/octet-stream";
  response.body = std::move(body);
  return response;
}

net::HttpResponse missing(const BlobId& id, const Error& error) {
  if (error.code != Errc::not_found) return error_response(error);
  return error_response(404, {Errc::not_found, "no blob " + id.hex()});
}

net::HttpResponse not_owned(const Address& account, const BlobId& id) {
  return error_response(
      {Errc::unauthorised, "account " + account.hex0x() + " doesn't own blob " + id.hex()});
}

net::HttpResponse bare(unsigned status, const BlobId& id) {
  net::HttpResponse response;
  response.status = status;
  response.headers["etag"] = entity_tag(id);
  return response;
}

/// Who may not write: 401 where the signature is to blame, 403 where the account is.
net::HttpResponse who_error(const Error& error) {
  if (error.code == Errc::unauthorised) return error_response(403, error);
  auto response = error_response(401, error);
  response.headers["www-authenticate"] = "SP-EIP712";
  return response;
}

net::HttpResponse too_many(std::string_view what, unsigned status = 429) {
  return net::retry_response(status, {Errc::unavailable, std::string(what)}, net::kBusyRetryAfter);
}

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

/// One of an account's requests that write, while it runs.
class StoreService::Writer {
 public:
  Writer(AccountBook* accounts, const std::optional<RequestSignature>& who)
      : accounts_(accounts), who_(who) {
    entered_ = !who_ || accounts_->enter(who_->account);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() {
    if (who_ && entered_) accounts_->leave(who_->account);
  }
  /// False where the account has too many already.
  [[nodiscard]] bool entered() const { return entered_; }

 private:
  AccountBook* accounts_;
  const std::optional<RequestSignature>& who_;
  bool entered_;
};

StoreService::StoreService(RangedStore& blobs, const crypto::EthKey& key, const Clock& clock,
                           AccountBook* accounts, PromiseBook* promises, const Options& options)
    : blobs_(blobs),
      key_(key),
      clock_(clock),
      accounts_(accounts),
      promises_(promises),
      options_(options) {
  SP_CHECK(accounts == nullptr || promises != nullptr);
  // Before the first request: what comes and goes meanwhile would be counted twice or not at all.
  if (options_.bytes_max != 0) bytes_used_ = count_used();
  if (accounts_ == nullptr) return;
  for (const BlobId& id : accounts_->left()) left_.put(id, promises_->held_until(id));
}

net::HttpResponse StoreService::handle(const net::HttpRequest& request) {
  const std::string_view path = request.path;
  if (path.starts_with(kBlobsPath)) return handle_blob(request);
  if (path == kReceiptsPath) {
    return request.method == "POST" ? issue_receipt(request) : not_allowed("POST");
  }
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (path == kIdentityPath) {
    if (!reads) return not_allowed("GET, HEAD");
    const Json body{{"address", key_.address().hex0x()}};
    return net::text_response(200, "application/json", body.dump() + "\n");
  }
  if (path == kHealthPath) {
    return reads ? net::text_response(200, "text/plain", "ok\n") : not_allowed("GET, HEAD");
  }
  return error_response(404, {Errc::not_found, "nothing is at this path"});
}

net::HttpResponse StoreService::handle_blob(const net::HttpRequest& request) {
  const std::string_view name = std::string_view(request.path).substr(kBlobsPath.size());
  if (name.size() != 2 * BlobId::kSize || !is_lower_hex(name)) {
    return error_response(400, {Errc::malformed, "a blob's name is 64 lower-case hex digits"});
  }
  const BlobId id = *BlobId::from_hex(name);
  if (request.method == "GET") return get_blob(id, request);
  if (request.method == "HEAD") return head_blob(id, request);
  if (request.method == "PUT") return put_blob(id, request);
  if (request.method == "DELETE") return delete_blob(id, request);
  return not_allowed("GET, HEAD, PUT, DELETE");
}

/// Who says that he signed a request that writes, and may; none where it isn't signed and needn't
/// be. Looks at no body, so that a stranger's costs nothing.
Result<std::optional<RequestSignature>> StoreService::who_asks(
    const net::HttpRequest& request) const {
  const auto field = request.headers.find("authorization");
  if (field == request.headers.end()) {
    if (options_.anonymous_writes) return std::optional<RequestSignature>();
    return Error{Errc::bad_signature, "this store keeps what an account has signed"};
  }
  SP_ASSIGN(const RequestSignature signature, RequestSignature::parse(field->second));
  if (accounts_ == nullptr) {
    return Error{Errc::unauthorised, "no account may write to this store"};
  }
  SP_TRY(accounts_->admit(signature.account));
  return std::optional(signature);
}

Status StoreService::check_signed(const net::HttpRequest& request,
                                  const std::optional<RequestSignature>& signature,
                                  const Digest32& content) const {
  if (!signature) return {};
  return signature->verify({key_.address(), request.method, request.path, content, 0},
                           clock_.unix_seconds());
}

net::HttpResponse StoreService::put_blob(const BlobId& id, const net::HttpRequest& request) {
  if (request.body.size() > kBlobSizeMax) {
    return error_response(
        {Errc::too_large, "a blob has at most " + std::to_string(kBlobSizeMax) + " bytes"});
  }
  const auto signature = who_asks(request);
  if (!signature) return who_error(signature.error());
  const BlobId actual = blob_id(request.body);
  const Status good = check_signed(request, *signature, {actual.data});
  if (!good) return who_error(good.error());
  if (actual != id) {
    return error_response({Errc::mismatch, "blob " + id.hex() + " has the digest " + actual.hex()});
  }
  const Writer writer(accounts_, *signature);
  if (!writer.entered()) return too_many("the account has too many requests at once");
  remove_left();
  return keep(id, request, *signature);
}

net::HttpResponse StoreService::keep(const BlobId& id, const net::HttpRequest& request,
                                     const std::optional<RequestSignature>& who) {
  const std::lock_guard lock(writing_[id.data[0] % writing_.size()]);
  const auto kept = blobs_.size(id);
  if (!kept || *kept != request.body.size()) return keep_new(id, request.body, who);
  // One that a folder's disk has damaged is mended by whoever sends it.
  if (const Status whole = blobs_.put_checked(id, request.body); !whole) {
    return cannot_keep(whole.error());
  }
  if (who) {
    const auto charge = accounts_->charge(who->account, id, *kept, who->time);
    if (!charge) return cannot_keep(charge.error());
    // The answer says that blob and owner outlive a power failure.
    if (const Status synced = accounts_->sync(); !synced) return error_response(synced.error());
  }
  const auto condition = request.headers.find("if-none-match");
  const bool wants_none = condition != request.headers.end() && condition->second == "*";
  return bare(wants_none ? 412 : 200, id);
}

/// Writes a blob that isn't there. Room comes first, so that a full store makes no records.
net::HttpResponse StoreService::keep_new(const BlobId& id, ByteView bytes,
                                         const std::optional<RequestSignature>& who) {
  if (const Status room = reserve(bytes.size()); !room) return cannot_keep(room.error());
  bool fresh = false;
  if (who) {
    const auto charge = accounts_->charge(who->account, id, bytes.size(), who->time);
    if (!charge) {
      release(bytes.size());
      return cannot_keep(charge.error());
    }
    fresh = *charge == AccountBook::Charge::made;
  }
  if (const Status done = blobs_.put_checked(id, bytes); !done) {
    release(bytes.size());
    if (fresh) accounts_->refund(who->account, id);
    return cannot_keep(done.error());
  }
  if (who) {
    if (const Status synced = accounts_->sync(); !synced) return error_response(synced.error());
  }
  return bare(201, id);
}

net::HttpResponse StoreService::delete_blob(const BlobId& id, const net::HttpRequest& request) {
  if (!request.body.empty()) {
    return error_response(400, {Errc::malformed, "a deletion has no body"});
  }
  const auto signature = who_asks(request);
  if (!signature) return who_error(signature.error());
  if (!*signature) return who_error({Errc::bad_signature, "a blob's owner signs its deletion"});
  const Status good = check_signed(request, *signature, crypto::sha256({}));
  if (!good) return who_error(good.error());
  const Writer writer(accounts_, *signature);
  if (!writer.entered()) return too_many("the account has too many requests at once");
  remove_left();
  return end(id, **signature);
}

net::HttpResponse StoreService::end(const BlobId& id, const RequestSignature& who) {
  const std::lock_guard lock(writing_[id.data[0] % writing_.size()]);
  const AccountBook::Share share = accounts_->share(who.account, id);
  if (share == AccountBook::Share::none) {
    const auto size = blobs_.size(id);
    if (!size && size.error().code == Errc::not_found) return bare(204, id);
    if (!size) return error_response(size.error());
    return not_owned(who.account, id);
  }
  if (const Status counts = accounts_->may_delete(who.account, id, who.time); !counts) {
    return error_response(425, counts.error());
  }
  const CrashEffect effect(CrashSite::store_delete);
  const Status ended = promises_->unless_promised(
      id, who.account, clock_.unix_seconds(), [&](PromiseBook::Others others) -> Status {
        if (share != AccountBook::Share::last || others == PromiseBook::Others::none) {
          return end_ownership(id, who.account, share, who.time);
        }
        SP_TRY(accounts_->leave(who.account, id, who.time));
        left_.put(id, promises_->held_until(id));
        return {};
      });
  if (!ended) return error_response(ended.error());
  ++deleted_;
  return bare(204, id);
}

/// The blob goes before its last record: a record without its blob is void, a blob without its
/// record would stay.
Status StoreService::end_ownership(const BlobId& id, const Address& account,
                                   AccountBook::Share share, std::int64_t signed_at) {
  if (share == AccountBook::Share::last) {
    const auto size = blobs_.size(id);
    SP_TRY(blobs_.remove(id));
    if (size) release(static_cast<std::size_t>(*size));
  }
  return accounts_->disown(account, id, signed_at);
}

/// Removes what nobody owns and no promise holds any longer.
void StoreService::remove_left() {
  const std::int64_t now = clock_.unix_seconds();
  for (std::size_t i = 0; i < kLeftAtOnce; ++i) {
    const auto id = left_.take(now);
    if (!id) return;
    if (end_left(*id, now)) continue;
    left_.put(*id, std::max(promises_->held_until(*id), now + kLeftAgainSeconds));
  }
}

Status StoreService::end_left(const BlobId& id, std::int64_t now) {
  const std::lock_guard lock(writing_[id.data[0] % writing_.size()]);
  const AccountBook::Share share = accounts_->share(Address{}, id);
  if (share == AccountBook::Share::none) return {};
  const CrashEffect effect(CrashSite::store_delete);
  return promises_->unless_promised(id, Address{}, now, [&](PromiseBook::Others others) -> Status {
    if (share == AccountBook::Share::last && others == PromiseBook::Others::promised) {
      return Error{Errc::refused, "it is promised again"};
    }
    return end_ownership(id, Address{}, share, now);
  });
}

/// What is there; in a bucket, what accounts have brought.
Result<std::uint64_t> StoreService::count_used() const {
  auto total = blobs_.total_size();
  if (!total && total.error().code == Errc::unsupported && accounts_ != nullptr) {
    return accounts_->total().bytes;
  }
  return total;
}

/// Counts a blob that is about to be written. Errc::refused where the store is full.
Status StoreService::reserve(std::size_t size) {
  if (options_.bytes_max == 0) return {};
  const std::lock_guard lock(mutex_);
  if (!bytes_used_) return bytes_used_.error();
  if (*bytes_used_ > options_.bytes_max || size > options_.bytes_max - *bytes_used_) {
    return Error{Errc::refused, "the store is full: " + std::to_string(*bytes_used_) + " of " +
                                    std::to_string(options_.bytes_max) +
                                    " bytes are used; its operator has to make room"};
  }
  *bytes_used_ += size;
  return {};
}

void StoreService::release(std::size_t size) {
  const std::lock_guard lock(mutex_);
  if (options_.bytes_max != 0 && bytes_used_) *bytes_used_ -= size;
}

net::HttpResponse StoreService::get_blob(const BlobId& id, const net::HttpRequest& request) {
  const auto size = blobs_.size(id);
  if (!size) return missing(id, size.error());
  const auto condition = read_condition(request.headers, id);
  if (!condition) return error_response(400, condition.error());
  if (*condition) return bare(**condition, id);
  const auto field = request.headers.find("range");
  const bool ranged = field != request.headers.end() && range_counts(request.headers, id);
  const auto range = ranged ? parse_byte_range(field->second, *size) : std::nullopt;
  if (range && range->size == 0) {
    auto response = error_response(416, {Errc::malformed, "the range lies outside of the blob"});
    response.headers["content-range"] = "bytes */" + std::to_string(*size);
    return response;
  }
  const ByteRange part = range.value_or(ByteRange{0, *size});
  if (part.size > kBlobSizeMax)
    return error_response({Errc::too_large, "not a blob of this store"});
  auto bytes = blobs_.get_range_unverified(id, part.first, static_cast<std::size_t>(part.size));
  if (!bytes) return error_response(bytes.error());
  auto response = binary_response(range ? 206 : 200, *std::move(bytes));
  response.headers["accept-ranges"] = "bytes";
  response.headers["etag"] = entity_tag(id);
  if (range) {
    response.headers["content-range"] =
        content_range({part.first, part.first + part.size - 1, *size});
  }
  return response;
}

net::HttpResponse StoreService::head_blob(const BlobId& id, const net::HttpRequest& request) {
  if (accounts_ != nullptr && request.headers.contains("authorization")) {
    const auto signature = who_asks(request);
    if (!signature) return who_error(signature.error());
    const Status good = check_signed(request, *signature, crypto::sha256(request.body));
    if (!good) return who_error(good.error());
    if (accounts_->share((*signature)->account, id) == AccountBook::Share::none) {
      return error_response(404, {Errc::not_found, "no blob " + id.hex() + " of this account"});
    }
  }
  const auto size = blobs_.size(id);
  if (!size) return missing(id, size.error());
  const auto condition = read_condition(request.headers, id);
  if (!condition) return error_response(400, condition.error());
  if (*condition) return bare(**condition, id);
  auto response = binary_response(200, {});
  response.headers["accept-ranges"] = "bytes";
  response.headers["etag"] = entity_tag(id);
  response.headers["content-length"] = std::to_string(*size);
  return response;
}

net::HttpResponse StoreService::issue_receipt(const net::HttpRequest& request) {
  const auto signature = who_asks(request);
  if (!signature) return who_error(signature.error());
  const Status good = check_signed(request, *signature, crypto::sha256(request.body));
  if (!good) return who_error(good.error());
  const Writer writer(accounts_, *signature);
  if (!writer.entered()) return too_many("the account has too many requests at once");
  const auto json = parse_json(as_text(request.body), kReceiptRequestMax);
  if (!json) return error_response(json.error());
  JsonObject object(*json, "receipt request");
  const auto package = object.fixed<PackageId>("package");
  const auto until = static_cast<std::int64_t>(object.number("until", INT64_MAX));
  if (const Status read = object.finish(); !read) return error_response(read.error());
  const std::int64_t now = clock_.unix_seconds();
  if (until <= now) return error_response({Errc::expired, "until is in the past"});
  if (until - now > options_.keep_seconds_max) {
    return error_response(
        {Errc::refused,
         "this store promises at most " + std::to_string(options_.keep_seconds_max) + " seconds"});
  }
  const auto size = blobs_.size(package);
  if (!size) return missing(package, size.error());
  const Address account = *signature ? (*signature)->account : Address{};
  std::optional<ReceiptTurn> turn;
  if (*size > kSmallManifestMax) {
    // Only who has such a package has a place among those who wait.
    if (*signature && accounts_->share(account, package) == AccountBook::Share::none) {
      return not_owned(account, package);
    }
    turn.emplace(receipts_, account);
    if (!turn->taken()) return too_many("the store looks at other large packages", 503);
  }
  const auto receipt = promise(package, until, *signature);
  if (!receipt) return error_response(receipt.error());
  if (promises_ != nullptr) {
    const Status kept = promises_->keep(package, account, until, now);
    if (!kept) return cannot_promise(kept.error());
  }
  return binary_response(200, receipt->encode());
}

/// Binds a package's blobs, until the next start, and signs for them. Errc::unauthorised where they
/// aren't all the account's: what is made up takes no memory.
Result<StorageReceipt> StoreService::promise(const PackageId& id, std::int64_t until,
                                             const std::optional<RequestSignature>& who) {
  SP_ASSIGN(const Package package, Package::fetch(blobs_, id));
  if (who) {
    SP_TRY(accounts_->owns_all(who->account, package));
  } else {
    SP_TRY(issue_storage_receipt(blobs_, id, until, key_));
  }
  const CrashEffect effect(CrashSite::store_receipt);
  // Held before it is looked at, so that nothing of it goes in between.
  if (promises_ != nullptr) promises_->hold(package, who ? who->account : Address{}, until);
  if (who) SP_TRY(accounts_->owns_all(who->account, package));
  return issue_storage_receipt(blobs_, id, until, key_);
}

}  // namespace sp::store
