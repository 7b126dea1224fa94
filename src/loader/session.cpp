#include "loader/session.hpp"

#include "crypto/hash.hpp"

namespace sp::loader {
namespace {

Status expect(bool holds, std::string_view what) {
  if (holds) return {};
  return Error{Errc::mismatch, std::string(what)};
}

std::string part_name(const api::Terms& terms, std::size_t part) {
  return "part " + std::to_string(part) + " (" +
         std::string(api::part_kind_name(terms.parts[part].kind)) + ")";
}

}  // namespace

Result<Session> Session::make(const api::Start& start, const prove::ProverIdentity& identity,
                              Random& random) {
  const api::Terms& terms = start.terms;
  SP_TRY(terms.check_version_1());
  SP_ASSIGN(api::Compute compute, terms.compute_of(start.attempt, start.replica));
  SP_TRY(expect(compute.kind == identity.kind,
                "the order's compute offer names another kind of TEE than this one"));
  SP_TRY(expect(compute.chip == identity.chip,
                "the order's compute offer names another chip than this machine's"));
  if (terms.ordered_seconds == 0 || terms.memory_mib == 0 || terms.disk_mib == 0 ||
      terms.pids == 0) {
    return Error{Errc::refused, "the terms leave a workload no time, memory, disk or process"};
  }
  if (terms.cpu_milli < api::kCpuMilliMin) {
    return Error{Errc::refused, "the terms leave a workload " + std::to_string(terms.cpu_milli) +
                                    " thousandths of a core, at least " +
                                    std::to_string(api::kCpuMilliMin)};
  }
  Session session(start, std::move(compute), crypto::X25519KeyPair::generate(random),
                  crypto::EthKey::generate(random));
  session.run_ = {terms.order_id(start.market), start.attempt, start.replica};
  // Found when the result is sealed, a key of low order would be the provider's fault, and cost its
  // deposit.
  if (const auto shared = crypto::x25519(session.hpke_.secret, terms.result_key); !shared) {
    return shared.error().in("nothing can be sealed to the result key");
  }
  return session;
}

Status Session::attest(const SessionPeers& peers, prove::Prover& prover) {
  auto accepted = peers.accept({run_, address()});
  if (!accepted) return accepted.error().in("acceptance");
  api::SessionProof proof;
  proof.acceptance = *accepted;
  proof.context.session_key = hpke_.public_key;
  proof.context.session = address();
  proof.context.order = run_.order;
  proof.context.attempt = run_.attempt;
  proof.context.replica = run_.replica;
  for (const Address& broker : terms().brokers_in_order()) {
    auto nonce = peers.broker(broker)->nonce({run_, address()});
    if (!nonce) return nonce.error().in("nonce of broker " + broker.hex0x());
    nonces_[broker] = *nonce;
    proof.context.nonces.push_back(*nonce);
  }
  SP_ASSIGN(proof.evidence, prover.evidence(proof.context.report_data()));
  auto word = peers.broker(terms().attestor)->attest(proof);
  if (!word) return word.error().in("attestor");
  if (Status checked = check_attestation(*word, prover.identity(), *accepted); !checked) {
    return checked.error().in("attestation");
  }
  proof_ = std::move(proof);
  attestation_ = *word;
  return {};
}

Status Session::check_attestation(const api::Signed<api::Attestation>& word,
                                  const prove::ProverIdentity& identity,
                                  const crypto::EthSignature& acceptance) const {
  SP_TRY(word.verify(start_.market, terms().attestor));
  const api::Attestation& said = word.statement;
  SP_TRY(expect(said.run == run_, "it is about another run"));
  SP_TRY(expect(said.session == address(), "it is about another session"));
  SP_TRY(expect(said.acceptance == acceptance, "it holds another acceptance"));
  SP_TRY(expect(said.kind == identity.kind && said.vendor == identity.vendor,
                "it is about another kind of TEE"));
  SP_TRY(expect(said.chip == identity.chip, "it is about another chip"));
  SP_TRY(expect(said.measurement == identity.measurement, "it is about another program"));
  return expect(said.time > 0, "it has no time");
}

Result<api::ReleasedSecret> Session::release(const SessionPeers& peers, std::size_t part,
                                             Blame& blame) {
  SP_CHECK(proof_ && attestation_ && part < terms().parts.size());
  const Address& broker = terms().parts[part].brokers.at(0);
  const auto index = static_cast<std::uint8_t>(part);
  const std::string where = "the key of " + part_name(terms(), part);
  const api::KeyRequest request{run_, index, attestation_->statement.digest(start_.market)};
  const auto answer = peers.broker(broker)->release(
      {*proof_, *attestation_, api::Signed<api::KeyRequest>::make(request, start_.market, key_)});
  if (!answer) return answer.error().in(where);
  if (answer->refusal) {
    const api::Signed<api::Refusal>& refusal = *answer->refusal;
    if (Status by = refusal.verify(start_.market, broker); !by) return by.error().in(where);
    if (refusal.statement.run != run_ || refusal.statement.part != index) {
      return Error{Errc::mismatch, where + ": a refusal of something else"};
    }
    blame.part = index;
    return Error{Errc::refused, where + ": the broker refuses: " +
                                    (refusal.statement.reason == api::RefusalReason::policy
                                         ? "the owner's policy doesn't allow this use"
                                         : "it holds no secret for this part")};
  }
  const api::Nonce& nonce = nonces_.at(broker);
  const api::Release said{run_, index, nonce, crypto::sha256(answer->sealed)};
  const Status by = crypto::verify_eth(said.digest(start_.market), answer->signature, broker);
  if (!by) return by.error().in(where);
  const auto opened =
      crypto::hpke_open(hpke_, api::release_info(nonce, run_, index), {}, answer->sealed);
  if (!opened) return opened.error().in(where);
  auto secret = api::ReleasedSecret::decode(opened->reveal());
  if (!secret) return secret.error().in(where);
  return secret;
}

}  // namespace sp::loader
