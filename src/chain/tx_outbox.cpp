#include "chain/tx_outbox.hpp"

#include <algorithm>

#include "base/codec.hpp"
#include "base/durable.hpp"
#include "crypto/hash.hpp"

namespace sp::chain {
namespace {

constexpr std::string_view kTag = "SPoutbox";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kRawMax = kTxDataMax + 1024;
constexpr std::size_t kFileMax = kTxVersionsMax * (kRawMax + 128) + kTxDataMax + 1024;

Amount read_amount(Reader& reader) {
  const auto amount = Amount::from_word(reader.fixed<Digest32>());
  if (amount) return *amount;
  reader.fail(Errc::malformed, "an amount is beyond 128 bits");
  return {};
}

Fees read_fees(Reader& reader) {
  Fees fees;
  fees.max_fee_per_gas = read_amount(reader);
  fees.max_priority_fee_per_gas = read_amount(reader);
  return fees;
}

}  // namespace

bool OutboxEntry::has(const TxHash& hash) const {
  return std::any_of(versions.begin(), versions.end(),
                     [&](const Version& version) { return version.hash == hash; });
}

std::vector<TxHash> OutboxEntry::hashes() const {
  std::vector<TxHash> all;
  for (const Version& version : versions) all.push_back(version.hash);
  return all;
}

Bytes OutboxEntry::encode(const Address& account) const {
  Writer writer;
  writer.raw(as_bytes(kTag)).u8(kVersion).u64(transaction.chain_id).raw(account.view());
  writer.u64(transaction.nonce).u64(transaction.gas_limit).u8(transaction.to ? 1 : 0);
  if (transaction.to) writer.raw(transaction.to->view());
  writer.raw(transaction.value.word().view()).var(transaction.data);
  writer.u8(static_cast<std::uint8_t>(versions.size()));
  for (const Version& version : versions) {
    writer.raw(version.fees.max_fee_per_gas.word().view());
    writer.raw(version.fees.max_priority_fee_per_gas.word().view()).var(version.raw);
  }
  writer.raw(crypto::sha256(writer.bytes()).view());
  return std::move(writer).take();
}

Result<OutboxEntry> OutboxEntry::decode(ByteView bytes, const Address& account,
                                        std::uint64_t chain_id) {
  if (bytes.size() < Digest32::kSize) return Error{Errc::malformed, "truncated"};
  const ByteView body = bytes.first(bytes.size() - Digest32::kSize);
  Reader reader(bytes);
  if (as_text(reader.raw(kTag.size())) != kTag) reader.fail(Errc::malformed, "not an outbox's");
  if (reader.u8() != kVersion) reader.fail(Errc::malformed, "unknown version");
  OutboxEntry entry;
  Transaction& transaction = entry.transaction;
  transaction.chain_id = reader.u64();
  const auto owner = reader.fixed<Address>();
  transaction.nonce = reader.u64();
  transaction.gas_limit = reader.u64();
  if (reader.boolean()) transaction.to = reader.fixed<Address>();
  transaction.value = read_amount(reader);
  transaction.data = to_bytes(reader.var(kTxDataMax));
  const std::size_t count = reader.u8();
  if (count == 0 || count > kTxVersionsMax) reader.fail(Errc::malformed, "odd number of versions");
  for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
    Version version;
    version.fees = read_fees(reader);
    version.raw = to_bytes(reader.var(kRawMax));
    version.hash.data = crypto::keccak256(version.raw).data;
    entry.versions.push_back(std::move(version));
  }
  const auto checksum = reader.fixed<Digest32>();
  if (!reader.failed() && checksum != crypto::sha256(body)) {
    reader.fail(Errc::malformed, "the checksum is wrong");
  }
  SP_TRY(reader.finish());
  if (owner != account || transaction.chain_id != chain_id) {
    return Error{Errc::mismatch, "belongs to another account or chain"};
  }
  transaction.fees = entry.versions.back().fees;
  return entry;
}

Status TxOutbox::load(std::uint64_t chain_id, std::chrono::nanoseconds now) {
  if (!durable()) return {};
  SP_TRY(files_->make_folder(folder_));
  SP_ASSIGN(const std::vector<std::string> names, files_->list(folder_));
  if (names.size() > kOutboxMax) return Error{Errc::too_large, "too many files in the outbox"};
  for (const std::string& name : names) {
    const std::string where = "outbox " + (folder_ / name).string();
    const auto bytes = files_->read(folder_ / name, kFileMax);
    if (!bytes) return bytes.error().in(where);
    auto entry = OutboxEntry::decode(*bytes, account_, chain_id);
    if (!entry) {
      const bool others = entry.error().code == Errc::mismatch;
      return entry.error().in((others ? "" : "damaged ") + where);
    }
    if (std::to_string(entry->transaction.nonce) != name) {
      return Error{Errc::mismatch, where + ": is of another nonce"};
    }
    entry->changed_at = now;  // its age isn't known: patience begins anew
    entries_[entry->transaction.nonce] = std::move(*entry);
  }
  return {};
}

OutboxEntry* TxOutbox::find_call(const std::optional<Address>& to, ByteView data, Amount value) {
  for (auto& [nonce, entry] : entries_) {
    const Transaction& made = entry.transaction;
    const bool same_data = std::equal(data.begin(), data.end(), made.data.begin(), made.data.end());
    if (made.to == to && made.value == value && same_data) return &entry;
  }
  return nullptr;
}

OutboxEntry* TxOutbox::find_hash(const TxHash& hash) {
  for (auto& [nonce, entry] : entries_) {
    if (entry.has(hash)) return &entry;
  }
  return nullptr;
}

std::uint64_t TxOutbox::free_nonce(std::uint64_t from) const {
  while (entries_.contains(from)) ++from;
  return from;
}

Status TxOutbox::keep(OutboxEntry entry) {
  const std::uint64_t nonce = entry.transaction.nonce;
  if (!entries_.contains(nonce) && entries_.size() >= kOutboxMax) {
    if (durable()) {
      return Error{Errc::unavailable, std::to_string(kOutboxMax) + " transactions wait already"};
    }
    entries_.erase(entries_.begin());
  }
  if (durable()) {
    SP_TRY(sp::keep(*files_, CrashSite::transaction_outbox, path_of(nonce), entry.encode(account_),
                    FileMode::owner_only));
  }
  entries_[nonce] = std::move(entry);
  return {};
}

Status TxOutbox::forget(std::uint64_t nonce) {
  if (durable()) SP_TRY(discard(*files_, CrashSite::transaction_done, path_of(nonce)));
  entries_.erase(nonce);
  return {};
}

Status TxOutbox::give_up(std::uint64_t nonce) {
  const auto entry = entries_.find(nonce);
  if (entry == entries_.end()) return {};
  if (given_up_.size() > kOutboxMax) given_up_.clear();
  for (const TxHash& hash : entry->second.hashes()) given_up_.insert(hash);
  return forget(nonce);
}

}  // namespace sp::chain
