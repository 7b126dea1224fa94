#include "spctl/proof.hpp"

#include <nlohmann/json.hpp>

#include "api/window.hpp"
#include "net/problem.hpp"
#include "spctl/registry.hpp"

namespace sp::spctl {
namespace {

using market::CheckResult;
using market::ProofBundle;
using market::ProofCheck;

ProofCheck named(std::string name, const Status& status, std::string detail) {
  if (status) return {std::move(name), CheckResult::passed, std::move(detail)};
  const Errc code = status.error().code;
  // Who can't be asked has said nothing against it.
  if (code == Errc::unavailable || code == Errc::timed_out || code == Errc::io) {
    return {std::move(name), CheckResult::unchecked, status.error().message};
  }
  return {std::move(name), CheckResult::failed, status.error().message};
}

// Whether the settlement on the chain is by this receipt.
Status same_settlement(const market::SettledEvent& settled, const ProofBundle& bundle) {
  const api::Receipt& receipt = bundle.receipt.statement;
  const bool same = settled.session == bundle.attestation.statement.session &&
                    settled.outcome == receipt.outcome && settled.exit_code == receipt.exit_code &&
                    settled.result == receipt.result && settled.commitment == receipt.commitment;
  if (same) return {};
  return Error{Errc::mismatch, "the chain settled the order with another receipt"};
}

Status check_inclusion(market::MarketClient& client, const ProofBundle& bundle,
                       const market::Trust& trust) {
  SP_ASSIGN(const std::uint64_t chain_id, client.chain().chain_id());
  if (chain_id != trust.market.chain_id) {
    return Error{Errc::mismatch, "the endpoint is of chain " + std::to_string(chain_id)};
  }
  SP_ASSIGN(const market::CreatedEvent created,
            client.find_created(trust.order, bundle.created_block, bundle.created_block));
  if (created.tx != bundle.created_tx) {
    return Error{Errc::mismatch, "the order was created by transaction " + created.tx.hex0x()};
  }
  SP_ASSIGN(const market::SettledEvent settled,
            client.find_settled(trust.order, bundle.settled_block, bundle.settled_block));
  if (settled.tx != bundle.settled_tx) {
    return Error{Errc::mismatch, "the order was settled by transaction " + settled.tx.hex0x()};
  }
  return same_settlement(settled, bundle);
}

Status check_acceptance(market::MarketClient& client, const ProofBundle& bundle,
                        const market::Trust& trust) {
  const api::Attestation& attestation = bundle.attestation.statement;
  SP_ASSIGN(const api::Compute compute,
            bundle.terms.compute_of(attestation.run.attempt, attestation.run.replica));
  const api::Acceptance acceptance{attestation.run, attestation.session};
  SP_ASSIGN(const Address signer,
            crypto::recover(acceptance.digest(trust.market), attestation.acceptance));
  SP_ASSIGN(const market::OrderRecord order, client.order(trust.order));
  SP_ASSIGN(const bool is, is_action(client, compute.provider, signer, order.created_at));
  if (is) return {};
  return Error{Errc::unauthorised, signer.hex0x() + " isn't the provider's action account"};
}

}  // namespace

market::Trust own_trust(const apps::Network& network, const api::OrderId& order) {
  return {network.market, network.broker.address, order, network.loader_tee};
}

Result<ProofBundle> fetch_proof(Context& context, Session& session, const OrderRecord& record,
                                const Watched& watched, const CreatedNote& created) {
  SP_CHECK(watched.end == Watched::End::settled);
  SP_ASSIGN(const std::string url, session.url_of(watched.settled.provider));
  SP_ASSIGN(const net::HttpResponse answer,
            context.http().call("GET", url + "/v1/orders/" + record.id().hex0x() + "/finish"));
  if (answer.status != 200) return net::problem_from(answer, "the provider at " + url);
  SP_ASSIGN(const api::Finish finish, api::Finish::decode(answer.body));
  if (!finish.proof || !finish.attestation || !finish.receipt) {
    return Error{Errc::not_found, "the provider at " + url + " has no whole proof"};
  }
  ProofBundle bundle;
  bundle.market = record.market;
  bundle.terms = record.terms;
  bundle.proof = *finish.proof;
  bundle.attestation = *finish.attestation;
  bundle.receipt = *finish.receipt;
  bundle.created_tx = created.tx;
  bundle.created_block = created.block;
  bundle.settled_tx = watched.settled.tx;
  bundle.settled_block = watched.settled.block;
  SP_TRY(same_settlement(watched.settled, bundle));
  return bundle;
}

void check_on_chain(market::MarketClient& client, const ProofBundle& bundle,
                    const market::Trust& trust, std::vector<ProofCheck>& checks) {
  for (ProofCheck& check : checks) {
    if (check.name == "chain.inclusion") {
      check = named(check.name, check_inclusion(client, bundle, trust),
                    "created in block " + std::to_string(bundle.created_block) + ", settled in " +
                        std::to_string(bundle.settled_block));
    } else if (check.name == "provider.acceptance") {
      check = named(check.name, check_acceptance(client, bundle, trust),
                    "signed by the provider's action account");
    }
  }
}

std::string_view check_result_name(CheckResult result) {
  switch (result) {
    case CheckResult::passed:
      return "passed";
    case CheckResult::failed:
      return "FAILED";
    case CheckResult::unchecked:
      return "unchecked";
  }
  return "unknown";
}

std::string check_counts(const std::vector<ProofCheck>& checks) {
  std::array<std::size_t, 3> counts{};
  for (const ProofCheck& check : checks) ++counts[static_cast<std::size_t>(check.result)];
  return std::to_string(counts[0]) + " passed, " + std::to_string(counts[1]) + " failed, " +
         std::to_string(counts[2]) + " unchecked";
}

Json checks_json(const std::vector<ProofCheck>& checks) {
  Json list = Json::array();
  for (const ProofCheck& check : checks) {
    list.push_back({{"check", check.name},
                    {"outcome", check_result_name(check.result)},
                    {"detail", check.detail}});
  }
  return list;
}

}  // namespace sp::spctl
