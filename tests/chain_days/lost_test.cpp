// The chain is lost for a while, with orders at several stages; then it is back, and all of them
// end well. SP_LOST_SECONDS makes the while longer (600 in `make soak`).
#include <gtest/gtest.h>
#include <signal.h>

#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/testing/must.hpp"
#include "days.hpp"

namespace sp::hostile {
namespace {

using api::Outcome;

std::chrono::seconds lost_for() {
  const char* text = std::getenv("SP_LOST_SECONDS");  // NOLINT(concurrency-mt-unsafe)
  unsigned seconds = 20;
  if (text != nullptr) {
    const std::string_view digits(text);
    std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  }
  return std::chrono::seconds(seconds);
}

// A daemon says that it isn't well when its chain hasn't answered for half a minute; what a look at
// the chain takes is added.
constexpr std::chrono::seconds kIllAfter{36};
constexpr std::chrono::seconds kWellAfter{20};  // the chain's return

class Lost : public Days {
 protected:
  // The status of its health; 0 where it doesn't answer.
  unsigned health(const std::string& url) {
    const auto answer = town.http().call("GET", url + "/health");
    return answer ? answer->status : 0;
  }
  void wait_for_health() {
    wait_until([this] { return health(broker) == 200 && health(provider) == 200; }, "health");
  }
  const std::string broker = town.network().broker.url;
  const std::string provider = town.network().services.at(town.provider().address());
};

TEST_F(Lost, ForAWhileDelaysOrdersAndEndsNone) {
  // One runs when the chain goes, one is proven and waits for its keys, one waits for its turn.
  const auto patient = [](api::Terms& terms) {
    terms.work_by = 3'600;
    terms.settle_by = 7'200;
  };
  const Placed running = shop.place({.argv = {"sleep", "3"}, .bought = true, .change = patient});
  wait_until([&] { return shop.progress(running.id).stage.starts_with("running"); }, "running");
  hold(*town.provider_broker, "/v1/release");
  const Placed proven = shop.place({.bought = true, .change = patient});
  wait_until([&] { return reached(); }, "a release");
  const Placed waiting = shop.place({.bought = true, .change = patient});
  wait_for_health();
  town.signal_daemon("chain", SIGSTOP);
  go();
  const auto lost = town.clock().monotonic();
  std::map<std::string, unsigned> said{{broker, 200}, {provider, 200}};
  while (town.clock().monotonic() - lost < std::max<std::chrono::seconds>(lost_for(), kIllAfter)) {
    for (auto& [url, before] : said) {
      const unsigned now = health(url);
      EXPECT_TRUE(now == before || (before == 200 && now == 503)) << url << " says " << now;
      before = now;
    }
    for (const Placed* placed : {&running, &proven, &waiting}) {
      EXPECT_NE(shop.progress(placed->id).state, "failed") << shop.progress(placed->id).failure;
    }
    town.clock().sleep_for(std::chrono::seconds(1));
  }
  for (const auto& [url, status] : said) EXPECT_EQ(status, 503U) << url;
  town.signal_daemon("chain", SIGCONT);
  const auto back = town.clock().monotonic();
  wait_for_health();
  EXPECT_LT(town.clock().monotonic() - back, kWellAfter);
  for (const Placed* placed : {&running, &proven, &waiting}) {
    EXPECT_EQ(shop.wait(placed->id).state, "settled");
    EXPECT_EQ(shop.receipt_of(placed->id).outcome, Outcome::success)
        << shop.finish_of(placed->id).failure;
    EXPECT_EQ(status_of(*placed), market::OrderStatus::settled);
  }
  EXPECT_TRUE(all_tokens(running.before) == all_tokens(shop.books()));
}

// The daemons start while the chain is away: they serve what needs none, and go on when it is back.
TEST_F(Lost, AtTheStartIsWaitedFor) {
  const Placed before = shop.place({.bought = true});
  shop.wait(before.id);
  town.signal_daemon("chain", SIGSTOP);
  for (const char* name : {"broker", "provider"}) town.reconfigure(name, [](Json&) {});
  EXPECT_EQ(shop.progress(before.id).state, "settled") << "the ledger is read without a chain";
  town.signal_daemon("chain", SIGCONT);
  shop.expect_settled(shop.place({.bought = true}), Outcome::success);
}

}  // namespace
}  // namespace sp::hostile
