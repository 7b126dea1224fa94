// EIP-1559 transactions: encoding (RLP), signing, and a sender that gets one into a block.
#pragma once

#include <chrono>

#include "base/sync.hpp"
#include "chain/rpc.hpp"

namespace sp::chain {

inline constexpr std::uint64_t kTxGasMax = 1 << 24;  ///< EIP-7825; margins don't go beyond it
inline constexpr int kSendTriesMax = 3;              ///< where others use up the account's nonces

struct Transaction {
  std::uint64_t chain_id = 0;
  std::uint64_t nonce = 0;
  Fees fees;
  std::uint64_t gas_limit = 0;
  std::optional<Address> to;  ///< empty = creates a contract
  Amount value;
  Bytes data;
};

struct SignedTransaction {
  Bytes raw;  ///< what eth_sendRawTransaction takes: 0x02 || rlp(...)
  TxHash hash;
};

SignedTransaction sign(const Transaction& transaction, const crypto::EthKey& key);

/// RLP (Ethereum yellow paper, appendix B): a byte string, and a list of encoded items.
Bytes rlp_bytes(ByteView bytes);
Bytes rlp_number(Amount number);
Bytes rlp_list(const std::vector<Bytes>& items);

/// Whether an endpoint refuses a transaction because it has this very one.
bool is_known_transaction(const Error& error);

/// Sends transactions of one account in order. Safe to call from any thread: calls wait for each
/// other's nonce.
class TxSender {
 public:
  TxSender(Chain& chain, const crypto::EthKey& key, const Clock& clock);

  struct Call {
    std::optional<Address> to;
    Bytes data;
    Amount value;
  };
  /// Estimates gas and adds a fifth (a revert ends here as Errc::refused with its data), signs and
  /// sends. A transaction that the endpoint has already counts as sent; a nonce that another
  /// program used meanwhile is replaced, at most kSendTriesMax times. Errc::unavailable.
  Result<TxHash> send(const Call& call);
  /// Waits until it is in a block and has `confirmations` blocks, its own included; polls.
  /// Errc::timed_out; Errc::refused where it failed there.
  Result<TxReceipt> wait(const TxHash& hash, std::uint64_t confirmations,
                         std::chrono::milliseconds limit);
  /// send and wait for one confirmation.
  Result<TxReceipt> execute(const Call& call,
                            std::chrono::milliseconds limit = std::chrono::seconds(60));
  [[nodiscard]] const Address& account() const { return key_.address(); }

 private:
  Chain& chain_;
  const crypto::EthKey& key_;
  const Clock& clock_;
  Mutex mutex_;  // orders nonces: held from reading the nonce to the endpoint's acceptance
  std::optional<std::uint64_t> chain_id_;
};

}  // namespace sp::chain
