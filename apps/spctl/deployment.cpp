#include "spctl/deployment.hpp"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "broker/policy.hpp"
#include "spctl/contracts_code.hpp"

namespace sp::spctl {
namespace {

using chain::AbiType;
using chain::AbiValue;
using Call = chain::TxSender::Call;

constexpr Amount::Number kToken = 1'000'000'000'000'000'000;  // 18 decimals, as TestToken has
constexpr Amount kPurse{10'000 * kToken};                     // what the faucet is asked for
constexpr Amount kPurseMin{1'000 * kToken};                   // below which it is
constexpr Amount kProviderDeposit{1'000 * kToken};
constexpr Amount kMinimumDeposit{100 * kToken};
constexpr Amount kPricePerHour{kToken};
constexpr Amount kBaseFee{kToken / 100};
constexpr Amount kStoragePrice{kToken / 100};
constexpr const char* kEther = "0x21e19e0c9bab2400000";  // 10,000 ether in wei

constexpr std::uint32_t kMaxSeconds = 24 * 3600;
constexpr std::uint32_t kMinWorkBy = 60;
constexpr std::uint32_t kMinSettleBy = 60;
constexpr std::uint32_t kMinWindow = 10;  // blocks of the development chain come at once
constexpr std::uint32_t kPids = 4096;
constexpr std::uint32_t kMemoryMinMib = 1024;

Result<Address> deploy(chain::TxSender& sender, std::string_view code, std::string_view types,
                       const std::vector<AbiValue>& arguments) {
  SP_ASSIGN(Bytes data, from_hex(code));
  if (!arguments.empty()) {
    auto type = AbiType::parse(types);
    SP_CHECK(type.ok());  // our own text
    SP_ASSIGN(const Bytes encoded, chain::abi_encode(*type, arguments));
    append(data, encoded);
  }
  SP_ASSIGN(const chain::TxReceipt receipt, sender.execute({std::nullopt, std::move(data), {}}));
  if (!receipt.contract) return Error{Errc::malformed, "a deployment made no contract"};
  return *receipt.contract;
}

// Memory that a machine of this size can sell: three quarters of it.
std::uint32_t memory_for_sale() {
  const auto pages = static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
  const auto page = static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PAGESIZE)));
  const std::uint64_t mib = pages * page / (1 << 20) * 3 / 4;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(mib, kMemoryMinMib, 1 << 20));
}

Status ensure_offer(Session& session, chain::TxSender& sender, const api::OfferId& id,
                    const Call& offer) {
  SP_ASSIGN(const market::OfferRecord record, session.market.offer(id));
  if (record.provider.is_zero()) {
    SP_TRY(execute(sender, offer, "offering"));
  } else if (!record.enabled) {
    SP_TRY(execute(sender, session.market.set_enabled(id, true), "enabling an offer"));
  }
  return {};
}

}  // namespace

Result<Contracts> deploy_contracts(chain::Chain& chain, const Clock& clock, Random& random) {
  const auto deployer = crypto::EthKey::generate(random);
  SP_TRY(give_ether(chain, deployer.address()));
  chain::TxSender sender(chain, deployer, clock);
  Contracts contracts;
  SP_ASSIGN(const chain::Block before, chain.block());
  contracts.block = before.number;
  SP_ASSIGN(contracts.token, deploy(sender, kTestTokenCode, "", {}));
  SP_ASSIGN(contracts.registry,
            deploy(sender, kRegistryCode, "(address,uint128)",
                   {AbiValue::address(contracts.token), AbiValue::amount(kMinimumDeposit)}));
  SP_ASSIGN(contracts.market,
            deploy(sender, kMarketCode, "(address)", {AbiValue::address(contracts.registry)}));
  return contracts;
}

Status give_ether(chain::Chain& chain, const Address& account) {
  auto done = chain.endpoint().call("anvil_setBalance", Json::array({account.hex0x(), kEther}));
  if (!done) return done.error().in("giving ether on the development chain");
  return {};
}

Status give_tokens(Session& session, const crypto::EthKey& key, const Clock& clock) {
  SP_ASSIGN(const Amount balance, session.token.balance(key.address()));
  if (balance >= kPurseMin) return {};
  chain::TxSender sender(session.chain, key, clock);
  SP_TRY(execute(sender, session.token.faucet(kPurse), "taking tokens from the faucet"));
  return {};
}

Status ensure_provider(Session& session, const crypto::EthKey& authority, const Address& action,
                       const Clock& clock) {
  chain::TxSender sender(session.chain, authority, clock);
  SP_ASSIGN(const Address registry, session.market.registry());
  SP_ASSIGN(const market::ProviderRecord record, session.market.provider(authority.address()));
  if (record.action.is_zero()) {
    const Call call =
        market::MarketClient::register_provider(registry, action, authority.address());
    SP_TRY(execute(sender, call, "registering the provider"));
  } else if (record.action != action) {
    return failure(Errc::mismatch, "the provider is registered with another action account",
                   record.action.hex0x() + " isn't " + action.hex0x(),
                   "Put the old key back, or begin anew with another --home");
  }
  const Address token = session.network.token;
  SP_ASSIGN(const auto deposit, session.market.deposit_of(authority.address(), token));
  if (deposit.first >= kProviderDeposit) return {};
  SP_ASSIGN(const Amount missing, kProviderDeposit.minus(deposit.first));
  SP_TRY(execute(sender, session.token.approve(registry, missing), "approving the deposit"));
  SP_TRY(execute(sender, session.market.deposit(registry, token, missing), "depositing"));
  return {};
}

LocalOffers local_offers(const apps::Network& network, const Address& provider,
                         const attest::ChipId& chip) {
  LocalOffers offers;
  api::Compute& compute = offers.compute;
  compute.kind = attest::EvidenceKind::dev;
  compute.min_seconds = 1;
  compute.max_seconds = kMaxSeconds;
  compute.min_work_by = kMinWorkBy;
  compute.min_settle_by = kMinSettleBy;
  compute.min_settle_window = kMinWindow;
  compute.min_claim_window = broker::kClaimWindowDefault;
  compute.cpu_milli = std::max(1U, std::thread::hardware_concurrency()) * 1000;
  compute.memory_mib = memory_for_sale();
  compute.disk_mib = memory_for_sale();
  compute.pids = kPids;
  compute.price_per_hour = kPricePerHour;
  compute.base_fee = kBaseFee;
  compute.max_exposure = kProviderDeposit;
  compute.provider = provider;
  compute.token = network.token;
  compute.attestors = {network.broker.address};
  compute.chip = chip;
  api::Part& storage = offers.storage;
  storage.kind = api::PartKind::storage;
  storage.price = kStoragePrice;
  storage.owner = provider;
  storage.token = network.token;
  storage.store = network.store.address;
  return offers;
}

Status ensure_offers(Session& session, const crypto::EthKey& authority, const LocalOffers& offers,
                     const Clock& clock) {
  chain::TxSender sender(session.chain, authority, clock);
  SP_TRY(ensure_offer(session, sender, offers.compute.offer_id(),
                      session.market.offer_compute(offers.compute)));
  return ensure_offer(session, sender, offers.storage.offer_id(),
                      session.market.offer_part(offers.storage));
}

}  // namespace sp::spctl
