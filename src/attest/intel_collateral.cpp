// IntelCollateral: all of the collateral that no quote decides.
#include "attest/intel_state.hpp"

namespace sp::attest {
namespace {

using intel::Chain;
using intel::ChainRules;

constexpr PieceKind kRequired[] = {PieceKind::intel_pck_crl,
                                   PieceKind::intel_pck_crl_chain,
                                   PieceKind::intel_root_crl,
                                   PieceKind::intel_tcb_info,
                                   PieceKind::intel_tcb_info_chain,
                                   PieceKind::intel_tcb_info_signature,
                                   PieceKind::intel_qe_identity,
                                   PieceKind::intel_qe_identity_chain,
                                   PieceKind::intel_qe_identity_signature};

Status check_complete(const Collateral& collateral) {
  std::string missing;
  for (const PieceKind kind : kRequired) {
    if (collateral.get(kind).empty()) missing.append(" ").append(piece_name(kind));
  }
  SP_REQUIRE(Check::intel_collateral_complete, missing.empty(), "every piece", "without" + missing);
  return {};
}

struct CrlChecks {
  Check form, issued, current;
  std::string_view piece;
};
constexpr CrlChecks kRootCrl{Check::intel_rootcrl_form, Check::intel_rootcrl_issued,
                             Check::intel_rootcrl_current, "root CRL"};
constexpr CrlChecks kPckCrl{Check::intel_pckcrl_form, Check::intel_pckcrl_issued,
                            Check::intel_pckcrl_current, "PCK CRL"};

Status require_current(Check check, std::int64_t from, std::int64_t until, std::int64_t now) {
  SP_REQUIRE(check, from <= now && now <= until,
             "a time from " + std::to_string(from) + " to " + std::to_string(until),
             std::to_string(now));
  return {};
}

Result<crypto::Crl> read_crl(const CrlChecks& checks, ByteView der,
                             const crypto::Certificate& issuer, std::int64_t now) {
  const auto crl = crypto::Crl::from_der(der);
  SP_REQUIRE_OK(checks.form, crl);
  if (!crl) return crl.error();
  SP_REQUIRE_OK(checks.issued, crl->verify_issued_by(issuer));
  SP_TRY(require_current(checks.current, crl->this_update(), crl->next_update(), now));
  return *crl;
}

// Fills in what is verified, piece by piece; each step rests on those before it.
class CollateralBuilder {
 public:
  CollateralBuilder(const Collateral& collateral, std::int64_t now,
                    intel::VerifiedCollateral& state)
      : collateral_(collateral), now_(now), state_(state) {}

  Status build(const Anchors& anchors) {
    SP_TRY(check_complete(collateral_));
    SP_TRY(add_crls(anchors));
    SP_TRY(add_tcb_info());
    SP_TRY(add_qe_identity());
    state_.pck_chain = to_bytes(collateral_.get(PieceKind::intel_pck_chain));
    return {};
  }

 private:
  Status add_crls(const Anchors& anchors);
  Status add_tcb_info();
  Status add_qe_identity();
  Result<Chain> signer(const ChainRules& rules, PieceKind piece);
  void add_validity(std::string_view piece, std::int64_t from, std::int64_t until) {
    state_.validity.push_back({std::string(piece), from, until});
  }

  const Collateral& collateral_;
  const std::int64_t now_;
  intel::VerifiedCollateral& state_;
};

Status CollateralBuilder::add_crls(const Anchors& anchors) {
  SP_ASSIGN(const Chain chain,
            intel::read_chain(intel::kPckCrlChain, collateral_.get(PieceKind::intel_pck_crl_chain),
                              anchors.intel, state_.store));
  SP_TRY(intel::check_current(intel::kPckCrlChain, chain, now_));
  state_.anchor = chain.anchor;
  SP_ASSIGN(state_.root_crl,
            read_crl(kRootCrl, collateral_.get(PieceKind::intel_root_crl), chain.root(), now_));
  SP_TRY(intel::check_not_revoked(intel::kPckCrlChain, chain, *state_.root_crl));
  SP_ASSIGN(state_.pck_crl,
            read_crl(kPckCrl, collateral_.get(PieceKind::intel_pck_crl), chain.leaf(), now_));
  intel::add_validity(intel::kPckCrlChain, chain, state_.validity);
  add_validity(kRootCrl.piece, state_.root_crl->this_update(), state_.root_crl->next_update());
  add_validity(kPckCrl.piece, state_.pck_crl->this_update(), state_.pck_crl->next_update());
  return {};
}

// The chain of who signs TCB info or QE identity: to the same root as the CRLs.
Result<Chain> CollateralBuilder::signer(const ChainRules& rules, PieceKind piece) {
  SP_ASSIGN(Chain chain,
            intel::read_chain(rules, collateral_.get(piece), {&state_.anchor, 1}, state_.store));
  SP_TRY(intel::check_current(rules, chain, now_));
  SP_TRY(intel::check_not_revoked(rules, chain, *state_.root_crl));
  intel::add_validity(rules, chain, state_.validity);
  return chain;
}

Status CollateralBuilder::add_tcb_info() {
  SP_ASSIGN(const Chain chain, signer(intel::kTcbInfoChain, PieceKind::intel_tcb_info_chain));
  const ByteView json = collateral_.get(PieceKind::intel_tcb_info);
  SP_REQUIRE_OK(Check::intel_tcbinfo_signature,
                intel::verify_by_leaf(chain.leaf(), json,
                                      collateral_.get(PieceKind::intel_tcb_info_signature)));
  SP_ASSIGN(state_.tcb_info, intel::read_tcb_info(as_text(json)));
  const intel::TcbInfo& info = state_.tcb_info;
  SP_TRY(require_current(Check::intel_tcbinfo_current, info.issue_date, info.next_update, now_));
  add_validity("TCB info", info.issue_date, info.next_update);
  return {};
}

Status CollateralBuilder::add_qe_identity() {
  SP_ASSIGN(const Chain chain, signer(intel::kQeIdentityChain, PieceKind::intel_qe_identity_chain));
  const ByteView json = collateral_.get(PieceKind::intel_qe_identity);
  SP_REQUIRE_OK(Check::intel_qeidentity_signature,
                intel::verify_by_leaf(chain.leaf(), json,
                                      collateral_.get(PieceKind::intel_qe_identity_signature)));
  SP_ASSIGN(state_.qe_identity, intel::read_qe_identity(as_text(json)));
  const intel::QeIdentity& qe = state_.qe_identity;
  SP_TRY(require_current(Check::intel_qeidentity_current, qe.issue_date, qe.next_update, now_));
  add_validity("QE identity", qe.issue_date, qe.next_update);
  return {};
}

}  // namespace

Result<IntelCollateral> IntelCollateral::verify(const Collateral& collateral,
                                                const Anchors& anchors, std::int64_t now) {
  const auto state = std::make_shared<State>();
  SP_TRY(CollateralBuilder(collateral, now, *state).build(anchors));
  return IntelCollateral(state);
}

namespace intel {

std::shared_ptr<const Pck> PckCache::find(const Digest32& digest) const {
  const std::lock_guard lock(mutex_);
  const auto found = chains_.find(digest);
  return found == chains_.end() ? nullptr : found->second;
}

void PckCache::add(const Digest32& digest, std::shared_ptr<const Pck> pck) const {
  const std::lock_guard lock(mutex_);
  if (chains_.size() >= kPckChainsMax) chains_.clear();
  chains_[digest] = std::move(pck);
}

}  // namespace intel
}  // namespace sp::attest
