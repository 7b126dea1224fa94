#include <algorithm>

#include "base/crash_point.hpp"
#include "base/log.hpp"
#include "chain/tx_fees.hpp"
#include "chain/tx_outbox.hpp"

namespace sp::chain {
namespace {

using std::chrono::milliseconds;

// Pauses between looks for a receipt: a local chain has it at once, others take seconds.
constexpr std::array<milliseconds, 9> kPollPauses{
    milliseconds(1),  milliseconds(2),   milliseconds(5),   milliseconds(10), milliseconds(20),
    milliseconds(50), milliseconds(100), milliseconds(200), milliseconds(500)};

bool says(const Error& error, std::string_view words) {
  if (error.code != Errc::refused) return false;
  std::string message = error.message;
  for (char& c : message) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return message.find(words) != std::string::npos;
}

// Another transaction has this nonce.
bool is_nonce_taken(const Error& error) {
  return says(error, "nonce too low") || says(error, "underpriced") ||
         says(error, "nonce is too low");
}

// To the pool. What was kept before is sent again by the next life of this process.
Result<TxHash> broadcast(Chain& chain, ByteView raw) {
  crash_point(CrashSite::transaction, CrashMoment::before);
  auto said = chain.send_raw(raw);
  crash_point(CrashSite::transaction, CrashMoment::between);
  return said;
}

bool may_pass(const Error& error) {
  return error.code == Errc::unavailable || error.code == Errc::timed_out;
}

std::uint64_t with_margin(std::uint64_t estimate) {
  const std::uint64_t wanted = estimate + estimate / 5;
  return std::max(estimate, std::min(wanted, kTxGasMax));
}

}  // namespace

bool is_known_transaction(const Error& error) {
  return says(error, "already known") || says(error, "known transaction") ||
         says(error, "already imported");
}

// What was sent, and what the endpoint said to it.
struct TxSender::Sent {
  std::uint64_t nonce = 0;
  TxHash hash;
  Status said;
};

TxSender::TxSender(Chain& chain, const crypto::EthKey& key, const Clock& clock)
    : chain_(chain),
      key_(key),
      clock_(clock),
      outbox_(std::make_unique<TxOutbox>(key.address(), nullptr, Path())),
      tended_(clock.monotonic()) {}

TxSender::TxSender(Chain& chain, const crypto::EthKey& key, const Clock& clock, Files& files,
                   Options options)
    : chain_(chain),
      key_(key),
      clock_(clock),
      options_(std::move(options)),
      outbox_(std::make_unique<TxOutbox>(key.address(), options_.outbox.empty() ? nullptr : &files,
                                         options_.outbox)),
      tended_(clock.monotonic()) {
  SP_CHECK(options_.confirmations >= 1);
}

TxSender::~TxSender() = default;

// Once: what an earlier life left is there from the first question on.
Status TxSender::open() {
  if (chain_id_) return {};
  SP_ASSIGN(const std::uint64_t id, chain_.chain_id());
  SP_TRY(outbox_->load(id, clock_.monotonic()));
  chain_id_ = id;
  return {};
}

// Into the outbox, then to the endpoint.
Result<TxSender::Sent> TxSender::put_out(const Call& call) {
  SP_ASSIGN(const TxOutlook outlook, chain_.outlook(account(), call.to, call.data, call.value));
  OutboxEntry entry;
  Transaction& transaction = entry.transaction;
  transaction.chain_id = *chain_id_;
  // What the pool has lost still has its nonce.
  transaction.nonce = outbox_->free_nonce(outlook.nonce);
  transaction.fees = outlook.fees;
  transaction.gas_limit = with_margin(outlook.gas);
  transaction.to = call.to;
  transaction.value = call.value;
  transaction.data = call.data;
  SignedTransaction made = sign(transaction, key_);
  entry.versions.push_back({transaction.fees, made.raw, made.hash});
  entry.changed_at = entry.sent_at = clock_.monotonic();
  const std::uint64_t nonce = transaction.nonce;
  SP_TRY(outbox_->keep(std::move(entry)));
  const auto said = broadcast(chain_, made.raw);
  const bool sent = said || is_known_transaction(said.error());
  return Sent{nonce, made.hash, sent ? Status() : said.error()};
}

Result<TxHash> TxSender::send_new(const Call& call) {
  for (int tries = 1;; ++tries) {
    SP_ASSIGN(const Sent sent, put_out(call));
    if (sent.said) return sent.hash;
    const Error& error = sent.said.error();
    if (!is_nonce_taken(error)) {
      // Where no answer came it may have been taken: an outbox sends it again, under its nonce.
      const bool keeps = outbox_->durable() && (may_pass(error) || error.code == Errc::mismatch);
      if (!keeps) SP_TRY(outbox_->forget(sent.nonce));
      return error;
    }
    // One of several endpoints, or an earlier try of this one, may have it all the same; only the
    // nonce's end tells.
    if (outbox_->durable()) return sent.hash;
    // A retried request may find its own transaction in a block already; otherwise somebody else
    // used the nonce.
    const auto receipt = chain_.receipt(sent.hash);
    if (receipt && *receipt) return sent.hash;
    SP_TRY(outbox_->forget(sent.nonce));
    if (!receipt) return receipt.error();
    if (tries == kSendTriesMax) return error;
  }
}

// Goes on with a call that the outbox has.
Result<TxHash> TxSender::resume(const Call& call) {
  OutboxEntry& entry = *outbox_->find_call(call.to, call.data, call.value);
  const OutboxEntry::Version& newest = entry.versions.back();
  entry.sent_at = clock_.monotonic();
  const auto said = broadcast(chain_, newest.raw);
  // A nonce that is taken is taken by an earlier version, or by others: wait() finds out.
  if (said || is_known_transaction(said.error()) || is_nonce_taken(said.error())) {
    return newest.hash;
  }
  return said.error();
}

Result<TxHash> TxSender::send(const Call& call) {
  const std::lock_guard lock(mutex_);
  SP_TRY(open());
  if (!outbox_->durable()) return send_new(call);
  if (outbox_->find_call(call.to, call.data, call.value) == nullptr) return send_new(call);
  SP_TRY(tend_locked());
  if (outbox_->find_call(call.to, call.data, call.value) == nullptr) {
    // It was final, or lost for good, before anyone asked: the caller learns which by asking what
    // it asked before the first time.
    return Error{Errc::conflict, "the transaction's nonce has been used up"};
  }
  return resume(call);
}

Status TxSender::tend() {
  const std::lock_guard lock(mutex_);
  SP_TRY(open());
  return tend_locked();
}

Status TxSender::tend_locked() {
  tended_ = clock_.monotonic();
  if (outbox_->entries().empty()) return {};
  SP_ASSIGN(const Block newest, chain_.block());
  SP_ASSIGN(const std::uint64_t mined, chain_.nonce_at(account(), {newest.number}));
  std::uint64_t final_nonce = 0, final_block = 0;
  if (mined > outbox_->entries().begin()->first && newest.number + 1 > options_.confirmations) {
    final_block = newest.number + 1 - options_.confirmations;
    SP_ASSIGN(final_nonce, chain_.nonce_at(account(), {final_block}));
  }
  return tend_entries(mined, final_nonce, final_block);
}

// `mined` and `final_nonce`: the nonces below are used, in the newest block and for good.
Status TxSender::tend_entries(std::uint64_t mined, std::uint64_t final_nonce,
                              std::uint64_t final_block) {
  std::vector<std::uint64_t> nonces;
  for (const auto& [nonce, entry] : outbox_->entries()) nonces.push_back(nonce);
  for (const std::uint64_t nonce : nonces) {
    OutboxEntry& entry = outbox_->entries().at(nonce);
    if (nonce < final_nonce) {
      SP_TRY(end_entry(entry, final_block));
      continue;
    }
    const auto now = clock_.monotonic();
    if (nonce < mined) {
      // In a block. If the block goes it is sent again at once, and its time begins anew.
      entry.changed_at = now;
      entry.sent_at = {};
      continue;
    }
    if (now - entry.changed_at >= options_.replace_after) {
      SP_TRY(replace(nonce));
    } else if (now - entry.sent_at >= kTxResendAfter) {
      entry.sent_at = now;
      const auto said = broadcast(chain_, entry.versions.back().raw);
      if (!said && may_pass(said.error())) return said.error();
    }
  }
  return {};
}

// One whose nonce is used for good, by itself or by others.
Status TxSender::end_entry(OutboxEntry& entry, std::uint64_t final_block) {
  if (entry.in_final_block) return {};
  SP_ASSIGN(const auto receipt, find_receipt(entry.hashes()));
  const std::uint64_t nonce = entry.transaction.nonce;
  if (!receipt) {
    // Endpoints count a transaction a moment before they have its receipt.
    return ++entry.times_missing < kTxMissingMax ? Status() : outbox_->give_up(nonce);
  }
  if (receipt->block_number > final_block) return {};
  if (outbox_->durable()) return outbox_->forget(nonce);
  entry.in_final_block = true;
  return {};
}

// The same call under the same nonce, for more. Where nothing more may be bid, the last one again.
Status TxSender::replace(std::uint64_t nonce) {
  OutboxEntry changed = outbox_->entries().at(nonce);
  changed.changed_at = changed.sent_at = clock_.monotonic();
  SP_ASSIGN(const Fees suggested, chain_.suggest_fees());
  const auto fees =
      bumped_fees(changed.versions.front().fees, changed.versions.back().fees, suggested);
  if (fees && changed.versions.size() < kTxVersionsMax) {
    changed.transaction.fees = *fees;
    SignedTransaction made = sign(changed.transaction, key_);
    log(LogLevel::warning, "transaction_replaced",
        {{"nonce", std::to_string(nonce)},
         {"hash", made.hash.hex0x()},
         {"fee", fees->max_fee_per_gas.text()}});
    changed.versions.push_back({*fees, std::move(made.raw), made.hash});
  }
  const Bytes raw = changed.versions.back().raw;
  SP_TRY(outbox_->keep(std::move(changed)));
  const auto said = broadcast(chain_, raw);
  if (!said && may_pass(said.error())) return said.error();
  return {};
}

// The newest version first: it is the likeliest.
Result<std::optional<TxReceipt>> TxSender::find_receipt(const std::vector<TxHash>& hashes) {
  for (auto hash = hashes.rbegin(); hash != hashes.rend(); ++hash) {
    SP_ASSIGN(auto receipt, chain_.receipt(*hash));
    if (receipt) return receipt;
  }
  return std::optional<TxReceipt>();
}

std::vector<TxHash> TxSender::hashes_of(const TxHash& hash) {
  const std::lock_guard lock(mutex_);
  const OutboxEntry* entry = outbox_->find_hash(hash);
  return entry == nullptr ? std::vector<TxHash>{hash} : entry->hashes();
}

// One look of wait(): the receipt where it is deep enough.
Result<std::optional<TxReceipt>> TxSender::look(std::vector<TxHash>& hashes,
                                                std::uint64_t confirmations) {
  // Asked again each time: a reorganisation may move it to another block.
  SP_ASSIGN(auto receipt, find_receipt(hashes));
  if (receipt && !receipt->success) {
    return Error{Errc::refused, "transaction " + receipt->tx_hash.hex0x() + " failed in block " +
                                    std::to_string(receipt->block_number)};
  }
  if (receipt && confirmations <= 1) return receipt;
  if (receipt) {
    SP_ASSIGN(const Block newest, chain_.block());
    if (newest.number + 1 >= receipt->block_number + confirmations) return receipt;
  }
  const std::lock_guard lock(mutex_);
  if (outbox_->find_hash(hashes.front()) == nullptr && outbox_->is_given_up(hashes.front())) {
    return Error{Errc::conflict,
                 "another transaction of the account took the nonce of " + hashes.front().hex0x()};
  }
  if (clock_.monotonic() - tended_ >= kTxTendPeriod) {
    SP_TRY(open());
    SP_TRY(tend_locked());
    if (const OutboxEntry* entry = outbox_->find_hash(hashes.front())) hashes = entry->hashes();
  }
  return std::optional<TxReceipt>();
}

Result<TxReceipt> TxSender::wait(const TxHash& hash, std::uint64_t confirmations,
                                 std::chrono::milliseconds limit) {
  const auto deadline = clock_.monotonic() + limit;
  std::vector<TxHash> hashes = hashes_of(hash);
  const auto end = [&](Result<TxReceipt> result) {
    const std::lock_guard lock(mutex_);
    OutboxEntry* entry = outbox_->find_hash(hash);
    // If its block goes it is sent again at once.
    if (entry != nullptr) entry->sent_at = {};
    // Without an outbox nobody waits for more than was asked for.
    if (entry != nullptr && !outbox_->durable()) {
      // In memory alone: it can't fail.
      [[maybe_unused]] const Status forgotten = outbox_->forget(entry->transaction.nonce);
    }
    return result;
  };
  for (std::size_t polls = 0;; ++polls) {
    auto found = look(hashes, confirmations);
    if (found && *found) return end(std::move(**found));
    if (!found && !may_pass(found.error())) return end(found.error());
    const auto left = deadline - clock_.monotonic();
    if (left.count() <= 0) {
      return Error{Errc::timed_out, "transaction " + hash.hex0x() + " isn't confirmed within " +
                                        std::to_string(limit.count()) + " ms"};
    }
    const auto pause = kPollPauses[std::min(polls, kPollPauses.size() - 1)];
    clock_.sleep_for(std::min<std::chrono::nanoseconds>(pause, left));
  }
}

Result<TxReceipt> TxSender::execute(const Call& call, std::chrono::milliseconds limit) {
  SP_ASSIGN(const TxHash hash, send(call));
  auto receipt = wait(hash, 1, limit);
  crash_point(CrashSite::transaction, CrashMoment::after);
  return receipt;
}

}  // namespace sp::chain
