#include "broker/vault.hpp"

#include <set>

#include "base/codec.hpp"
#include "base/durable.hpp"
#include "base/log.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"

namespace sp::broker {
namespace {

constexpr std::string_view kRecordMagic = "SPVR";
constexpr std::uint16_t kVersion = 1;

constexpr std::string_view kSecretPrefix = "secret-";
constexpr std::size_t kErasedAtOnce = 64;  // ended secrets, by one deposit

Path secret_name(const Address& owner, const Digest32& digest) {
  return std::string(kSecretPrefix) + crypto::sha256({owner.view(), digest.view()}).hex();
}

Path requests_name(const api::OrderId& order) { return "requests-" + order.hex(); }

// The system's words name folders of this machine: they are for its own log.
Error own_words(const Error& error) {
  log(LogLevel::error, "vault_io", {{"message", error.message}});
  return {error.code == Errc::not_found ? Errc::io : error.code, "the broker's disk failed"};
}

Status own_words(const Status& done) { return done ? done : Status(own_words(done.error())); }

// A record's header is authenticated with its name, so that files can't be exchanged.
Bytes header_of(const Path& name) {
  Writer writer;
  writer.raw(as_bytes(kRecordMagic)).u16(kVersion).text(name.string());
  return std::move(writer).take();
}

SecretBytes encode(const Deposited& deposited) {
  const SecretBytes secret = deposited.secret.encode();
  Writer writer;
  writer.raw(deposited.owner.view()).raw(deposited.digest.view()).u64(deposited.time);
  writer.text(deposited.policy).u32(static_cast<std::uint32_t>(secret.size()));
  // The secret goes behind the public fields in memory of its own, so that no copy stays in the
  // writer.
  SecretBytes whole(writer.bytes().size() + secret.size());
  const MutableByteView out = whole.writable();
  std::copy(writer.bytes().begin(), writer.bytes().end(), out.begin());
  std::copy(secret.reveal().begin(), secret.reveal().end(),
            out.begin() + static_cast<std::ptrdiff_t>(writer.bytes().size()));
  return whole;
}

Result<Deposited> decode(ByteView bytes) {
  Reader reader(bytes);
  Deposited deposited;
  deposited.owner = reader.fixed<Address>();
  deposited.digest = reader.fixed<Digest32>();
  deposited.time = reader.u64();
  deposited.policy = reader.text(api::kPolicySizeMax);
  const ByteView secret = reader.var(api::kSecretSizeMax);
  SP_TRY(reader.finish());
  SP_ASSIGN(deposited.secret, api::PartSecret::decode(secret));
  return deposited;
}

// When a record may be forgotten. One whose policy ends before it was signed revokes an earlier
// one, and is needed as long as that could be sent again.
std::int64_t end_of(const Deposited& deposited, std::int64_t until) {
  return std::max(until,
                  static_cast<std::int64_t>(std::min<std::uint64_t>(deposited.time, INT64_MAX)));
}

}  // namespace

Vault::Vault(Files& files, Path folder, Secret32 key, Random& random, VaultLimits limits)
    : files_(files),
      folder_(std::move(folder)),
      key_(std::move(key)),
      random_(random),
      limits_(limits) {}

Status Vault::write_record(CrashSite site, const Path& name, ByteView plaintext) {
  const Bytes header = header_of(name);
  crypto::GcmNonce nonce;
  random_.fill(nonce);
  Bytes record(nonce.size() + plaintext.size() + crypto::kGcmTagSize);
  std::copy(nonce.begin(), nonce.end(), record.begin());
  crypto::Aes256Gcm(key_).seal(nonce, header, plaintext,
                               MutableByteView(record).subspan(nonce.size()));
  return own_words(keep(files_, site, folder_ / name, record, FileMode::owner_only));
}

Result<SecretBytes> Vault::read_record(const Path& name) {
  const auto file = files_.read(folder_ / name, kRecordSizeMax);
  if (!file && file.error().code == Errc::not_found) {
    return Error{Errc::not_found, "the vault holds no such record"};
  }
  if (!file) return own_words(file.error());
  const Bytes& record = *file;
  if (record.size() < crypto::kGcmNonceSize + crypto::kGcmTagSize) {
    return Error{Errc::malformed, name.string() + " is too short"};
  }
  crypto::GcmNonce nonce;
  std::copy_n(record.begin(), nonce.size(), nonce.begin());
  SecretBytes plaintext(record.size() - nonce.size() - crypto::kGcmTagSize);
  SP_TRY(crypto::Aes256Gcm(key_).open(
      nonce, header_of(name), ByteView(record).subspan(nonce.size()), plaintext.writable()));
  return plaintext;
}

Result<VaultRecord> Vault::read_entry(const Path& name) {
  SP_ASSIGN(const SecretBytes record, read_record(name));
  SP_ASSIGN(const Deposited deposited, decode(record.reveal()));
  SP_ASSIGN(const ReleasePolicy policy, ReleasePolicy::parse(deposited.policy));
  return VaultRecord{deposited.owner, record.size(), end_of(deposited, policy.until)};
}

// Everything that lies there, whoever put it there before this process.
Status Vault::count_secrets() {
  if (book_) return {};
  VaultBook book(limits_);
  const auto names = files_.list(folder_);
  if (!names) return own_words(names.error());
  for (const std::string& name : *names) {
    if (!name.starts_with(kSecretPrefix)) continue;
    const auto entry = read_entry(name);
    if (entry) {
      book.put(name, *entry);
      continue;
    }
    if (entry.error().code == Errc::io) return entry.error();
    // One that is damaged is lost to its owner, who may deposit it again; it keeps nobody out.
    log(LogLevel::error, "vault_record_damaged",
        {{"record", name}, {"reason", entry.error().message}});
  }
  book_ = std::move(book);
  return {};
}

// The record is in the book from here on; one whose write fails leaves room that isn't used.
Status Vault::make_room(const std::string& name, const VaultRecord& record, std::int64_t now) {
  const std::lock_guard lock(book_mutex_);
  SP_TRY(count_secrets());
  // A few at a time: whoever deposits waits for no more of them than there has to be room.
  std::vector<std::string> ended;
  do {
    ended = book_->take_ended(now, kErasedAtOnce);
    for (const std::string& old : ended) SP_TRY(own_words(files_.remove(folder_ / old)));
  } while (!ended.empty() && !book_->admits(name, record));
  SP_TRY(book_->admits(name, record));
  book_->put(name, record);
  return {};
}

// Whether this very one is there. An older one that is sent again doesn't bring its policy back.
Result<bool> Vault::is_kept(const Deposited& deposited) {
  const auto there = get(deposited.owner, deposited.digest);
  if (!there && there.error().code == Errc::io) return there.error();
  if (!there || there->time < deposited.time) return false;
  if (there->time == deposited.time &&
      crypto::equal_constant_time(encode(*there).reveal(), encode(deposited).reveal())) {
    return true;
  }
  return Error{Errc::expired,
               "a deposit of this secret that was signed in the same second or later "
               "is here already"};
}

Status Vault::put(const Deposited& deposited, std::int64_t until, std::int64_t now) {
  const std::lock_guard lock(putting_[deposited.digest.data[0] % putting_.size()]);
  SP_ASSIGN(const bool kept, is_kept(deposited));
  if (kept) return {};
  const Path name = secret_name(deposited.owner, deposited.digest);
  const SecretBytes record = encode(deposited);
  const VaultRecord entry{deposited.owner, record.size(), end_of(deposited, until)};
  SP_TRY(make_room(name.string(), entry, now));
  return write_record(CrashSite::broker_secret, name, record.reveal());
}

Result<Deposited> Vault::get(const Address& owner, const Digest32& digest) {
  SP_ASSIGN(const SecretBytes record, read_record(secret_name(owner, digest)));
  SP_ASSIGN(Deposited deposited, decode(record.reveal()));
  SP_CHECK(deposited.owner == owner && deposited.digest == digest);
  return deposited;
}

bool Vault::has(const Address& owner, const Digest32& digest) const {
  return files_.size(folder_ / secret_name(owner, digest)).ok();
}

Result<std::vector<KeptRequest>> Vault::read_requests(const api::OrderId& order) {
  const auto record = read_record(requests_name(order));
  if (!record && record.error().code == Errc::not_found) return std::vector<KeptRequest>();
  if (!record) return record.error();
  Reader reader(record->reveal());
  std::vector<KeptRequest> list;
  for (std::size_t count = reader.count(kClaimsMax); count > 0; --count) {
    const ByteView attestation = reader.var(api::kStatementSizeMax);
    const ByteView request = reader.var(api::kStatementSizeMax);
    KeptRequest kept;
    SP_ASSIGN(kept.attestation, api::Signed<api::Attestation>::decode(attestation));
    SP_ASSIGN(kept.request, api::Signed<api::KeyRequest>::decode(request));
    list.push_back(std::move(kept));
  }
  SP_TRY(reader.finish());
  return list;
}

Status Vault::keep_request(const KeptRequest& kept, std::uint32_t sessions_max) {
  const api::KeyRequest& request = kept.request.statement;
  const std::lock_guard lock(mutex_);
  SP_ASSIGN(std::vector<KeptRequest> list, read_requests(request.run.order));
  std::set<Address> sessions;
  for (const KeptRequest& earlier : list) {
    const api::KeyRequest& other = earlier.request.statement;
    if (other.run != request.run || other.part != request.part) continue;
    sessions.insert(earlier.attestation.statement.session);
  }
  if (sessions.contains(kept.attestation.statement.session)) return {};
  if (sessions.size() >= sessions_max || list.size() >= kClaimsMax) {
    return Error{Errc::refused, std::to_string(sessions.size()) +
                                    " sessions of this attempt have had the key already"};
  }
  list.push_back(kept);
  Writer writer;
  writer.u16(static_cast<std::uint16_t>(list.size()));
  for (const KeptRequest& entry : list) {
    writer.var(entry.attestation.encode()).var(entry.request.encode());
  }
  return write_record(CrashSite::broker_request, requests_name(request.run.order), writer.bytes());
}

Result<std::vector<KeptRequest>> Vault::requests(const api::OrderId& order) {
  const std::lock_guard lock(mutex_);
  return read_requests(order);
}

}  // namespace sp::broker
