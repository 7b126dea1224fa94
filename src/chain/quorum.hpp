// One endpoint made of n independent ones: what k of them agree on.
//
// Each question goes to all members at once. Blocks, logs and receipts are compared by the fields
// that we read, so that endpoints of different makes agree. Who answers with an error of transport
// has no vote; refusals agree with refusals, whatever their words, except that revert data must be
// the same. "latest" is the newest block that k members have: reads are pinned to its number.
#pragma once

#include <functional>
#include <mutex>

#include "chain/quorum_member.hpp"

namespace sp::chain {

inline constexpr std::size_t kQuorumMembersMax = 7;
/// How far the agreed block may be behind the head that k members claim to have, in blocks: the
/// heads of sound endpoints differ by one or two.
inline constexpr std::uint64_t kQuorumLagMax = 8;

/// Times of a quorum; tests have shorter ones.
struct QuorumTimes {
  std::chrono::milliseconds deadline{10'000};  ///< of one question to all
  /// How long the others are waited for where k are there and each counts (heads, numbers).
  std::chrono::milliseconds grace{1'000};
  std::chrono::milliseconds witness{2'000};  ///< of a question to one member
};

/// The quorum. Methods: eth_chainId, eth_getBlockByNumber (without transactions), eth_getLogs (by
/// numbers), eth_getTransactionReceipt, eth_sendRawTransaction, eth_estimateGas,
/// eth_maxPriorityFeePerGas, and eth_call, eth_getBalance, eth_getCode and eth_getTransactionCount
/// at a block's number or "latest" (the last one also "pending"); others are Errc::unsupported.
///
/// Errc::unavailable where fewer than k agree, with how many answered what; where a member is
/// missing and the heads of the others are further apart than kQuorumLagMax; where k no longer have
/// the newest block that was agreed on before (a reorganisation to a shorter chain), until they
/// have one of its number; and for logs beyond the agreed block. Errc::usage where members name so
/// many chain ids that no k can agree, whatever those say later that named none now; a member that
/// names another than k is told to the log. Safe to call from any thread.
class QuorumEndpoint final : public RpcEndpoint {
 public:
  /// CHECK: 2 to kQuorumMembersMax members, k at most as many and more than half of them.
  QuorumEndpoint(std::vector<std::unique_ptr<RpcEndpoint>> members, std::size_t k,
                 QuorumTimes times);

  Result<Json> call(const std::string& method, const Json& params) override;
  /// All at once.
  std::vector<Result<Json>> call_many(const std::vector<std::string>& methods,
                                      const Json& params) override {
    return call_at_once(*this, methods, params);
  }

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  /// One member's own answers, for what a single witness may forbid. Errc::timed_out after
  /// QuorumTimes::witness. Lives as long as the quorum.
  RpcEndpoint& member(std::size_t index) { return *members_.at(index); }

 private:
  /// Whether what was answered so far is enough: not yet, soon (after the grace), now.
  enum class Enough : std::uint8_t { not_yet, soon, now };
  using Votes = std::vector<std::optional<Result<Json>>>;  // by member; empty = no answer so far
  using Judge = std::function<Enough(const Votes&)>;
  // Makes an answer comparable; runs in a member's thread, maybe when nobody waits any more.
  using Reader = std::function<Result<Json>(Result<Json>)>;
  struct Round;

  Votes ask(const std::string& method, const Json& params, const Reader& reader,
            const Judge& judge);
  bool wait_once(Round& round, std::unique_lock<std::mutex>& lock, const Judge& judge);
  Votes ask_everyone(const std::string& method, const Json& params, const Reader& reader);
  [[nodiscard]] bool only_hanging_ones_missing(const Votes& votes) const;
  [[nodiscard]] Result<Json> agreed(const std::string& method, const Votes& votes) const;
  [[nodiscard]] Error disagreement(const std::string& method, const Votes& votes) const;

  Result<Json> agree(const std::string& method, const Json& params, const Reader& reader);
  Result<Json> chain_id();
  Result<Json> block(const Json& params);
  Result<Json> block_at(std::uint64_t number);
  Result<Json> head();
  Result<std::uint64_t> head_number();
  [[nodiscard]] bool k_near(const std::vector<std::uint64_t>& heads) const;
  [[nodiscard]] std::vector<std::uint64_t> head_candidates(
      const std::vector<std::uint64_t>& heads) const;
  Json remember(const Json& block);
  [[nodiscard]] std::optional<std::uint64_t> remembered() const;
  Result<Json> logs(const Json& params);
  Result<Json> state(const std::string& method, Json params, std::size_t tag_at);
  Result<Json> send(const Json& params);
  Result<Json> ranked(const std::string& method, const Json& params);

  const std::size_t k_;
  const QuorumTimes times_;
  mutable std::mutex mutex_;  // guards the two below
  std::optional<Json> chain_id_;
  std::optional<Json> head_;  // the newest agreed block; its number never goes back
  std::vector<std::unique_ptr<QuorumMember>> members_;  // the last: their threads end first
};

std::unique_ptr<QuorumEndpoint> quorum_endpoint(std::vector<std::unique_ptr<RpcEndpoint>> members,
                                                std::size_t k, QuorumTimes times = {});

}  // namespace sp::chain
