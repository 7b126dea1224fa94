// A chain with one node: blocks, a pool, receipts, logs and reorganisations, behind the JSON-RPC of
// an EVM node; the contracts are sim/contracts.hpp.
#pragma once

#include "base/json.hpp"
#include "chain/transaction.hpp"
#include "sim/contracts.hpp"
#include "sim/faults.hpp"

namespace sp::sim {

inline constexpr std::uint64_t kChainId = 31337;

/// A transaction as its sender signed it.
struct SimTx {
  chain::TxHash hash;
  Address sender, to;
  std::uint64_t nonce = 0;
  std::uint64_t tip = 0, fee = 0;  ///< EIP-1559's bids, in wei per gas
  Bytes data;
  /// Errc::malformed, Errc::bad_signature for what isn't an EIP-1559 transaction.
  static Result<SimTx> decode(ByteView raw);
};

/// Everything that the chain knows after a block.
struct ChainState {
  ContractState contracts;
  std::map<Address, std::uint64_t> nonces;
};

struct SimBlock {
  struct Executed {
    SimTx tx;
    CallOutcome outcome;
  };
  std::uint64_t number = 0;
  chain::BlockHash hash, parent;
  std::int64_t time = 0;
  std::vector<Executed> executed;
  std::shared_ptr<const ChainState> state;
  Nanoseconds since{};  ///< when it became known
};

class Node {
 public:
  struct Watchers {
    /// A transaction has changed the state of a new block: the state before and after it.
    std::function<void(const SimBlock::Executed&, std::int64_t time, const ContractState& before,
                       const ContractState& after)>
        on_executed;
    /// A transaction is about to come into the pool, or just has.
    std::function<void(const SimTx& tx, bool in_pool)> on_sent;
    /// The newest block is another one.
    std::function<void()> on_head;
  };
  Node(Tasks& tasks, const SimClock& clock, Contracts contracts, ContractState genesis,
       Faults& faults, Trace& trace, Watchers watchers);

  /// Makes blocks for ever, from block `quiet_from` on only while transactions wait; a task.
  void mine(Nanoseconds period, std::uint64_t quiet_from);
  /// Replaces the newest `depth` blocks now. What was in them is in the first that may hold it, or
  /// comes two blocks after the last.
  void take_back(std::uint64_t depth, bool back);
  /// The answer to one call, as of `behind` blocks ago.
  Result<Json> answer(const std::string& method, const Json& params, std::uint64_t behind);

  [[nodiscard]] const SimBlock& head() const { return blocks_.back(); }
  [[nodiscard]] const std::vector<SimBlock>& blocks() const { return blocks_; }
  [[nodiscard]] const ContractState& state() const { return head().state->contracts; }
  [[nodiscard]] const Contracts& contracts() const { return contracts_; }
  /// Every newest block there has been, also those that are gone.
  struct Head {
    Nanoseconds since;
    std::int64_t time;
    std::shared_ptr<const ChainState> state;
  };
  [[nodiscard]] const std::vector<Head>& heads() const { return heads_; }
  /// Transactions of the pool in whose place one came that bid more.
  [[nodiscard]] std::uint64_t replaced() const { return replaced_; }

 private:
  struct Waiting {
    SimTx tx;
    std::uint64_t from_block = 0;
    bool stuck = false;  // bids too little, until the calm
  };
  void add_block(std::int64_t time);
  bool execute_next(const Address& sender, SimBlock& block, ChainState& state);
  void reorganise();
  std::vector<SimTx> pop_blocks(std::uint64_t depth, std::vector<std::int64_t>& times);
  void wait_again(SimTx tx, std::uint64_t from_block);
  [[nodiscard]] bool waits() const;
  Result<Json> send_raw(ByteView raw);
  Result<Json> add_to_pool(SimTx tx);
  [[nodiscard]] Result<Json> transaction_count(const Json& params, std::uint64_t last) const;
  [[nodiscard]] std::uint64_t pending_nonce(const Address& account) const;
  [[nodiscard]] Json block_json(const SimBlock& block) const;
  [[nodiscard]] Json receipt_json(const SimBlock& block, std::size_t index) const;
  [[nodiscard]] Json receipt_of(const Json& hash, std::uint64_t last) const;
  [[nodiscard]] Json logs_json(const Json& filter, std::uint64_t last) const;
  Result<Json> call(const Json& object, const SimBlock& at, bool estimate) const;

  Tasks& tasks_;
  const SimClock& clock_;
  Contracts contracts_;
  Faults& faults_;
  Trace& trace_;
  Watchers watchers_;
  std::vector<SimBlock> blocks_;
  std::vector<Head> heads_;
  std::map<Address, std::map<std::uint64_t, Waiting>> pool_;
  std::uint64_t forks_ = 0;
  std::uint64_t replaced_ = 0;
};

/// An endpoint of the node as one process sees it: late, busy, silent, or standing still.
class SimEndpoint final : public chain::RpcEndpoint {
 public:
  SimEndpoint(Node& node, Tasks& tasks, Faults& faults)
      : node_(node), tasks_(tasks), faults_(faults) {}
  Result<Json> call(const std::string& method, const Json& params) override;

 private:
  Result<Json> once(const std::string& method, const Json& params);
  std::uint64_t blocks_behind();

  Node& node_;
  Tasks& tasks_;
  Faults& faults_;
  std::uint64_t stands_at_ = 0;
  Nanoseconds stands_until_{0};
};

}  // namespace sp::sim
