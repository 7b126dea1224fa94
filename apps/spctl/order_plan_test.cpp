#include "spctl/order_plan.hpp"

#include <gtest/gtest.h>

#include "market/pricing.hpp"

namespace sp::spctl {
namespace {

Address account(std::uint8_t byte) {
  Address address;
  address.data.fill(byte);
  return address;
}

Digest32 digest(std::uint8_t byte) {
  Digest32 value;
  value.data.fill(byte);
  return value;
}

apps::Network network() {
  apps::Network net;
  net.market = {31337, account(0x11)};
  net.token = account(0x22);
  net.token_decimals = 18;
  net.broker = {"http://127.0.0.1:1", account(0xb0)};
  net.store = {"http://127.0.0.1:2", account(0x50)};
  net.services = {{account(0xaa), "http://127.0.0.1:3"}};
  net.loader_tee.kinds = {attest::EvidenceKind::dev};
  return net;
}

api::Compute offer(std::uint64_t price) {
  api::Compute compute;
  compute.kind = attest::EvidenceKind::dev;
  compute.min_seconds = 1;
  compute.max_seconds = 3600;
  compute.min_work_by = 60;
  compute.min_settle_by = 60;
  compute.min_settle_window = 10;
  compute.min_claim_window = 20;
  compute.cpu_milli = 2000;
  compute.memory_mib = 1024;
  compute.disk_mib = 1024;
  compute.pids = 512;
  compute.price_per_hour = Amount(price);
  compute.base_fee = Amount(7);
  compute.max_exposure = Amount(1000);
  compute.provider = account(0xaa);
  compute.token = account(0x22);
  compute.attestors = {account(0xb0)};
  compute.chip.data.fill(0xc1);
  return compute;
}

TermsInput input() {
  TermsInput in;
  in.resources.seconds = 100;
  in.customer = account(0xcc);
  in.result_key.data.fill(0x77);
  in.salt = digest(0x5a);
  in.argument_commitment = digest(0xa0);
  in.compute = offer(3600);
  in.solution = own_part(api::PartKind::solution, digest(0x01), in.customer, network());
  in.data = {own_part(api::PartKind::data, digest(0x02), in.customer, network())};
  in.storage.kind = api::PartKind::storage;
  in.storage.owner = account(0xaa);
  in.storage.token = account(0x22);
  in.storage.store = account(0x50);
  in.storage.price = Amount(5);
  return in;
}

TEST(FittingOffers, PutsTheCheapestFirst) {
  const std::vector<api::Compute> offers{offer(9000), offer(1000), offer(5000)};
  const auto fitting = fitting_offers(offers, Resources{}, network());
  ASSERT_EQ(fitting.size(), 3U);
  EXPECT_EQ(fitting[0].price_per_hour, Amount(1000));
  EXPECT_EQ(fitting[2].price_per_hour, Amount(9000));
}

TEST(FittingOffers, LeavesOutWhatCantRunTheOrder) {
  const apps::Network net = network();
  const auto broken = [&](auto change) {
    api::Compute compute = offer(1);
    change(compute);
    return fitting_offers({compute}, Resources{}, net).empty();
  };
  EXPECT_FALSE(broken([](api::Compute&) {}));
  EXPECT_TRUE(broken([](api::Compute& c) { c.token = account(0x23); }));
  EXPECT_TRUE(broken([](api::Compute& c) { c.kind = attest::EvidenceKind::sev_snp; }));
  EXPECT_TRUE(broken([](api::Compute& c) { c.attestors = {account(0xb1)}; }));
  EXPECT_TRUE(broken([](api::Compute& c) { c.max_seconds = 599; }));
  EXPECT_TRUE(broken([](api::Compute& c) { c.min_seconds = 601; }));
  EXPECT_TRUE(broken([](api::Compute& c) { c.cpu_milli = 999; }));
  EXPECT_TRUE(broken([](api::Compute& c) { c.memory_mib = 511; }));
  EXPECT_TRUE(broken([](api::Compute& c) { c.disk_mib = 511; }));
  EXPECT_TRUE(broken([](api::Compute& c) { c.pids = 255; }));
  // A stranger's for nothing, which would keep the money for ever.
  EXPECT_TRUE(broken([](api::Compute& c) { c.min_claim_window = 0xffffffff; }));
  EXPECT_TRUE(broken([](api::Compute& c) { c.min_settle_window = 7 * 24 * 3600 + 600; }));
  EXPECT_TRUE(broken([](api::Compute& c) { c.min_settle_by = 0xffffffff; }));
  EXPECT_TRUE(broken([](api::Compute& c) { c.min_work_by = 0xffffffff; }));
  EXPECT_FALSE(broken([](api::Compute& c) { c.min_claim_window = 7 * 24 * 3600; }));
}

TEST(StorageByPrice, LeavesOutWhatNoOrderCanTakeAndComparesPricesOfTheSameTime) {
  const auto storage = [](std::uint64_t price, auto change) {
    StorageOffer offer{{}, {account(1), true, 5}};
    offer.part.price = Amount(price);
    change(offer);
    return offer;
  };
  const auto sorted = storage_by_price(
      {
          storage(7, [](StorageOffer&) {}),
          storage(0, [](StorageOffer& o) { o.record.enabled = false; }),
          storage(1, [](StorageOffer& o) { o.part.max_orders = 5; }),
          storage(2, [](StorageOffer& o) { o.part.max_orders = 6; }),
          storage(3600, [](StorageOffer& o) { o.part.price_type = api::PriceType::per_hour; }),
      },
      3);
  ASSERT_EQ(sorted.size(), 3U);
  EXPECT_EQ(sorted[0].price, Amount(2));
  EXPECT_EQ(sorted[1].price, Amount(3600));
  EXPECT_EQ(sorted[2].price, Amount(7));
}

TEST(Misfit, SaysWhy) {
  Resources wish;
  wish.memory_mib = 2048;
  EXPECT_EQ(misfit(offer(1), wish, network()), "memory (MiB) 2048 is above its 1024");
}

TEST(BuildTerms, KeepsToTheOffersWindowsAndTheOrderOfParts) {
  const auto terms = build_terms(input(), network());
  ASSERT_TRUE(terms) << terms.error().message;
  EXPECT_TRUE(terms->check_version_1());
  EXPECT_EQ(terms->work_by, kWorkBySeconds);
  EXPECT_EQ(terms->settle_by, kWorkBySeconds + 100 + kSettleSlackSeconds);
  EXPECT_EQ(terms->settle_window, 10U);
  EXPECT_EQ(terms->claim_window, 20U);
  EXPECT_EQ(terms->attestor, account(0xb0));
  ASSERT_EQ(terms->parts.size(), 4U);
  EXPECT_EQ(terms->parts[0].digest, digest(0xa0));
  EXPECT_EQ(terms->parts[0].owner, account(0xcc));
  EXPECT_EQ(terms->parts[1].digest, digest(0x01));
  EXPECT_EQ(terms->parts[2].digest, digest(0x02));
  EXPECT_EQ(terms->parts[3].store, account(0x50));
  EXPECT_EQ(seconds_until_closable(*terms), std::uint64_t{terms->settle_by} + 30);
  // 100 s of 3600 an hour, the base fee, the storage.
  EXPECT_EQ(*market::required_deposit(*terms), Amount(100 + 7 + 5));
}

TEST(BuildTerms, ObeysLongMinimums) {
  TermsInput in = input();
  in.compute.min_work_by = 1000;
  in.compute.min_settle_by = 5000;
  const auto terms = build_terms(in, network());
  ASSERT_TRUE(terms);
  EXPECT_EQ(terms->work_by, 1000U);
  EXPECT_EQ(terms->settle_by, 5000U);
}

TEST(BuildTerms, RefusesWhatTheMarketWould) {
  TermsInput in = input();
  in.result_key = {};
  EXPECT_EQ(build_terms(in, network()).error().code, Errc::refused);
  in = input();
  in.resources.seconds = 0xffffffff;
  EXPECT_EQ(build_terms(in, network()).error().code, Errc::too_large);
}

TEST(OwnPolicy, AllowsThisOrderAlone) {
  const apps::Network net = network();
  const auto terms = build_terms(input(), net);
  ASSERT_TRUE(terms);
  const broker::ReleasePolicy policy = own_policy(*terms, net, 1'000'000);
  EXPECT_TRUE(policy.own_upload);
  EXPECT_EQ(policy.orders.values, std::vector{terms->order_id(net.market)});
  EXPECT_EQ(policy.accounts.values, std::vector{account(0xcc)});
  EXPECT_EQ(policy.recipients.values, std::vector{terms->result_key});
  EXPECT_EQ(policy.solutions.values, std::vector{digest(0x01)});
  EXPECT_FALSE(policy.orders.any || policy.accounts.any || policy.recipients.any ||
               policy.solutions.any || policy.offers.any);
  EXPECT_EQ(policy.until, 1'000'000 + terms->settle_by + kPolicySlackSeconds);
  const auto again = broker::ReleasePolicy::parse(policy.to_json());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, policy);
}

TEST(BuildHints, TellsWhatTheNetworkKnowsOfTheParties) {
  apps::Network net = network();
  net.services[account(0xee)] = "http://stranger";
  const auto terms = build_terms(input(), net);
  ASSERT_TRUE(terms);
  const market::Hints hints = build_hints(*terms, net);
  EXPECT_EQ(hints, (market::Hints{{account(0xb0), "http://127.0.0.1:1"},
                                  {account(0x50), "http://127.0.0.1:2"},
                                  {account(0xaa), "http://127.0.0.1:3"}}));
}

TEST(ParseEnvironment, SortsAndRefuses) {
  const auto parsed = parse_environment({"B=2", "A=1=1"});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, (std::vector<std::pair<std::string, std::string>>{{"A", "1=1"}, {"B", "2"}}));
  EXPECT_EQ(parse_environment({"A"}).error().code, Errc::usage);
  EXPECT_EQ(parse_environment({"=x"}).error().code, Errc::usage);
  EXPECT_EQ(parse_environment({"A=1", "A=2"}).error().code, Errc::usage);
}

TEST(ParseSizes, ReadsUnitsAndRefuses) {
  EXPECT_EQ(*parse_mib("300"), 300U);
  EXPECT_EQ(*parse_mib("512M"), 512U);
  EXPECT_EQ(*parse_mib("2G"), 2048U);
  for (const char* wrong : {"", "0", "-1", "1.5G", "2T", "G", "99999999999"}) {
    EXPECT_EQ(parse_mib(wrong).error().code, Errc::usage) << wrong;
  }
  EXPECT_EQ(*parse_cpus("2"), 2000U);
  EXPECT_EQ(*parse_cpus("0.5"), 500U);
  EXPECT_EQ(*parse_cpus("0.01"), 10U);
  for (const char* wrong : {"", "0", "0.0001", "0.009", "x", "-1", "5000"}) {
    EXPECT_EQ(parse_cpus(wrong).error().code, Errc::usage) << wrong;
  }
  EXPECT_EQ(parse_cpus("0.009").error().message,
            "--cpus 0.009 is refused: no kernel gives a program so little. Ask for 0.01 or more");
}

}  // namespace
}  // namespace sp::spctl
