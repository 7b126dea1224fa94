// What there is at the start of a run: accounts with money, offers, orders to come, and what owners
// have stored and deposited.
#include "crypto/random.hpp"
#include "sim/goods.hpp"
#include "sim/world.hpp"

namespace sp::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kForever = 10LL * 365 * 24 * 3600;

// For composing calls: nobody answers.
class NoEndpoint final : public chain::RpcEndpoint {
 public:
  Result<Json> call(const std::string& /*method*/, const Json& /*params*/) override {
    return Error{Errc::unavailable, "no chain"};
  }
};

}  // namespace

api::Compute World::make_offer() {
  api::Compute compute;
  compute.kind = machine_.kind();
  compute.min_seconds = 1;
  compute.max_seconds = 3600;
  compute.cpu_milli = 1000;
  compute.memory_mib = 64;
  compute.disk_mib = 64;
  compute.pids = 32;
  compute.price_per_hour = Amount(36 * kToken);
  compute.base_fee = Amount(dice_.below(2) * kToken);
  compute.max_exposure = Amount(1000 * kToken);
  compute.provider = authority_.address();
  compute.token = kAddresses.token;
  compute.attestors = {broker_keys_.signing.address()};
  compute.chip = machine_.chip();
  return compute;
}

void World::make_terms() {
  const Address broker = broker_keys_.signing.address();
  const api::Compute compute = make_offer();
  const std::uint64_t prices = dice_.next();
  const std::size_t count = options_.upset   ? 1
                            : options_.crowd ? options_.crowd->orders
                                             : dice_.between(1, 3);
  for (std::size_t i = 0; i < count; ++i) {
    OrderPlan plan;
    api::Terms& terms = plan.terms;
    terms.ordered_seconds = 60;
    terms.work_by = 600;
    terms.settle_by = 700;
    terms.settle_window = 120;
    terms.claim_window = 60;
    terms.cpu_milli = 1000;
    terms.memory_mib = 64;
    terms.disk_mib = 64;
    terms.pids = 32;
    terms.customer = customer_.address();
    terms.token = kAddresses.token;
    terms.attestor = broker;
    terms.result_key = result_key_.public_key;
    dice_.fill(terms.salt.data);
    terms.choices = {compute};
    plan.arguments.argv = {options_.crowd ? "5" : std::to_string(dice_.between(1, 70)),
                           dice_.chance(200) ? "3" : "0"};
    plan.secret = crypto::random_secret<32>(dice_);
    const Digest32 digests[] = {api::argument_commitment(plan.secret, plan.arguments),
                                {goods().image.package.data},
                                {goods().data.package.data},
                                {}};
    for (std::uint8_t kind = 1; kind <= 4; ++kind) {
      api::Part part;
      part.kind = static_cast<api::PartKind>(kind);
      part.owner = kind == 1   ? customer_.address()
                   : kind == 4 ? authority_.address()
                               : author_.address();
      part.price_type = kind > 1 && ((prices >> kind) & 1) == 1 ? api::PriceType::per_hour
                                                                : api::PriceType::fixed;
      part.price = Amount(kind == 1 ? 0 : (prices >> (8 * kind)) % 5 * kToken);
      part.token = kAddresses.token;
      part.store = store_key_.address();
      part.digest = digests[kind - 1];
      if (kind != 4) part.brokers = {broker};
      terms.parts.push_back(part);
    }
    plan.id = terms.order_id(contracts_.domain());
    plan.start = milliseconds(dice_.below(60'000));
    if (options_.upset) plan.start = kQuietFrom * (block_period_ + seconds(1));
    const bool is_cancelled = options_.crowd ? i + 1 == count : dice_.chance(300);
    if (is_cancelled && !options_.upset) {
      plan.cancel_at = plan.start + milliseconds(dice_.below(200'000));
    }
    plans_.push_back(std::move(plan));
  }
}

ContractState World::genesis() const {
  NoEndpoint endpoint;
  chain::Chain chain(endpoint);
  const market::MarketClient market(chain, contracts_.domain());
  const market::TokenClient token(chain, kAddresses.token);
  ContractState state;
  const auto send = [&](const crypto::EthKey& from, const chain::TxSender::Call& call) {
    const auto outcome =
        contracts_.execute(state, from.address(), clock_.unix_seconds(), *call.to, call.data);
    if (outcome.reverted) check_failed(outcome.why.c_str(), __FILE__, __LINE__);
  };
  for (const crypto::EthKey* key : {&authority_, &author_, &customer_}) {
    send(*key, token.faucet(Amount(1000 * kToken)));
    send(*key, token.approve(kAddresses.registry, Amount(500 * kToken)));
    send(*key, token.approve(kAddresses.market, Amount(500 * kToken)));
  }
  for (const crypto::EthKey* key : {&authority_, &author_}) {
    const crypto::EthKey& action = key == &authority_ ? action_ : author_;
    send(*key, market::MarketClient::register_provider(kAddresses.registry, action.address(),
                                                       key->address()));
    send(*key, market.deposit(kAddresses.registry, kAddresses.token, Amount(100 * kToken)));
  }
  const api::Terms& terms = plans_[0].terms;
  send(authority_, market.offer_compute(terms.choices[0]));
  for (std::size_t i = 1; i < terms.parts.size(); ++i) {
    send(i == 3 ? authority_ : author_, market.offer_part(terms.parts[i]));
  }
  return state;
}

attest::AppraisalPolicy World::accepted_broker() const {
  attest::AppraisalPolicy policy;
  policy.kinds = {attest::EvidenceKind::dev};
  policy.measurements = {machine_.honest()};
  policy.tcb_statuses = {attest::TcbStatus::up_to_date};
  policy.dev_keys = {machine_.anchor()};
  return policy;
}

attest::AppraisalPolicy World::accepted() const {
  attest::AppraisalPolicy policy = accepted_broker();
  policy.kinds = {machine_.kind()};
  if (vendor_) policy.roots = attest::testing::AmdVendor::anchors().amd;
  if (options_.bug == Bug::broker_trusts_rogues) policy.measurements.push_back(machine_.rogue());
  return policy;
}

broker::ReleasePolicy World::policy(bool own_upload) const {
  broker::ReleasePolicy policy;
  policy.tee = accepted();
  policy.chains = {{contracts_.domain(), 1}};
  policy.solutions.values = {{goods().image.package.data}};
  policy.orders.any = policy.accounts.any = policy.recipients.any = true;
  policy.offers.any = !own_upload;
  policy.own_upload = own_upload;
  policy.max_orders = std::nullopt;
  policy.claim_window = 60;
  policy.until = kEpoch + 365L * 24 * 3600;
  return policy;
}

// The owners' packages and keys lie where they belong before anything happens.
void World::stock() {
  SimFiles store_files(store_disk_, tasks_, 0, faults_);
  store::DirectoryStore blobs(store_files, "/store/blobs");
  for (const auto& [id, bytes] : goods().blobs) SP_CHECK(blobs.put(id, bytes).ok());
  SimFiles broker_files(broker_disk_, tasks_, 0, faults_);
  broker::Vault vault(broker_files, "/broker", broker_keys_.vault.clone(), dice_);
  for (const Goods::Sealed* sealed : {&goods().image, &goods().data}) {
    broker::Deposited deposited{author_.address(),
                                {sealed->package.data},
                                0,
                                policy(false).to_json(),
                                {sealed->key.clone(), {}}};
    const std::int64_t now = clock_.unix_seconds();
    SP_CHECK(vault.put(deposited, now + kForever, now).ok());
  }
}

}  // namespace sp::sim
