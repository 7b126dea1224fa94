#include <algorithm>

#include "base/crash_point.hpp"
#include "chain/transaction.hpp"

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

TxSender::TxSender(Chain& chain, const crypto::EthKey& key, const Clock& clock)
    : chain_(chain), key_(key), clock_(clock) {}

Result<TxHash> TxSender::send(const Call& call) {
  const std::lock_guard lock(mutex_);
  if (!chain_id_) {
    SP_ASSIGN(chain_id_, chain_.chain_id());
  }
  for (int tries = 1;; ++tries) {
    SP_ASSIGN(const TxOutlook outlook, chain_.outlook(account(), call.to, call.data, call.value));
    Transaction transaction;
    transaction.chain_id = *chain_id_;
    transaction.nonce = outlook.nonce;
    transaction.fees = outlook.fees;
    transaction.gas_limit = with_margin(outlook.gas);
    transaction.to = call.to;
    transaction.value = call.value;
    transaction.data = call.data;
    const SignedTransaction signed_transaction = sign(transaction, key_);
    crash_point(CrashSite::transaction, CrashMoment::before);
    const auto sent = chain_.send_raw(signed_transaction.raw);
    crash_point(CrashSite::transaction, CrashMoment::between);
    if (sent || is_known_transaction(sent.error())) return signed_transaction.hash;
    if (!is_nonce_taken(sent.error())) return sent.error();
    // A retried request may find its own transaction in a block already; otherwise somebody else
    // used the nonce.
    SP_ASSIGN(const auto receipt, chain_.receipt(signed_transaction.hash));
    if (receipt) return signed_transaction.hash;
    if (tries == kSendTriesMax) return sent.error();
  }
}

Result<TxReceipt> TxSender::wait(const TxHash& hash, std::uint64_t confirmations,
                                 std::chrono::milliseconds limit) {
  const auto deadline = clock_.monotonic() + limit;
  Error late{Errc::timed_out, "transaction " + hash.hex0x() + " isn't confirmed within " +
                                  std::to_string(limit.count()) + " ms"};
  for (std::size_t polls = 0;; ++polls) {
    // Asked again each time: a reorganisation may move it to another block.
    const auto receipt = chain_.receipt(hash);
    if (receipt && *receipt) {
      const TxReceipt& found = **receipt;
      if (!found.success) {
        return Error{Errc::refused, "transaction " + hash.hex0x() + " failed in block " +
                                        std::to_string(found.block_number)};
      }
      if (confirmations <= 1) return found;
      const auto newest = chain_.block();
      if (newest && newest->number + 1 >= found.block_number + confirmations) return found;
      if (!newest && !may_pass(newest.error())) return newest.error();
    }
    if (!receipt && !may_pass(receipt.error())) return receipt.error();
    const auto left = deadline - clock_.monotonic();
    if (left.count() <= 0) return late;
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
