// EIP-1559 transactions: encoding (RLP), signing, and a sender that gets one into a block.
#pragma once

#include <chrono>

#include "base/files.hpp"
#include "base/sync.hpp"
#include "chain/rpc.hpp"

namespace sp::chain {

inline constexpr std::uint64_t kTxGasMax = 1 << 24;  ///< EIP-7825; margins don't go beyond it
inline constexpr int kSendTriesMax = 3;              ///< where others use up the account's nonces
/// After which a transaction that isn't in a block is replaced: five slots of Ethereum.
inline constexpr std::chrono::milliseconds kTxReplaceAfter{60'000};
inline constexpr std::chrono::milliseconds kTxResendAfter{5'000};  ///< sent again, unchanged
inline constexpr std::chrono::milliseconds kTxTendPeriod{1'000};
/// Looks, kTxTendPeriod apart, after which a used nonce without a receipt counts as another's.
inline constexpr int kTxMissingMax = 3;

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

class TxOutbox;
struct OutboxEntry;

/// Sends transactions of one account in order, and sees that each gets into a block: one that
/// isn't in a block is sent again, and after a while replaced by one that bids more (tx_fees.hpp)
/// under the same nonce, so that it never takes effect twice. Safe to call from any thread: calls
/// wait for each other's nonce.
class TxSender {
 public:
  struct Options {
    Path outbox;                      ///< folder; empty = what is sent is forgotten with the object
    std::uint64_t confirmations = 1;  ///< blocks after which nothing is sent again
    std::chrono::milliseconds replace_after = kTxReplaceAfter;
  };
  /// Keeps nothing beyond its life.
  TxSender(Chain& chain, const crypto::EthKey& key, const Clock& clock);
  /// Keeps what it sends in files until it is final, and goes on with them in its next life: a
  /// call that is there already isn't made again while it isn't final.
  TxSender(Chain& chain, const crypto::EthKey& key, const Clock& clock, Files& files,
           Options options);
  ~TxSender();
  TxSender(const TxSender&) = delete;
  TxSender& operator=(const TxSender&) = delete;

  struct Call {
    std::optional<Address> to;
    Bytes data;
    Amount value;
  };
  /// Estimates gas and adds a fifth (a revert ends here as Errc::refused with its data), signs and
  /// sends. A transaction that the endpoint has already counts as sent. Where another program used
  /// the nonce, a sender without an outbox takes another one, at most kSendTriesMax times; one with
  /// an outbox leaves that to wait(). Errc::unavailable; errors of the outbox.
  Result<TxHash> send(const Call& call);
  /// Waits until it, or what replaced it, is in a block and has `confirmations` blocks, its own
  /// included; polls. Errc::timed_out; Errc::refused where it failed there; Errc::conflict where
  /// another program has used its nonce for good: it had no effect, and whether the call should
  /// still be made is for the caller to find out.
  Result<TxReceipt> wait(const TxHash& hash, std::uint64_t confirmations,
                         std::chrono::milliseconds limit);
  /// send and wait for one confirmation.
  Result<TxReceipt> execute(const Call& call,
                            std::chrono::milliseconds limit = std::chrono::seconds(60));
  /// Sends again what the pool has lost or a reorganisation has dropped, fills gaps between nonces,
  /// replaces what is late, forgets what is final. wait() does it too; who keeps an outbox calls it
  /// now and then.
  Status tend();
  [[nodiscard]] const Address& account() const { return key_.address(); }

 private:
  struct Sent;
  Status open();
  Result<TxHash> send_new(const Call& call);
  Result<TxHash> resume(const Call& call);
  Result<Sent> put_out(const Call& call);
  Status tend_locked();
  Status tend_entries(std::uint64_t mined, std::uint64_t final_nonce, std::uint64_t final_block);
  Status end_entry(OutboxEntry& entry, std::uint64_t final_block);
  Status replace(std::uint64_t nonce);
  Result<std::optional<TxReceipt>> find_receipt(const std::vector<TxHash>& hashes);
  std::vector<TxHash> hashes_of(const TxHash& hash);
  Result<std::optional<TxReceipt>> look(std::vector<TxHash>& hashes, std::uint64_t confirmations);

  Chain& chain_;
  const crypto::EthKey& key_;
  const Clock& clock_;
  const Options options_;
  Mutex mutex_;  // orders nonces: held from reading the nonce to the endpoint's acceptance
  std::unique_ptr<TxOutbox> outbox_;       // guarded by mutex_
  std::optional<std::uint64_t> chain_id_;  // guarded by mutex_; set once the outbox is loaded
  std::chrono::nanoseconds tended_;        // guarded by mutex_
};

}  // namespace sp::chain
