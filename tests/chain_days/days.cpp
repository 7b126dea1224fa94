#include "days.hpp"

#include <signal.h>

#include <nlohmann/json.hpp>

#include "base/testing/must.hpp"

namespace sp::hostile {
namespace {

constexpr std::chrono::seconds kWaitLimit{30};

bool is_transaction(const net::HttpRequest& request) {
  return as_text(request.body).find("eth_sendRawTransaction") != std::string_view::npos;
}

}  // namespace

void Days::TearDown() {
  go_ = true;
  for (const char* name : {"chain", "broker", "provider"}) town.signal_daemon(name, SIGCONT);
  automine(true);
  town.behave();
  mine(kApart);
}

void Days::mine(int blocks) { town.rpc("anvil_mine", Json::array({blocks})); }

void Days::reorganise(int depth, const std::string& back) {
  Json pairs = Json::array();
  if (!back.empty()) pairs.push_back(Json::array({back, 0}));
  town.rpc("anvil_reorg", Json::array({depth, pairs}));
}

std::string Days::creation_of(const Placed& placed) {
  const auto created = must(town.market().find_created(placed.id, placed.block, placed.block));
  return town.rpc("eth_getRawTransactionByHash", Json::array({created.tx.hex0x()}))
      .get<std::string>();
}

void Days::send_raw(const std::string& raw) {
  town.rpc("eth_sendRawTransaction", Json::array({raw}));
}

void Days::automine(bool on) { town.rpc("evm_setAutomine", Json::array({on})); }

void Days::wait_until(const std::function<bool()>& holds, const std::string& what) {
  const auto deadline = town.clock().monotonic() + kWaitLimit;
  while (!holds()) {
    if (town.clock().monotonic() > deadline) throw std::runtime_error("waited for " + what);
    town.clock().sleep_for(std::chrono::milliseconds(5));
  }
}

market::OrderStatus Days::status_of(const Placed& placed) {
  return must(town.market().order(placed.id)).status;
}

void Days::hold(HostileProxy& proxy, const std::string& path) {
  reached_ = go_ = false;
  proxy.on_request([this, path](net::HttpRequest& request) -> std::optional<net::HttpResponse> {
    const bool held = path.empty() ? is_transaction(request) : request.path == path;
    if (!held) return std::nullopt;
    reached_ = true;
    while (!go_) town.clock().sleep_for(std::chrono::milliseconds(2));
    return std::nullopt;
  });
}

void Days::hold_transactions() { hold(*town.provider_rpc, ""); }

}  // namespace sp::hostile
