// What the market believes of an order's sessions (Evidence.sol, and receipts in Rules.sol).
#include "sim/contracts_call.hpp"

namespace sp::sim {

bool is_signed_by(const Digest32& digest, const Bytes& signature, const Address& expected) {
  const auto read = crypto::EthSignature::from(signature);
  return read.ok() && crypto::verify_eth(digest, *read, expected).ok();
}

Status Contracts::check_attestation(const Call& call, const api::OrderId& id,
                                    const ContractState::Order& held, const api::Terms& terms,
                                    const api::Attestation& attestation,
                                    const Bytes& signature) const {
  const api::Compute& compute = terms.choices[0];
  SP_TRY(require(attestation.run.order == id, "Market_WrongOrder"));
  SP_TRY(
      require(attestation.run.attempt == 0 && attestation.run.replica == 0, "Market_WrongAttempt"));
  SP_TRY(require(attestation.kind == compute.kind, "Market_WrongEvidenceKind"));
  SP_TRY(require(attestation.chip == compute.chip, "Market_WrongChip"));
  SP_TRY(require(attestation.time >= held.created_at, "Market_AttestedTooEarly"));
  std::int64_t latest = std::min(call.time, held.created_at + terms.work_by);
  if (held.cancelled_at != 0) latest = std::min(latest, held.cancelled_at);
  SP_TRY(require(attestation.time <= latest, "Market_AttestedTooLate"));
  SP_TRY(require(is_signed_by(attestation.digest(domain_), signature, terms.attestor),
                 "Market_BadSignature"));
  const api::Acceptance acceptance{attestation.run, attestation.session};
  const auto signer = crypto::recover(acceptance.digest(domain_), attestation.acceptance);
  SP_TRY(require(signer.ok() && !signer->is_zero(), "Market_NotAccepted"));
  if (*signer == value_of(call.state.providers, compute.provider).action) return {};
  const std::int64_t replaced = value_of(call.state.replaced_at, {compute.provider, *signer});
  return require(replaced != 0 && replaced >= held.created_at, "Market_NotAccepted");
}

Status Contracts::check_receipt(const api::Receipt& receipt, std::size_t parts) {
  using api::Outcome;
  SP_TRY(require(receipt.opened >> parts == 0, "Market_BadOpened"));
  SP_TRY(require(receipt.outcome == Outcome::provider ||
                     receipt.started == (receipt.outcome != Outcome::input),
                 "Market_BadReceipt"));
  SP_TRY(require(receipt.outcome != Outcome::input || receipt.fault_part < parts,
                 "Market_BadFaultPart"));
  const bool stored = !receipt.result.is_zero() && ((receipt.opened >> (parts - 1)) & 1) == 1;
  return require(receipt.outcome != Outcome::success || stored, "Market_NoResult");
}

}  // namespace sp::sim
