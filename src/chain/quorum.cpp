#include "chain/quorum.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "chain/quorum_answer.hpp"
#include "chain/rpc_json.hpp"
#include "chain/transaction.hpp"
#include "crypto/hash.hpp"

namespace sp::chain {
namespace {

using std::chrono::steady_clock;

bool is_vote(const std::optional<Result<Json>>& answer) {
  return answer && (answer->ok() || is_refusal(answer->error()));
}

template <class Votes>
std::size_t count_votes(const Votes& votes) {
  return static_cast<std::size_t>(std::count_if(votes.begin(), votes.end(), is_vote));
}

// The members whose answers are as this one's.
template <class Votes>
std::vector<std::size_t> group_of(const Votes& votes, std::size_t index) {
  std::vector<std::size_t> group;
  if (!is_vote(votes[index])) return group;
  for (std::size_t i = 0; i < votes.size(); ++i) {
    if (is_vote(votes[i]) && same_answer(*votes[i], *votes[index])) group.push_back(i);
  }
  return group;
}

template <class Votes>
std::vector<std::size_t> largest_group(const Votes& votes) {
  std::vector<std::size_t> largest;
  for (std::size_t i = 0; i < votes.size(); ++i) {
    auto group = group_of(votes, i);
    if (group.size() > largest.size()) largest = std::move(group);
  }
  return largest;
}

// Of refusals that mean the same, the words that most have; of several such, the first member's.
template <class Votes>
Error most_common(const Votes& votes, const std::vector<std::size_t>& group) {
  std::size_t best = 0;
  std::optional<Error> found;
  for (const std::size_t i : group) {
    const auto same = std::count_if(group.begin(), group.end(), [&](std::size_t j) {
      return votes[j]->error() == votes[i]->error();
    });
    if (static_cast<std::size_t>(same) <= best) continue;
    best = static_cast<std::size_t>(same);
    found = votes[i]->error();
  }
  SP_CHECK(found.has_value());
  return *found;
}

// Where so many name other chains that no k can agree, whatever the silent ones will say.
template <class Votes>
std::optional<Error> different_chains(const Votes& votes, std::size_t k) {
  std::size_t silent = 0, largest = 0;
  std::string ids;
  for (std::size_t i = 0; i < votes.size(); ++i) {
    if (!votes[i] || !votes[i]->ok()) {
      ++silent;
      continue;
    }
    const auto group = group_of(votes, i);
    largest = std::max(largest, group.size());
    if (group[0] == i) ids += (ids.empty() ? "" : " and ") + answer_words(*votes[i]);
  }
  if (largest + silent >= k) return std::nullopt;
  return Error{Errc::usage, "the endpoints are of different chains: " + ids};
}

Error unsupported(const std::string& what) {
  return {Errc::unsupported, "a quorum of endpoints doesn't answer " + what};
}

// A block as all members must give it: null, or one that can be read.
Result<Json> read_block(Result<Json> answer, std::optional<std::uint64_t> number) {
  auto block = comparable("eth_getBlockByNumber", std::move(answer));
  if (!block || block->is_null()) return block;
  SP_ASSIGN(const Block parsed, parse_block(*block));
  if (number && parsed.number != *number) return Error{Errc::malformed, "it gives another block"};
  return block;
}

std::uint64_t number_of(const Json& block) {
  const auto parsed = parse_block(block);
  SP_CHECK(parsed.ok());  // read_block read it
  return parsed->number;
}

// Of blocks that read_block read; the highest first.
template <class Votes>
std::vector<std::uint64_t> heads_of(const Votes& votes) {
  std::vector<std::uint64_t> heads;
  for (const auto& vote : votes) {
    if (vote && vote->ok() && !(*vote)->is_null()) heads.push_back(number_of(**vote));
  }
  std::sort(heads.rbegin(), heads.rend());
  return heads;
}

}  // namespace

struct QuorumEndpoint::Round {
  explicit Round(std::size_t members) : votes(members) {}

  void put(std::size_t index, Result<Json> answer) {
    const std::lock_guard lock(mutex);
    if (!closed) votes[index] = std::move(answer);
    wake.notify_one();
  }

  std::mutex mutex;  // guards all below
  std::condition_variable wake;
  bool closed = false;
  Votes votes;
  steady_clock::time_point until;
  bool in_grace = false;
};

QuorumEndpoint::QuorumEndpoint(std::vector<std::unique_ptr<RpcEndpoint>> members, std::size_t k,
                               QuorumTimes times)
    : k_(k), times_(times) {
  SP_CHECK(members.size() >= 2 && members.size() <= kQuorumMembersMax);
  SP_CHECK(k <= members.size() && 2 * k > members.size());
  for (auto& member : members) {
    members_.push_back(std::make_unique<QuorumMember>(std::move(member), times.witness));
  }
}

std::unique_ptr<QuorumEndpoint> quorum_endpoint(std::vector<std::unique_ptr<RpcEndpoint>> members,
                                                std::size_t k, QuorumTimes times) {
  return std::make_unique<QuorumEndpoint>(std::move(members), k, times);
}

// Asks all, and returns what was answered when the judge says that it is enough, all have answered
// or the deadline is over; who hasn't answered has timed out.
QuorumEndpoint::Votes QuorumEndpoint::ask(const std::string& method, const Json& params,
                                          const Reader& reader, const Judge& judge) {
  const auto round = std::make_shared<Round>(members_.size());
  round->until = steady_clock::now() + times_.deadline;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    members_[i]->ask(method, params, times_.deadline, [round, i, reader](Result<Json> answer) {
      round->put(i, reader(std::move(answer)));
    });
  }
  std::unique_lock lock(round->mutex);
  while (wait_once(*round, lock, judge)) {
  }
  round->closed = true;
  Votes votes = std::move(round->votes);
  for (std::size_t i = 0; i < votes.size(); ++i) {
    if (votes[i]) continue;
    votes[i] = Error{Errc::timed_out, "no answer in time"};
    // Where the time was up, not where the others were enough at once.
    if (steady_clock::now() >= round->until) members_[i]->note_hanging();
  }
  return votes;
}

// False where there is nothing left to wait for.
bool QuorumEndpoint::wait_once(Round& round, std::unique_lock<std::mutex>& lock,
                               const Judge& judge) {
  const bool all = std::all_of(round.votes.begin(), round.votes.end(),
                               [](const auto& vote) { return vote.has_value(); });
  const Enough enough = judge(round.votes);
  if (all || enough == Enough::now) return false;
  if (enough == Enough::soon && !round.in_grace) {
    // An endpoint that hangs costs the grace once, not every time.
    if (only_hanging_ones_missing(round.votes)) return false;
    round.in_grace = true;
    round.until = std::min(round.until, steady_clock::now() + times_.grace);
  }
  return round.wake.wait_until(lock, round.until) == std::cv_status::no_timeout;
}

bool QuorumEndpoint::only_hanging_ones_missing(const Votes& votes) const {
  for (std::size_t i = 0; i < votes.size(); ++i) {
    if (!votes[i] && !members_[i]->hangs()) return false;
  }
  return true;
}

QuorumEndpoint::Votes QuorumEndpoint::ask_everyone(const std::string& method, const Json& params,
                                                   const Reader& reader) {
  return ask(method, params, reader, [this](const Votes& votes) {
    return count_votes(votes) >= k_ ? Enough::soon : Enough::not_yet;
  });
}

Result<Json> QuorumEndpoint::agreed(const std::string& method, const Votes& votes) const {
  const auto group = largest_group(votes);
  if (group.size() < k_) return disagreement(method, votes);
  if (!votes[group[0]]->ok()) return most_common(votes, group);
  return *votes[group[0]];
}

Error QuorumEndpoint::disagreement(const std::string& method, const Votes& votes) const {
  std::string words = method + ": " + std::to_string(k_) + " of " + std::to_string(size()) +
                      " endpoints must agree";
  std::vector<bool> told(votes.size());
  for (std::size_t i = 0; i < votes.size(); ++i) {
    if (told[i] || !votes[i]) continue;
    auto group = group_of(votes, i);
    if (group.empty()) group = {i};
    for (const std::size_t j : group) told[j] = true;
    words += "; " + std::to_string(group.size()) + ": " + answer_words(*votes[i]);
  }
  return {Errc::unavailable, words};
}

Result<Json> QuorumEndpoint::agree(const std::string& method, const Json& params,
                                   const Reader& reader) {
  const auto judge = [this](const Votes& votes) {
    const auto missing =
        static_cast<std::size_t>(std::count(votes.begin(), votes.end(), std::nullopt));
    const std::size_t largest = largest_group(votes).size();
    const bool decided = largest >= k_ || largest + missing < k_;
    return decided ? Enough::now : Enough::not_yet;
  };
  return agreed(method, ask(method, params, reader, judge));
}

Result<Json> QuorumEndpoint::call(const std::string& method, const Json& params) {
  if (!params.is_array()) return unsupported(method + " without a list of parameters");
  if (method == "eth_chainId") return chain_id();
  if (method == "eth_getBlockByNumber") return block(params);
  if (method == "eth_getLogs") return logs(params);
  if (method == "eth_sendRawTransaction") return send(params);
  if (method == "eth_estimateGas" || method == "eth_maxPriorityFeePerGas") {
    return ranked(method, params);
  }
  if (method == "eth_getTransactionReceipt") {
    return agree(method, params,
                 [method](Result<Json> answer) { return comparable(method, std::move(answer)); });
  }
  const bool reads_state = method == "eth_call" || method == "eth_getBalance" ||
                           method == "eth_getCode" || method == "eth_getTransactionCount";
  return reads_state ? state(method, params, 1) : unsupported(method);
}

Result<Json> QuorumEndpoint::chain_id() {
  {
    const std::lock_guard lock(mutex_);
    if (chain_id_) return *chain_id_;
  }
  const auto reader = [](Result<Json> answer) {
    return comparable("eth_chainId", std::move(answer));
  };
  // One that lies and one that is late keep nobody from the id that the others agree on.
  const Votes votes = ask("eth_chainId", Json::array(), reader, [this](const Votes& so_far) {
    return largest_group(so_far).size() >= k_ ? Enough::soon : Enough::not_yet;
  });
  const auto id = agreed("eth_chainId", votes);
  if (!id) return different_chains(votes, k_).value_or(id.error());
  for (std::size_t i = 0; i < votes.size(); ++i) {
    if (!votes[i] || !votes[i]->ok() || **votes[i] == *id) continue;
    log(LogLevel::warning, "chain_other_id",
        {{"endpoint", std::to_string(i + 1)},
         {"said", answer_words(*votes[i])},
         {"agreed", answer_words(*id)}});
  }
  // A chain never changes its id, so who lies about it later is not heard.
  const std::lock_guard lock(mutex_);
  chain_id_ = *id;
  return *id;
}

Result<Json> QuorumEndpoint::block(const Json& params) {
  const bool whole = params.size() > 1 && params[1] != false;
  if (params.empty() || whole) return unsupported("blocks with transactions");
  if (params[0] == "latest") return head();
  const auto number = quantity(params[0], "block number");
  if (!number) return unsupported("blocks by anything but a number or \"latest\"");
  return block_at(*number);
}

Result<Json> QuorumEndpoint::block_at(std::uint64_t number) {
  return agree("eth_getBlockByNumber", Json::array({quantity_text(number), false}),
               [number](Result<Json> answer) { return read_block(std::move(answer), number); });
}

// Whether the k highest are within what sound members' heads differ by.
bool QuorumEndpoint::k_near(const std::vector<std::uint64_t>& heads) const {
  return heads.size() >= k_ && heads[0] - heads[k_ - 1] <= kQuorumLagMax;
}

// Members' heads differ by what each has heard of so far. The k-th highest is one that k members
// should have; where one of them lies or is on a fork, the next lower ones are tried, down to the
// block that was agreed on before.
Result<Json> QuorumEndpoint::head() {
  const std::string method = "eth_getBlockByNumber";
  const Votes votes = ask(
      method, Json::array({"latest", false}),
      [](Result<Json> answer) { return read_block(std::move(answer), std::nullopt); },
      [this](const Votes& so_far) {
        return k_near(heads_of(so_far)) ? Enough::soon : Enough::not_yet;
      });
  const std::vector<std::uint64_t> heads = heads_of(votes);
  // Where all have answered, the k-th highest is between two sound members' heads. Where one is
  // missing, a single liar could pull it far back.
  if (heads.size() < k_ || (heads.size() < size() && !k_near(heads))) {
    return disagreement(method, votes);
  }
  // Mostly all have the same head, and no second question is needed.
  const auto group = largest_group(votes);
  if (group.size() >= k_ && votes[group[0]]->ok() && !(*votes[group[0]])->is_null()) {
    const std::uint64_t number = number_of(**votes[group[0]]);
    if (number == heads[k_ - 1] && number >= remembered().value_or(0)) {
      return remember(**votes[group[0]]);
    }
  }
  std::optional<Error> first;
  for (const std::uint64_t number : head_candidates(heads)) {
    const auto block = block_at(number);
    if (block && !block->is_null()) return remember(*block);
    if (!first) {
      const Error gone{Errc::unavailable, "the endpoints agree that block " +
                                              std::to_string(number) + " isn't there (any more)"};
      first = block ? gone : block.error();
    }
  }
  return first ? *first : disagreement(method, votes);
}

// `heads` from the highest, at least k.
std::vector<std::uint64_t> QuorumEndpoint::head_candidates(
    const std::vector<std::uint64_t>& heads) const {
  const std::uint64_t highest = heads[k_ - 1];
  const std::uint64_t floor = remembered().value_or(0);
  std::vector<std::uint64_t> candidates;
  const auto add = [&](std::uint64_t number) {
    const bool behind = number < highest && highest - number > kQuorumLagMax;
    const bool known = !candidates.empty() && candidates.back() == number;
    if (!behind && !known) candidates.push_back(number);
  };
  for (std::size_t i = k_ - 1; i < heads.size(); ++i) add(std::max(heads[i], floor));
  if (remembered()) add(floor);
  return candidates;
}

// Answers with the newest agreed block: another thread may have seen a newer one meanwhile.
Json QuorumEndpoint::remember(const Json& block) {
  const std::lock_guard lock(mutex_);
  if (!head_ || number_of(block) >= number_of(*head_)) head_ = block;
  return *head_;
}

std::optional<std::uint64_t> QuorumEndpoint::remembered() const {
  const std::lock_guard lock(mutex_);
  if (!head_) return std::nullopt;
  return number_of(*head_);
}

Result<std::uint64_t> QuorumEndpoint::head_number() {
  SP_ASSIGN(const Json block, head());
  return number_of(block);
}

Result<Json> QuorumEndpoint::logs(const Json& params) {
  const bool has_range = params.size() == 1 && params[0].is_object() &&
                         params[0].contains("fromBlock") && params[0].contains("toBlock") &&
                         !params[0].contains("blockHash");
  if (!has_range) return unsupported("eth_getLogs without a range of blocks");
  Json filter = params[0];
  SP_ASSIGN(const std::uint64_t from, quantity(filter["fromBlock"], "fromBlock"));
  std::uint64_t newest = remembered().value_or(0);
  if (filter["toBlock"] == "latest") {
    SP_ASSIGN(newest, head_number());
    filter["toBlock"] = quantity_text(newest);
  }
  SP_ASSIGN(const std::uint64_t to, quantity(filter["toBlock"], "toBlock"));
  if (to > newest || from > newest) {
    SP_ASSIGN(newest, head_number());
  }
  // Members that don't have the blocks yet would agree that there is nothing in them.
  if (to > newest || from > newest) {
    return Error{Errc::unavailable, "logs up to block " + std::to_string(to) +
                                        ", the endpoints agree on block " + std::to_string(newest)};
  }
  return agree("eth_getLogs", Json::array({filter}),
               [](Result<Json> answer) { return comparable("eth_getLogs", std::move(answer)); });
}

Result<Json> QuorumEndpoint::state(const std::string& method, Json params, std::size_t tag_at) {
  if (params.size() != tag_at + 1) return unsupported(method + " without a block");
  Json& tag = params[tag_at];
  if (tag == "pending" && method == "eth_getTransactionCount") return ranked(method, params);
  if (tag == "latest") {
    SP_ASSIGN(const std::uint64_t newest, head_number());
    tag = quantity_text(newest);
  } else if (!quantity(tag, "block")) {
    return unsupported(method + " at anything but a block's number or \"latest\"");
  }
  return agree(method, params,
               [method](Result<Json> answer) { return comparable(method, std::move(answer)); });
}

// To all. One that accepts is enough for it to reach the chain; the others are waited for a little,
// so that they know of it at the next question. An endpoint that names another hash took nothing.
Result<Json> QuorumEndpoint::send(const Json& params) {
  const std::string method = "eth_sendRawTransaction";
  if (params.size() != 1) return unsupported(method + " with other parameters than one");
  SP_ASSIGN(const Bytes raw, data_bytes(params[0], "transaction"));
  const Json hash = crypto::keccak256(raw).hex0x();
  const auto reader = [hash, method](Result<Json> answer) -> Result<Json> {
    if (!answer) return is_known_transaction(answer.error()) ? Result<Json>(hash) : answer;
    auto named = comparable(method, std::move(answer));
    if (*named == hash) return named;
    return Error{Errc::mismatch, "names another transaction than was sent"};
  };
  const auto accepted = [](const Votes& votes) {
    return static_cast<std::size_t>(std::count_if(
        votes.begin(), votes.end(), [](const auto& vote) { return vote && vote->ok(); }));
  };
  const Votes votes = ask(method, params, reader, [&](const Votes& so_far) {
    if (accepted(so_far) >= k_) return Enough::now;
    const bool some = accepted(so_far) > 0 && count_votes(so_far) >= k_;
    return some ? Enough::soon : Enough::not_yet;
  });
  if (accepted(votes) > 0) return hash;
  std::vector<std::size_t> refusals;
  for (std::size_t i = 0; i < votes.size(); ++i) {
    if (is_vote(votes[i])) refusals.push_back(i);
  }
  if (refusals.size() < k_) return disagreement(method, votes);
  return most_common(votes, refusals);
}

// Numbers on which sound members differ: the k-th highest is at least one sound member's and at
// most another's, if fewer than k lie and at most n - k.
Result<Json> QuorumEndpoint::ranked(const std::string& method, const Json& params) {
  const Votes votes = ask_everyone(method, params, [method](Result<Json> answer) -> Result<Json> {
    if (!answer) return answer;
    SP_TRY(quantity_amount(*answer, method));
    return comparable(method, std::move(answer));
  });
  std::vector<Amount> numbers;
  for (const auto& vote : votes) {
    if (vote && vote->ok()) numbers.push_back(*quantity_amount(**vote, method));
  }
  if (numbers.size() < k_) return agreed(method, votes);
  std::sort(numbers.rbegin(), numbers.rend());
  return Json(quantity_text(numbers[k_ - 1]));
}

}  // namespace sp::chain
