#include "sim/node.hpp"

#include <nlohmann/json.hpp>

#include "chain/rpc_json.hpp"
#include "crypto/hash.hpp"

namespace sp::sim {
namespace {

using chain::quantity_text;

constexpr std::uint64_t kGas = 300'000;

// One item of RLP: its whole encoding and its payload.
struct RlpItem {
  ByteView whole, payload;
};

Result<RlpItem> rlp_item(ByteView bytes) {
  const Error bad{Errc::malformed, "not RLP"};
  if (bytes.empty()) return bad;
  const std::uint8_t first = bytes[0];
  if (first < 0x80) return RlpItem{bytes.first(1), bytes.first(1)};
  const std::uint8_t offset = first < 0xc0 ? 0x80 : 0xc0;
  std::size_t size = static_cast<std::size_t>(first - offset);
  std::size_t head = 1;
  if (size > 55) {
    const std::size_t digits = size - 55;
    if (digits > 4 || bytes.size() < 1 + digits) return bad;
    size = 0;
    for (std::size_t i = 0; i < digits; ++i) size = size << 8 | bytes[1 + i];
    head += digits;
  }
  if (bytes.size() < head + size) return bad;
  return RlpItem{bytes.first(head + size), bytes.subspan(head, size)};
}

Digest32 left_padded(ByteView bytes) {
  Digest32 word;
  const std::size_t size = std::min<std::size_t>(bytes.size(), 32);
  std::copy(bytes.end() - static_cast<std::ptrdiff_t>(size), bytes.end(),
            word.data.end() - static_cast<std::ptrdiff_t>(size));
  return word;
}

std::uint64_t small_number(ByteView bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

// Whether a pool takes it in the other's place: for a tenth more of both, as go-ethereum's does.
bool outbids(const SimTx& tx, const SimTx& held) {
  return tx.tip * 10 >= held.tip * 11 && tx.fee * 10 >= held.fee * 11;
}

chain::BlockHash block_hash(std::uint64_t number, std::uint64_t fork) {
  const std::string text = "block " + std::to_string(number) + " " + std::to_string(fork);
  return {crypto::sha256(as_bytes(text)).data};
}

Json log_json(const SimBlock& block, const SimBlock::Executed& executed, const Emitted& log,
              std::size_t index) {
  Json topics = Json::array();
  for (const Digest32& topic : log.topics) topics.push_back(topic.hex0x());
  return {{"address", log.address.hex0x()},  {"topics", std::move(topics)},
          {"data", to_hex0x(log.data)},      {"blockNumber", quantity_text(block.number)},
          {"blockHash", block.hash.hex0x()}, {"transactionHash", executed.tx.hash.hex0x()},
          {"logIndex", quantity_text(index)}};
}

bool matches(const Emitted& log, const Json& filter) {
  if (log.address.hex0x() != filter["address"]) return false;
  const Json& topics = filter["topics"];
  for (std::size_t i = 0; i < topics.size(); ++i) {
    if (topics[i].is_null()) continue;
    if (i >= log.topics.size() || log.topics[i].hex0x() != topics[i]) return false;
  }
  return true;
}

}  // namespace

Result<SimTx> SimTx::decode(ByteView raw) {
  const Error bad{Errc::malformed, "not an EIP-1559 transaction"};
  if (raw.empty() || raw[0] != 0x02) return bad;
  SP_ASSIGN(const RlpItem list, rlp_item(raw.subspan(1)));
  std::vector<RlpItem> items;
  for (ByteView rest = list.payload; !rest.empty();) {
    SP_ASSIGN(const RlpItem item, rlp_item(rest));
    rest = rest.subspan(item.whole.size());
    items.push_back(item);
  }
  if (items.size() != 12 || small_number(items[0].payload) != kChainId) return bad;
  std::vector<Bytes> unsigned_items;
  for (std::size_t i = 0; i < 9; ++i) unsigned_items.push_back(to_bytes(items[i].whole));
  Bytes unsigned_bytes{0x02};
  append(unsigned_bytes, chain::rlp_list(unsigned_items));
  crypto::EthSignature signature;
  const Digest32 r = left_padded(items[10].payload);
  const Digest32 s = left_padded(items[11].payload);
  std::copy(r.data.begin(), r.data.end(), signature.data.begin());
  std::copy(s.data.begin(), s.data.end(), signature.data.begin() + 32);
  signature.data[64] = static_cast<std::uint8_t>(27 + small_number(items[9].payload));
  SimTx tx;
  SP_ASSIGN(tx.sender, crypto::recover(crypto::keccak256(unsigned_bytes), signature));
  SP_ASSIGN(tx.to, Address::from(items[5].payload));
  tx.hash = {crypto::keccak256(raw).data};
  tx.nonce = small_number(items[1].payload);
  tx.tip = small_number(items[2].payload);
  tx.fee = small_number(items[3].payload);
  tx.data = to_bytes(items[7].payload);
  return tx;
}

Node::Node(Tasks& tasks, const SimClock& clock, Contracts contracts, ContractState genesis,
           Faults& faults, Trace& trace, Watchers watchers)
    : tasks_(tasks),
      clock_(clock),
      contracts_(std::move(contracts)),
      faults_(faults),
      trace_(trace),
      watchers_(std::move(watchers)) {
  SimBlock first;
  first.hash = block_hash(0, 0);
  first.time = clock.unix_seconds();
  first.state = std::make_shared<ChainState>(ChainState{std::move(genesis), {}});
  first.since = tasks.now();
  heads_.push_back({first.since, first.time, first.state});
  blocks_.push_back(std::move(first));
}

// ---- blocks ----

bool Node::waits() const {
  return std::any_of(pool_.begin(), pool_.end(),
                     [](const auto& queue) { return !queue.second.empty(); });
}

void Node::mine(Nanoseconds period, std::uint64_t quiet_from) {
  for (;;) {
    tasks_.sleep(period + std::chrono::milliseconds(faults_.dice().below(1000)));
    if (head().number >= quiet_from && !waits()) continue;
    if (faults_.happens(faults_.rates.reorg)) reorganise();
    add_block(clock_.unix_seconds());
    heads_.push_back({tasks_.now(), head().time, head().state});
    watchers_.on_head();
  }
}

void Node::add_block(std::int64_t time) {
  SimBlock block;
  block.number = blocks_.size();
  block.hash = block_hash(block.number, forks_);
  block.parent = head().hash;
  block.time = std::max(time, head().time + 1);
  block.since = tasks_.now();
  ChainState state;
  bool copied = false;
  std::vector<Address> senders;
  for (const auto& [sender, waiting] : pool_) senders.push_back(sender);
  for (const Address& sender : senders) {
    if (!copied) state = *head().state;
    copied = true;
    while (execute_next(sender, block, state)) {
    }
  }
  block.state =
      block.executed.empty() ? head().state : std::make_shared<const ChainState>(std::move(state));
  trace_.note(tasks_.now(), "block " + std::to_string(block.number) + " of " +
                                std::to_string(block.executed.size()));
  blocks_.push_back(std::move(block));
}

// Executes the sender's next transaction of the pool, if it is there and its time has come.
bool Node::execute_next(const Address& sender, SimBlock& block, ChainState& state) {
  const auto queue = pool_.find(sender);
  if (queue == pool_.end()) return false;
  std::uint64_t& nonce = state.nonces[sender];
  queue->second.erase(queue->second.begin(), queue->second.lower_bound(nonce));
  const auto found = queue->second.find(nonce);
  const bool waits = found == queue->second.end() || found->second.from_block > block.number ||
                     (found->second.stuck && !faults_.over());
  if (waits) {
    if (queue->second.empty()) pool_.erase(queue);
    return false;
  }
  SimTx tx = std::move(found->second.tx);
  queue->second.erase(found);
  ++nonce;
  const ContractState before = state.contracts;
  CallOutcome outcome = contracts_.execute(state.contracts, sender, block.time, tx.to, tx.data);
  trace_.note(tasks_.now(), "tx " + tx.hash.hex().substr(0, 16) + " " +
                                (outcome.reverted ? outcome.why : std::string("done")));
  block.executed.push_back({std::move(tx), std::move(outcome)});
  watchers_.on_executed(block.executed.back(), block.time, before, state.contracts);
  return true;
}

// Takes the newest blocks away: their times, and their transactions from the newest block to the
// oldest.
std::vector<SimTx> Node::pop_blocks(std::uint64_t depth, std::vector<std::int64_t>& times) {
  trace_.note(tasks_.now(), "reorganise " + std::to_string(depth));
  std::vector<SimTx> gone;
  for (std::uint64_t i = 0; i < depth; ++i) {
    times.insert(times.begin(), head().time);
    for (auto& executed : blocks_.back().executed) gone.push_back(std::move(executed.tx));
    blocks_.pop_back();
  }
  ++forks_;
  return gone;
}

void Node::wait_again(SimTx tx, std::uint64_t from_block) {
  const Address sender = tx.sender;
  const std::uint64_t nonce = tx.nonce;
  pool_[sender].insert_or_assign(nonce, Waiting{std::move(tx), from_block});
}

void Node::reorganise() {
  const std::uint64_t depth_max =
      std::min<std::uint64_t>(faults_.rates.reorg_depth, blocks_.size() - 1);
  if (depth_max == 0) return;
  const std::uint64_t depth = faults_.dice().between(1, depth_max);
  std::vector<std::int64_t> times;
  for (SimTx& tx : pop_blocks(depth, times)) {
    if (faults_.happens(faults_.rates.tx_lost)) continue;
    wait_again(std::move(tx), blocks_.size() + faults_.dice().below(depth + 1));
  }
  for (const std::int64_t time : times) add_block(time);
}

void Node::take_back(std::uint64_t depth, bool back) {
  SP_CHECK(depth < blocks_.size());
  std::vector<std::int64_t> times;
  for (SimTx& tx : pop_blocks(depth, times)) {
    wait_again(std::move(tx), blocks_.size() + (back ? 0 : depth + 2));
  }
  for (const std::int64_t time : times) add_block(time);
  heads_.push_back({tasks_.now(), head().time, head().state});
}

// ---- answers ----

// Of an account, in a block or with what waits in the pool.
Result<Json> Node::transaction_count(const Json& params, std::uint64_t last) const {
  SP_ASSIGN(const Address account, Address::from_hex(params[0].get<std::string>()));
  const std::string tag = params[1].get<std::string>();
  if (tag == "pending") return Json(quantity_text(pending_nonce(account)));
  std::uint64_t number = last;
  if (tag != "latest") {
    SP_ASSIGN(number, chain::quantity(params[1], "tag"));
  }
  if (number > last) return Error{Errc::refused, "unknown block"};
  const auto& nonces = blocks_[number].state->nonces;
  const auto mined = nonces.find(account);
  return Json(quantity_text(mined == nonces.end() ? 0 : mined->second));
}

std::uint64_t Node::pending_nonce(const Address& account) const {
  const auto& nonces = head().state->nonces;
  const auto mined = nonces.find(account);
  std::uint64_t nonce = mined == nonces.end() ? 0 : mined->second;
  const auto queue = pool_.find(account);
  if (queue == pool_.end()) return nonce;
  while (queue->second.contains(nonce)) ++nonce;
  return nonce;
}

Result<Json> Node::send_raw(ByteView raw) {
  SP_ASSIGN(const SimTx sent, SimTx::decode(raw));
  watchers_.on_sent(sent, false);
  SP_ASSIGN(Json hash, add_to_pool(sent));
  watchers_.on_sent(sent, true);
  return hash;
}

Result<Json> Node::add_to_pool(SimTx tx) {
  const auto& nonces = head().state->nonces;
  const auto mined = nonces.find(tx.sender);
  if (mined != nonces.end() && tx.nonce < mined->second) {
    return Error{Errc::refused, "nonce too low"};
  }
  auto& queue = pool_[tx.sender];
  if (const auto found = queue.find(tx.nonce); found != queue.end()) {
    if (found->second.tx.hash == tx.hash) return Error{Errc::refused, "already known"};
    if (!outbids(tx, found->second.tx)) {
      return Error{Errc::refused, "replacement transaction underpriced"};
    }
    ++replaced_;
  }
  const Json hash = tx.hash.hex0x();
  const std::uint64_t from = blocks_.size() + (faults_.over() ? 0 : faults_.dice().below(3));
  const std::uint64_t nonce = tx.nonce;
  const bool stuck = faults_.happens(faults_.rates.tx_stuck);
  queue.insert_or_assign(nonce, Waiting{std::move(tx), from, stuck});
  return hash;
}

Json Node::block_json(const SimBlock& block) const {
  return {{"number", quantity_text(block.number)},
          {"hash", block.hash.hex0x()},
          {"parentHash", block.parent.hex0x()},
          {"timestamp", quantity_text(static_cast<std::uint64_t>(block.time))},
          {"baseFeePerGas", "0x7"}};
}

Json Node::receipt_json(const SimBlock& block, std::size_t index) const {
  const SimBlock::Executed& executed = block.executed[index];
  std::size_t log_index = 0;
  for (std::size_t i = 0; i < index; ++i) log_index += block.executed[i].outcome.logs.size();
  Json logs = Json::array();
  for (const Emitted& log : executed.outcome.logs) {
    logs.push_back(log_json(block, executed, log, log_index++));
  }
  return {{"transactionHash", executed.tx.hash.hex0x()},
          {"status", executed.outcome.reverted ? "0x0" : "0x1"},
          {"blockNumber", quantity_text(block.number)},
          {"blockHash", block.hash.hex0x()},
          {"gasUsed", quantity_text(kGas)},
          {"contractAddress", Json()},
          {"logs", std::move(logs)}};
}

Json Node::receipt_of(const Json& hash, std::uint64_t last) const {
  for (std::uint64_t number = last + 1; number-- > 0;) {
    const SimBlock& block = blocks_[number];
    for (std::size_t i = 0; i < block.executed.size(); ++i) {
      if (block.executed[i].tx.hash.hex0x() == hash) return receipt_json(block, i);
    }
  }
  return {};
}

Json Node::logs_json(const Json& filter, std::uint64_t last) const {
  const std::uint64_t from = chain::quantity(filter["fromBlock"], "fromBlock").value();
  const std::uint64_t to = chain::quantity(filter["toBlock"], "toBlock").value();
  Json logs = Json::array();
  for (std::uint64_t number = from; number <= std::min(to, last); ++number) {
    std::size_t index = 0;
    for (const SimBlock::Executed& executed : blocks_[number].executed) {
      for (const Emitted& log : executed.outcome.logs) {
        if (matches(log, filter)) logs.push_back(log_json(blocks_[number], executed, log, index));
        ++index;
      }
    }
  }
  return logs;
}

Result<Json> Node::call(const Json& object, const SimBlock& at, bool estimate) const {
  SP_ASSIGN(const Bytes data, chain::data_bytes(object["data"], "data"));
  SP_ASSIGN(const Address to, Address::from_hex(object["to"].get<std::string>()));
  Address from;
  if (object.contains("from")) {
    SP_ASSIGN(from, Address::from_hex(object["from"].get<std::string>()));
  }
  ContractState state = at.state->contracts;
  const CallOutcome outcome = contracts_.execute(state, from, at.time, to, data);
  if (outcome.reverted) {
    return Error{Errc::refused, "execution reverted: " + outcome.why + " data 0x"};
  }
  return estimate ? Json(quantity_text(kGas)) : Json(to_hex0x(outcome.output));
}

Result<Json> Node::answer(const std::string& method, const Json& params, std::uint64_t behind) {
  const std::uint64_t last = head().number - std::min(behind, head().number);
  const auto number_of = [&](const Json& tag) -> std::uint64_t {
    return tag == "latest" ? last : chain::quantity(tag, "tag").value();
  };
  if (method == "eth_chainId") return Json(quantity_text(kChainId));
  if (method == "eth_maxPriorityFeePerGas") return Json("0x1");
  if (method == "eth_getBlockByNumber") {
    const std::uint64_t number = number_of(params[0]);
    return number > last ? Json() : block_json(blocks_[number]);
  }
  if (method == "eth_getTransactionCount") return transaction_count(params, last);
  if (method == "eth_call") {
    const std::uint64_t number = number_of(params[1]);
    if (number > last) return Error{Errc::refused, "unknown block"};
    return call(params[0], blocks_[number], false);
  }
  if (method == "eth_estimateGas") return call(params[0], blocks_[last], true);
  if (method == "eth_sendRawTransaction") {
    SP_ASSIGN(const Bytes raw, chain::data_bytes(params[0], "transaction"));
    return send_raw(raw);
  }
  if (method == "eth_getTransactionReceipt") return receipt_of(params[0], last);
  if (method == "eth_getLogs") return logs_json(params[0], last);
  return Error{Errc::refused, method + ": no such method"};
}

// ---- the endpoint ----

// A node that falls behind stands still for a while; it never goes back.
std::uint64_t SimEndpoint::blocks_behind() {
  const std::uint64_t newest = node_.head().number;
  if (tasks_.now() >= stands_until_ || faults_.over()) {
    if (!faults_.happens(faults_.rates.rpc_behind)) return 0;
    stands_at_ = newest;
    stands_until_ = tasks_.now() + std::chrono::seconds(faults_.dice().between(3, 30));
    faults_.note(stands_until_);
  }
  return newest - std::min(newest, stands_at_);
}

Result<Json> SimEndpoint::once(const std::string& method, const Json& params) {
  tasks_.sleep(std::chrono::microseconds(faults_.dice().between(200, 30'000)));
  if (faults_.happens(faults_.rates.rpc_busy)) return Error{Errc::unavailable, "HTTP status 429"};
  const std::uint64_t behind = blocks_behind();
  if (!faults_.happens(faults_.rates.rpc_lost)) return node_.answer(method, params, behind);
  if (faults_.dice().chance(500)) static_cast<void>(node_.answer(method, params, behind).ok());
  tasks_.sleep(chain::kRpcTimeout);
  return Error{Errc::timed_out, "no answer from the RPC endpoint"};
}

Result<Json> SimEndpoint::call(const std::string& method, const Json& params) {
  // As chain's endpoint over HTTP retries.
  auto pause = chain::kRpcPauseFirst;
  for (int tries = 1;; ++tries) {
    auto answer = once(method, params);
    const bool may_pass = !answer && (answer.error().code == Errc::unavailable ||
                                      answer.error().code == Errc::timed_out);
    if (!may_pass || tries >= 3) return answer;
    tasks_.sleep(pause);
    pause *= 2;
  }
}

}  // namespace sp::sim
