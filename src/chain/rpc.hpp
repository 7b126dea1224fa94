// An EVM chain as our programs see it: a JSON-RPC endpoint behind an interface, and typed calls
// above it.
//
// What an endpoint answers is hostile input: sizes are limited, every field is checked for its
// form. Whether it is true is for the caller to weigh (confirmations, several endpoints). All
// classes are safe to call from any thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/amount.hpp"
#include "base/bytes.hpp"
#include "base/json.hpp"
#include "base/world.hpp"
#include "crypto/secp256k1.hpp"

namespace sp::chain {

using TxHash = FixedBytes<struct TxHashTag, 32>;
using BlockHash = FixedBytes<struct BlockHashTag, 32>;

/// One JSON-RPC method call (JSON-RPC 2.0).
class RpcEndpoint {
 public:
  virtual ~RpcEndpoint() = default;
  /// The "result". Errc::unavailable, Errc::timed_out for the transport, and where the endpoint is
  /// asked too often (HTTP 429, or -32005 of EIP-1474); Errc::refused with the
  /// endpoint's words for an "error", revert data included as hexadecimal behind "data ".
  virtual Result<Json> call(const std::string& method, const Json& params) = 0;
  /// Several independent calls, `params` an array with the parameters of each; results in the same
  /// order. This default makes one call after the other; over HTTP it is one JSON-RPC batch. At
  /// most kRpcBatchMax (CHECK).
  virtual std::vector<Result<Json>> call_many(const std::vector<std::string>& methods,
                                              const Json& params);
};

/// The revert data that an Errc::refused carries, where the endpoint gave any.
std::optional<Bytes> revert_data(const Error& error);

inline constexpr int kRpcTriesMax = 5;
inline constexpr std::chrono::milliseconds kRpcPauseFirst{50};   ///< before a retry; then doubled
inline constexpr std::chrono::milliseconds kRpcTimeout{10'000};  ///< of one try

inline constexpr std::chrono::milliseconds kRpcRetryAfterMax{3'000};  ///< of what is asked for

/// How long an endpoint over HTTP is tried.
struct RpcPatience {
  int tries = kRpcTriesMax;
  std::chrono::milliseconds timeout = kRpcTimeout;  ///< of one try
};

/// Over HTTP or HTTPS, with retries of what is safe to retry (transport failures, 429 and 5xx; with
/// growing pauses by `clock`). `ca_file` as HttpClient's: who may vouch for an https endpoint.
std::unique_ptr<RpcEndpoint> http_endpoint(const std::string& url, const Clock& clock,
                                           RpcPatience patience = {},
                                           const std::string& ca_file = {});

inline constexpr std::size_t kRpcBatchMax = 16;
inline constexpr std::size_t kRpcWordsMax = 300;  ///< bytes of an endpoint's words in an error
inline constexpr std::size_t kRpcRevertDataMax = 16384;      ///< bytes of revert data in an error
inline constexpr std::uint64_t kTipDefault = 1'000'000'000;  ///< where the endpoint suggests none
inline constexpr std::size_t kRpcResponseMax = 32 << 20;
inline constexpr std::size_t kRpcLogsMax = 10'000;  ///< logs in one answer

/// Which state a read asks for: the newest block, or one by number.
struct BlockTag {
  std::optional<std::uint64_t> number;  ///< empty = "latest"
};

struct Block {
  std::uint64_t number = 0;
  BlockHash hash;
  BlockHash parent;
  std::int64_t time = 0;  ///< seconds of Unix time
};

struct Log {
  Address address;
  std::vector<Digest32> topics;
  Bytes data;
  std::uint64_t block_number = 0;
  BlockHash block_hash;
  TxHash tx_hash;
  std::uint64_t index = 0;
};

struct LogFilter {
  Address address;
  std::vector<std::optional<Digest32>> topics;  ///< by position; empty = any
  std::uint64_t from_block = 0;
  std::uint64_t to_block = 0;  ///< inclusive
};

struct TxReceipt {
  TxHash tx_hash;
  bool success = false;
  std::uint64_t block_number = 0;
  BlockHash block_hash;
  std::uint64_t gas_used = 0;
  std::optional<Address> contract;  ///< of a deployment
  std::vector<Log> logs;
};

struct Fees {
  Amount max_fee_per_gas;
  Amount max_priority_fee_per_gas;
};

/// What a transaction needs to know before it is signed.
struct TxOutlook {
  std::uint64_t nonce = 0;  ///< the next one, pending transactions counted
  std::uint64_t gas = 0;    ///< estimate, without a margin
  Fees fees;
};

/// Typed calls of one endpoint.
class Chain {
 public:
  explicit Chain(RpcEndpoint& endpoint) : endpoint_(endpoint) {}

  Result<std::uint64_t> chain_id();
  Result<Block> block(BlockTag tag = {});
  Result<Amount> balance(const Address& account);
  Result<std::uint64_t> nonce(const Address& account, bool pending);
  /// How many transactions of the account are in blocks up to this one.
  Result<std::uint64_t> nonce_at(const Address& account, BlockTag tag);
  Result<Bytes> code(const Address& account, BlockTag tag = {});
  /// eth_call. Errc::refused where it reverts, with the revert data.
  Result<Bytes> call(const Address& to, ByteView data, BlockTag tag = {},
                     const std::optional<Address>& from = {});
  struct Read {
    Address to;
    Bytes data;
  };
  /// Several reads of one block's state, as call(); kRpcBatchMax of them in one round trip.
  /// "latest" may be another block for each.
  std::vector<Result<Bytes>> call_many(const std::vector<Read>& reads, BlockTag tag = {});
  /// Errc::refused where it reverts, with the revert data.
  Result<std::uint64_t> estimate_gas(const Address& from, const std::optional<Address>& to,
                                     ByteView data, Amount value = {});
  /// Nonce, gas and fees of a transaction in one round trip. Errors as estimate_gas.
  Result<TxOutlook> outlook(const Address& from, const std::optional<Address>& to, ByteView data,
                            Amount value);
  /// Twice the newest base fee plus the suggested tip.
  Result<Fees> suggest_fees();
  /// Errc::mismatch where the endpoint answers with another hash than the transaction's.
  Result<TxHash> send_raw(ByteView transaction);
  /// Empty while the transaction isn't in a block.
  Result<std::optional<TxReceipt>> receipt(const TxHash& hash);
  /// In the order of the chain. Errc::too_large over kRpcLogsMax. Logs that don't match the filter,
  /// stand twice or belong to two blocks of one number make it Errc::malformed.
  Result<std::vector<Log>> logs(const LogFilter& filter);
  RpcEndpoint& endpoint() { return endpoint_; }

 private:
  RpcEndpoint& endpoint_;
};

}  // namespace sp::chain
