// A node of a chain in memory for tests: blocks with a fork's name each, one log and one
// transaction a block, state that tells its block. It can lie, hang and be down. Safe to call from
// any thread.
#pragma once

#include <condition_variable>
#include <map>

#include "chain/rpc_json.hpp"
#include "chain/testing/fake_endpoint.hpp"
#include "crypto/hash.hpp"

namespace sp::chain::testing {

class FakeNode {
 public:
  /// What it answers in place of the truth; empty = the truth.
  using Lie = std::function<std::optional<Result<Json>>(const std::string&, const Json&)>;

  explicit FakeNode(std::size_t blocks) { grow(blocks, "main"); }

  void grow(std::size_t count, const std::string& fork) {
    const std::lock_guard lock(mutex_);
    forks_.resize(forks_.size() + count, fork);
  }
  /// Replaces the newest `depth` blocks by `count` of another fork.
  void reorganise(std::size_t depth, std::size_t count, const std::string& fork) {
    const std::lock_guard lock(mutex_);
    forks_.resize(forks_.size() - depth);
    forks_.resize(forks_.size() + count, fork);
  }
  void lie(Lie how) {
    const std::lock_guard lock(mutex_);
    lie_ = std::move(how);
  }
  /// Every call gets this error.
  void fail(const Error& error) {
    lie([error](const auto&, const auto&) { return Result<Json>(error); });
  }
  /// Calls get no answer until it is let go; at the end of the test at the latest.
  void hang(bool hangs) {
    const std::lock_guard lock(mutex_);
    hangs_ = hangs;
    wake_.notify_all();
  }
  [[nodiscard]] std::vector<Json> asked(const std::string& method) const {
    const std::lock_guard lock(mutex_);
    const auto found = asked_.find(method);
    return found == asked_.end() ? std::vector<Json>() : found->second;
  }

  Result<Json> answer(const std::string& method, const Json& params) {
    std::unique_lock lock(mutex_);
    asked_[method].push_back(params);
    wake_.wait(lock, [this] { return !hangs_; });
    if (lie_) {
      const Lie how = lie_;
      lock.unlock();
      if (auto said = how(method, params)) return *said;
      lock.lock();
    }
    return truth(method, params);
  }

  /// Its endpoint; the node must outlive it.
  std::unique_ptr<RpcEndpoint> endpoint() {
    return std::make_unique<FakeEndpoint>(
        [this](const std::string& method, const Json& params) { return answer(method, params); });
  }

  static std::string hash(std::uint64_t number, const std::string& fork) {
    const std::string text = "block " + std::to_string(number) + " " + fork;
    return crypto::sha256(as_bytes(text)).hex0x();
  }
  static Address contract() { return Address::from_hex(std::string(40, 'c')).value(); }

  static Json block(std::uint64_t number, const std::string& fork) {
    return {{"number", quantity_text(number)},
            {"hash", hash(number, fork)},
            {"parentHash", hash(number + 1'000'000, fork)},
            {"timestamp", quantity_text(1'000 + number)},
            {"baseFeePerGas", "0x7"}};
  }
  static Json log(std::uint64_t number, const std::string& fork) {
    return {{"address", contract().hex0x()},
            {"topics", Json::array()},
            {"data", "0x"},
            {"blockNumber", quantity_text(number)},
            {"blockHash", hash(number, fork)},
            {"transactionHash", hash(number, fork)},
            {"logIndex", "0x0"}};
  }
  /// The receipt of the transaction that has its block's hash for its own.
  static Json receipt(std::uint64_t number, const std::string& fork) {
    return {{"transactionHash", hash(number, fork)},
            {"status", "0x1"},
            {"blockNumber", quantity_text(number)},
            {"blockHash", hash(number, fork)},
            {"gasUsed", "0x5208"},
            {"contractAddress", Json()},
            {"logs", Json::array({log(number, fork)})}};
  }

 private:
  [[nodiscard]] std::uint64_t number_in(const Json& tag) const {
    return tag == "latest" ? forks_.size() - 1 : quantity(tag, "number").value();
  }

  Result<Json> truth(const std::string& method, const Json& params) const {
    if (method == "eth_chainId") return Json("0x7a69");
    if (method == "eth_estimateGas") return Json("0x5208");
    if (method == "eth_maxPriorityFeePerGas") return Json("0x1");
    if (method == "eth_sendRawTransaction") {
      return Json(crypto::keccak256(from_hex(params[0].get<std::string>()).value()).hex0x());
    }
    if (method == "eth_getTransactionCount" && params[1] == "pending") return Json("0x5");
    if (method == "eth_getLogs") return truth_of_logs(params[0]);
    if (method == "eth_getTransactionReceipt") {
      for (std::size_t i = 0; i < forks_.size(); ++i) {
        if (params[0] == hash(i, forks_[i])) return receipt(i, forks_[i]);
      }
      return Json();
    }
    const bool of_block = method == "eth_getBlockByNumber";
    const std::uint64_t number = number_in(params[of_block ? 0 : 1]);
    if (number >= forks_.size()) {
      return of_block ? Result<Json>(Json()) : Error{Errc::refused, method + ": unknown block"};
    }
    return of_block ? block(number, forks_[number]) : Json(hash(number, forks_[number]));
  }

  Json truth_of_logs(const Json& filter) const {
    Json logs = Json::array();
    const std::uint64_t to = number_in(filter["toBlock"]);
    for (std::uint64_t i = number_in(filter["fromBlock"]); i <= to && i < forks_.size(); ++i) {
      logs.push_back(log(i, forks_[i]));
    }
    return logs;
  }

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  std::vector<std::string> forks_;  // by block number
  Lie lie_;
  bool hangs_ = false;
  std::map<std::string, std::vector<Json>> asked_;
};

}  // namespace sp::chain::testing
