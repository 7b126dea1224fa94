// How fast the log follower catches up, beside the same questions asked and thrown away.
//
// usage: follower_bench [BLOCKS]. One JSON object a line on standard output. A process of its own
// plays the node over HTTP: BLOCKS blocks (100,000), an event of an order's size in every tenth.
// The bound is the time of the bare eth_getLogs calls with the same HttpClient, whose answers
// nobody reads, in the same run. Memory is the peak of this process, the node's not counted.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/testing/temporary_folder.hpp"
#include "chain/follower.hpp"
#include "chain/rpc_json.hpp"
#include "crypto/hash.hpp"
#include "net/http.hpp"

namespace {

using namespace sp;  // NOLINT(google-build-using-namespace)

constexpr std::uint64_t kBlocksDefault = 100'000;
constexpr std::uint64_t kEventEvery = 10;
constexpr std::size_t kEventBytes = 1'536;  // OrderCreated with terms of three parts
constexpr int kRounds = 5;

const Address kContract = Address::from_hex(std::string(40, 'c')).value();

std::string hash_of(std::uint64_t number) {
  return crypto::sha256(as_bytes("block " + std::to_string(number))).hex0x();
}

Json block_json(std::uint64_t number) {
  return {{"number", chain::quantity_text(number)},
          {"hash", hash_of(number)},
          {"parentHash", hash_of(number - 1)},
          {"timestamp", chain::quantity_text(1'000'000 + number)}};
}

std::string log_text(std::uint64_t number) {
  static const std::string data = "0x" + std::string(2 * kEventBytes, 'a');
  const std::string hash = hash_of(number);
  return R"({"address":")" + kContract.hex0x() + R"(","topics":[],"data":")" + data +
         R"(","blockNumber":")" + chain::quantity_text(number) + R"(","blockHash":")" + hash +
         R"(","transactionHash":")" + hash + R"(","logIndex":"0x0"})";
}

// The node: what one thread of it answers.
std::string answer(const Json& request, std::uint64_t blocks,
                   const std::vector<std::string>& logs) {
  const Json& params = request["params"];
  std::string result;
  if (request["method"] == "eth_getBlockByNumber") {
    const bool latest = params[0] == "latest";
    result = block_json(latest ? blocks : *chain::quantity(params[0], "number")).dump();
  } else {
    const std::uint64_t from = *chain::quantity(params[0]["fromBlock"], "from");
    const std::uint64_t to = *chain::quantity(params[0]["toBlock"], "to");
    for (std::uint64_t i = (from + kEventEvery - 1) / kEventEvery; i * kEventEvery <= to; ++i) {
      result += (result.empty() ? "[" : ",") + logs[i];
    }
    result += result.empty() ? "[]" : "]";
  }
  return R"({"jsonrpc":"2.0","id":)" + request["id"].dump() + R"(,"result":)" + result + "}";
}

[[noreturn]] void play_node(std::uint64_t blocks, int port_pipe) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<std::string> logs;
  for (std::uint64_t i = 0; i <= blocks / kEventEvery; ++i) {
    logs.push_back(log_text(i * kEventEvery));
  }
  const auto server = net::HttpServer::start({}, [&](const net::HttpRequest& request) {
    const auto json = parse_json(as_text(request.body), 1 << 20);
    return net::text_response(200, "application/json", json ? answer(*json, blocks, logs) : "");
  });
  SP_CHECK(server.ok());
  const std::uint16_t port = (*server)->port();
  SP_CHECK(::write(port_pipe, &port, sizeof port) == sizeof port);
  for (;;) ::pause();
}

double seconds_of(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count()) * 1e-9;
}

std::chrono::nanoseconds follow(chain::Chain& chain, PosixFiles& files, const Path& folder,
                                std::uint64_t blocks, const Clock& clock) {
  std::filesystem::remove(folder / "cursor");
  chain::Follower::Options options;
  options.contract = kContract;
  options.cursor = folder / "cursor";
  auto follower = chain::Follower::open(chain, files, options);
  SP_CHECK(follower.ok());
  const auto begin = clock.monotonic();
  const auto count = follower->poll([](const chain::Log& entry) -> Status {
    SP_CHECK(entry.data.size() == kEventBytes);
    return {};
  });
  SP_CHECK(count && *count == blocks / kEventEvery + 1);
  return clock.monotonic() - begin;
}

std::chrono::nanoseconds ask_alone(const std::string& url, std::uint64_t blocks,
                                   const Clock& clock) {
  net::HttpClient::Options options;
  options.body_max = chain::kRpcResponseMax;
  net::HttpClient client(options);
  const auto begin = clock.monotonic();
  for (std::uint64_t from = 0; from <= blocks; from += chain::kFollowBlocksMax) {
    const std::uint64_t to = std::min(blocks, from + chain::kFollowBlocksMax - 1);
    const Json body{{"jsonrpc", "2.0"},
                    {"id", 1},
                    {"method", "eth_getLogs"},
                    {"params", Json::array({{{"fromBlock", chain::quantity_text(from)},
                                             {"toBlock", chain::quantity_text(to)}}})}};
    const std::string text = body.dump();
    const auto got = client.call("POST", url, as_bytes(text));
    SP_CHECK(got && got->status == 200);
  }
  return clock.monotonic() - begin;
}

}  // namespace

int main(int count, char** texts) {
  std::uint64_t blocks = kBlocksDefault;
  if (count > 1) {
    const std::string_view text(texts[1]);
    std::from_chars(text.data(), text.data() + text.size(), blocks);
  }
  int ends[2];
  SP_CHECK(::pipe(ends) == 0);
  const pid_t node = ::fork();
  SP_CHECK(node >= 0);
  if (node == 0) play_node(blocks, ends[1]);
  std::uint16_t port = 0;
  SP_CHECK(::read(ends[0], &port, sizeof port) == sizeof port);
  const std::string url = "http://127.0.0.1:" + std::to_string(port);
  const sp::testing::TemporaryFolder folder;
  const SystemClock clock;
  PosixFiles files;
  const auto endpoint = chain::http_endpoint(url, clock);
  chain::Chain chain(*endpoint);
  // The best of some rounds, turn by turn: other load on the machine hits both.
  auto ours = std::chrono::nanoseconds::max(), bare = ours;
  for (int round = 0; round < kRounds; ++round) {
    bare = std::min(bare, ask_alone(url, blocks, clock));
    ours = std::min(ours, follow(chain, files, folder, blocks, clock));
  }
  rusage usage{};
  SP_CHECK(::getrusage(RUSAGE_SELF, &usage) == 0);
  ::kill(node, SIGKILL);
  ::waitpid(node, nullptr, 0);
  const Json line{
      {"bench", "follower"},
      {"blocks", blocks},
      {"events", blocks / kEventEvery + 1},
      {"seconds", seconds_of(ours)},
      {"blocks_per_second", static_cast<double>(blocks) / seconds_of(ours)},
      {"events_per_second", static_cast<double>(blocks / kEventEvery + 1) / seconds_of(ours)},
      {"bare_seconds", seconds_of(bare)},
      {"ratio_to_bare_calls", seconds_of(bare) / seconds_of(ours)},
      {"peak_mib", static_cast<double>(usage.ru_maxrss) / 1024}};
  std::cout << line.dump() << "\n";
  return 0;
}
