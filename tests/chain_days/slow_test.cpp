// A chain whose blocks come every 12 seconds: what `spctl offers create compute` sells leaves the
// provider the time to settle what its customer cancels.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/testing/must.hpp"
#include "days.hpp"

namespace sp::hostile {
namespace {

constexpr std::int64_t kBlockSeconds = 12;

class SlowBlocks : public Days {
 protected:
  // What a command of spctl prints as JSON.
  Json told(std::vector<std::string> line) {
    line.insert(line.begin(), "--json");
    const CommandOutput output = town.spctl(std::move(line));
    if (output.end.exit_code != 0) throw std::runtime_error(output.text);
    return must(parse_json(output.text.substr(output.text.find('{')), 1 << 20));
  }
  bool provider_has_sent() {
    const Address action = town.action().address();
    return must(town.chain().nonce(action, true)) > must(town.chain().nonce(action, false));
  }
};

TEST_F(SlowBlocks, LeaveTimeToSettleAfterACancel) {
  const std::string offer = told({"offers", "create", "compute", "--key", "provider", "--chip",
                                  shop.compute().chip.hex()})["offer"];
  const Json made = told({"orders", "create", town.image().string(), "--time", "60", "--memory",
                          "64M", "--disk", "64M", "--compute", offer, "--", "sleep", "30"});
  const auto id = must(api::OrderId::from_hex(made["order"].get<std::string>()));
  const std::uint64_t block = made["block"];
  const auto created = must(town.market().find_created(id, block, block));
  shop.wait_for_workload(id, {"sleep", "30"});
  hold_transactions();
  must(town.send(town.customer(), town.market().cancel(created.terms)));
  automine(false);
  go();
  wait_until([&] { return provider_has_sent(); }, "a settlement");
  town.pass_time(kBlockSeconds);
  automine(true);
  EXPECT_EQ(shop.wait(id).state, "settled");
  EXPECT_EQ(shop.receipt_of(id).outcome, api::Outcome::cancelled);
  EXPECT_EQ(must(town.market().order(id)).status, market::OrderStatus::settled);
}

}  // namespace
}  // namespace sp::hostile
