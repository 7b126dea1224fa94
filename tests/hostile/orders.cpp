#include "orders.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/testing/must.hpp"
#include "base/testing/processes.hpp"
#include "broker/remote.hpp"
#include "crypto/hash.hpp"
#include "prove/dev.hpp"
#include "spctl/deployment.hpp"
#include "spctl/order_plan.hpp"

namespace sp::hostile {
namespace {

constexpr std::chrono::seconds kEndLimit{40};
constexpr std::chrono::seconds kBeginLimit{20};
constexpr const char* kEntryPoint = "/program";  // tests/make-image.sh
constexpr std::size_t kDigitsInGroup = 24;       // of an order's id, in the name of its group
constexpr std::size_t kAnswerMax = 64 * 1024;

std::unique_ptr<Shop>& the_shop() {
  static std::unique_ptr<Shop> shop;
  return shop;
}

Path note_folder(const Town& town) {
  const Path folder = town.work() / "note";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "note.txt") << kNote;
  return folder;
}

// In a group of an order, which no other town on this machine has.
bool runs(const std::string& command_line, const std::string& group) {
  const auto processes = process_ids();
  return std::any_of(processes.begin(), processes.end(), [&](pid_t process) {
    return process_text(process, "cmdline") == command_line &&
           process_text(process, "cgroup").find(group) != std::string::npos;
  });
}

api::PartSecret secret_of(const Sealed& goods) { return {goods.key.clone(), SecretBytes()}; }

attest::ChipId chip_of(Town& town) {
  const Bytes file = must(town.files().read(town.home() / "provider" / "state" / "platform",
                                            prove::kDevPlatformSizeMax));
  return must(prove::DevPlatform::decode(file)).chip();
}

}  // namespace

Shop& Shop::get() {
  if (!the_shop()) the_shop() = std::make_unique<Shop>(Town::get());
  return *the_shop();
}

void Shop::leave() {
  the_shop().reset();
  Town::leave();
}

Shop::Shop(Town& town) : town_(town), seller_(town.settle_in()), owner_(town.settle_in()) {
  people_ = {{"customer", town.customer().address()},
             {"provider", town.provider().address()},
             {"action", town.action().address()},
             {"seller", seller_.address()},
             {"owner", owner_.address()},
             {"market", town.network().market.contract},
             {"registry", must(town.market().registry())}};
  for (const auto* key :
       std::initializer_list<const crypto::EthKey*>{&town.customer(), &seller_, &owner_}) {
    secrets_.add("the key of " + key->address().hex0x(), as_text(key->secret().reveal()));
  }
  broker::BrokerClient client(town.http(), town.network().broker.url);
  broker_ = must(client.identify(town.network().broker_tee, town.random(), town.chain_time()));
  const auto offers = spctl::local_offers(town.network(), town.provider().address(), chip_of(town));
  // Short windows: whole lives of orders pass in a test.
  compute_ = offers.compute;
  compute_.min_claim_window = compute_.min_settle_window = 10;
  must(town.send(town.provider(), town.market().offer_compute(compute_)));
  storage_ = offers.storage;
  image_ = bring(town.image());
  data_ = bring(note_folder(town));
  solution_offer_ = offer(seller_, api::PartKind::solution, town.seal(town.image()), tokens(2),
                          api::PriceType::fixed);
  data_offer_ = offer(owner_, api::PartKind::data, town.seal(note_folder(town)), tokens(5),
                      api::PriceType::fixed);
  hourly_offer_ = offer(owner_, api::PartKind::data, town.seal(note_folder(town)), tokens(36),
                        api::PriceType::per_hour);
}

Sealed Shop::bring(Sealed goods) {
  must(deposit(town_.customer(), goods.package, own_policy(), secret_of(goods)));
  return goods;
}

broker::ReleasePolicy Shop::own_policy() {
  broker::ReleasePolicy policy = open_policy({});
  policy.offers = {};
  policy.own_upload = true;
  return policy;
}

broker::ReleasePolicy Shop::open_policy(const api::OfferId& offer) {
  constexpr std::int64_t kYear = 365L * 24 * 3600;
  broker::ReleasePolicy policy;
  policy.tee = town_.network().loader_tee;
  policy.chains = {{town_.network().market, 1}};
  policy.solutions.any = true;
  policy.orders.any = true;
  policy.accounts.any = true;
  policy.recipients.any = true;
  policy.offers.values = {offer};
  policy.max_orders.reset();
  policy.claim_window = 10;
  policy.until = town_.clock().unix_seconds() + kYear;
  return policy;
}

Status Shop::deposit(const crypto::EthKey& owner, const Digest32& digest,
                     const broker::ReleasePolicy& policy, const api::PartSecret& secret) {
  secrets_.add("the secret of " + digest.hex(), as_text(secret.key.reveal()));
  broker::BrokerClient client(town_.http(), town_.network().broker.url);
  return client.deposit(broker_, owner, digest, policy.to_json(), secret, town_.random());
}

api::Part Shop::offer(const crypto::EthKey& who, api::PartKind kind, const Sealed& goods,
                      Amount price, api::PriceType type) {
  api::Part part = spctl::own_part(kind, goods.package, who.address(), town_.network());
  part.price = price;
  part.price_type = type;
  must(deposit(who, part.digest, open_policy(part.offer_id()), secret_of(goods)));
  must(town_.send(who, town_.market().offer_part(part)));
  return part;
}

api::Terms Shop::agree(const Wish& wish) {
  const Address customer = town_.customer().address();
  const Secret32 secret = crypto::random_secret<32>(town_.random());
  const api::Arguments arguments{wish.argv, {}};
  spctl::TermsInput input;
  input.resources.seconds = wish.seconds;
  input.resources.memory_mib = 64;
  input.resources.disk_mib = 48;
  input.resources.pids = 32;
  input.customer = customer;
  input.result_key = crypto::X25519KeyPair::generate(town_.random()).public_key;
  input.salt = crypto::random_fixed<Digest32>(town_.random());
  input.argument_commitment = api::argument_commitment(secret, arguments);
  input.compute = compute_;
  input.storage = storage_;
  const Sealed& image = wish.image != nullptr ? *wish.image : image_;
  input.solution =
      spctl::own_part(api::PartKind::solution, image.package, customer, town_.network());
  input.data = {spctl::own_part(api::PartKind::data, data_.package, customer, town_.network())};
  if (wish.bought) input.solution = solution_offer_;
  if (wish.bought) input.data = {data_offer_};
  if (wish.hourly) input.data = {hourly_offer_};
  must(deposit(town_.customer(), input.argument_commitment, own_policy(),
               {secret.clone(), SecretBytes(arguments.encode())}));
  api::Terms terms = must(spctl::build_terms(input, town_.network()));
  if (wish.change) wish.change(terms);
  return terms;
}

Placed Shop::create(const api::Terms& terms) {
  Placed placed;
  placed.before = books();
  placed.terms = terms;
  placed.id = terms.order_id(town_.network().market);
  const auto receipt = town_.send(
      town_.customer(), town_.market().create(terms, spctl::build_hints(terms, town_.network())));
  if (!receipt) throw std::runtime_error("create: " + revert_of(receipt.error()));
  placed.block = receipt->block_number;
  all_.push_back(placed);
  return placed;
}

Placed Shop::place(const Wish& wish) { return create(agree(wish)); }

Progress Shop::progress(const api::OrderId& order) {
  const std::string url = town_.network().services.at(town_.provider().address());
  const auto answer = must(town_.http().call("GET", url + "/v1/orders/" + order.hex0x()));
  if (answer.status == 404) return {"unknown", "", ""};
  const Json json = must(parse_json(as_text(answer.body), kAnswerMax));
  return {json.at("state").get<std::string>(), json.at("failure").get<std::string>(),
          json.at("stage").get<std::string>()};
}

Progress Shop::wait(const api::OrderId& order) {
  const auto deadline = town_.clock().monotonic() + kEndLimit;
  for (;;) {
    Progress now = progress(order);
    if (now.state == "settled" || now.state == "failed") return now;
    if (town_.clock().monotonic() > deadline) {
      throw std::runtime_error("the order is still " + now.state);
    }
    town_.clock().sleep_for(std::chrono::milliseconds(10));
  }
}

void Shop::wait_for_workload(const api::OrderId& order, const std::vector<std::string>& argv) {
  std::string command_line = std::string(kEntryPoint) + '\0';
  for (const std::string& argument : argv) command_line += argument + '\0';
  const auto deadline = town_.clock().monotonic() + kBeginLimit;
  while (!runs(command_line, order.hex().substr(0, kDigitsInGroup))) {
    if (town_.clock().monotonic() > deadline) {
      const Progress now = progress(order);
      throw std::runtime_error("no workload: the order is " + now.state + " " + now.failure);
    }
    town_.clock().sleep_for(std::chrono::milliseconds(5));
  }
}

void Shop::rest() {
  for (; rested_ < all_.size(); ++rested_) {
    wait(all_[rested_].id);
    end_on_chain(all_[rested_]);
  }
}

void Shop::end_on_chain(const Placed& placed) {
  const auto status = [&] { return must(town_.market().order(placed.id)).status; };
  const auto is_over = [&] {
    return status() == market::OrderStatus::settled || status() == market::OrderStatus::closed;
  };
  if (is_over()) return;
  // Refused where it is cancelled, settled or out of time already.
  [[maybe_unused]] const auto cancelled =
      town_.send(town_.customer(), town_.market().cancel(placed.terms));
  town_.pass_time(placed.terms.settle_window + placed.terms.claim_window + 1);
  // The provider closes what locks its deposit, and may be faster.
  const auto closed = town_.send(town_.customer(), town_.market().close(placed.terms));
  EXPECT_TRUE(closed.ok() || is_over()) << revert_of(closed.error());
}

api::Finish Shop::finish_of(const api::OrderId& order) {
  const std::string url = town_.network().services.at(town_.provider().address());
  const auto answer =
      must(town_.http().call("GET", url + "/v1/orders/" + order.hex0x() + "/finish"));
  if (answer.status != 200) throw std::runtime_error("no finish: " + progress(order).failure);
  return must(api::Finish::decode(answer.body));
}

api::Receipt Shop::receipt_of(const api::OrderId& order) {
  const api::Finish finish = finish_of(order);
  if (!finish.receipt) throw std::runtime_error("no receipt: " + finish.failure);
  return finish.receipt->statement;
}

Changes Shop::by_rule(const Placed& placed, const api::Receipt& receipt) {
  const market::OrderRecord record = must(town_.market().order(placed.id));
  const std::uint64_t newest = must(town_.chain().block()).number;
  const auto settled = must(town_.market().find_settled(placed.id, placed.block, newest));
  const std::int64_t attested = finish_of(placed.id).attestation.value().statement.time;
  const std::int64_t until = record.cancelled_at != 0
                                 ? record.cancelled_at
                                 : must(town_.chain().block({settled.block})).time;
  return settled_changes(placed.terms, receipt, until - attested, people_);
}

void Shop::expect_settled(const Placed& placed, api::Outcome outcome) {
  const Progress end = wait(placed.id);
  EXPECT_EQ(end.state, "settled") << end.failure;
  if (end.state != "settled") return;
  const api::Receipt receipt = receipt_of(placed.id);
  EXPECT_EQ(api::outcome_name(receipt.outcome), api::outcome_name(outcome))
      << finish_of(placed.id).failure;
  const Books after = books();
  EXPECT_EQ(changes(placed.before, after), by_rule(placed, receipt));
  EXPECT_TRUE(all_tokens(placed.before) == all_tokens(after));
}

void Shop::expect_refund(const std::vector<const Placed*>& orders) {
  if (orders.empty()) return;
  std::int64_t windows = 0;
  for (const Placed* placed : orders) {
    const auto cancelled = town_.send(town_.customer(), town_.market().cancel(placed->terms));
    EXPECT_TRUE(cancelled.ok()) << revert_of(cancelled.error());
    windows = std::max<std::int64_t>(
        windows, std::int64_t{placed->terms.settle_window} + placed->terms.claim_window);
  }
  town_.pass_time(windows + 1);
  for (const Placed* placed : orders) {
    const auto closed = town_.send(town_.customer(), town_.market().close(placed->terms));
    EXPECT_TRUE(closed.ok() ||
                must(town_.market().order(placed->id)).status == market::OrderStatus::closed)
        << revert_of(closed.error());
  }
  // The first one's books are from before all of them.
  Moves whole;
  for (const Placed* placed : orders) {
    const Money deposit = required(placed->terms);
    whole.add("token:customer", -deposit).add("token:market", deposit);
    whole.add("credit:customer", deposit);
  }
  EXPECT_EQ(changes(orders.front()->before, books()), whole.list());
}

std::string revert_of(const Error& error) {
  const auto data = chain::revert_data(error);
  if (!data || data->size() < 4) return error.message;
  for (const char* signature : {
           "Market_BadSignature(address,address)",
           "Market_NotAccepted(address,address)",
           "Market_WrongOrder(bytes32,bytes32)",
           "Market_WrongAttempt(uint256,uint256,uint256)",
           "Market_WrongEvidenceKind(uint8,uint8)",
           "Market_WrongChip(bytes32,bytes32)",
           "Market_AttestedTooEarly(uint256,uint256)",
           "Market_AttestedTooLate(uint256,uint256)",
           "Market_BadOpened(uint256,uint256)",
           "Market_BadReceipt(uint8,bool)",
           "Market_NotCancelled(bytes32)",
           "Market_NoResult()",
           "Market_BadFaultPart(uint256)",
           "Market_WrongAttestation(bytes32,bytes32)",
           "Market_NothingToClaim(uint256)",
           "Market_AlreadyPaid(uint256)",
           "Market_Acquitted(bytes32,address)",
           "Market_WrongPhase(bytes32,uint8)",
           "Market_NotCustomer(address,address)",
           "Market_AttestorNotAccepted(address)",
           "Market_OfferExhausted(bytes32,uint256)",
           "Market_NotOrderable(bytes32)",
       }) {
    const Digest32 hash = crypto::keccak256(as_bytes(signature));
    if (!std::equal(data->begin(), data->begin() + 4, hash.data.begin())) continue;
    const std::string_view text(signature);
    return std::string(text.substr(0, text.find('(')));
  }
  return error.message;
}

}  // namespace sp::hostile
