// A session: fresh keys of the loader for one run, bound to this machine by evidence, taken on by
// the provider, attested by the order's attestor; and the keys that brokers then release to it.
//
// Everything that comes back is checked against the terms and the session's own values before it is
// used. Belongs to one thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "api/broker.hpp"
#include "api/window.hpp"
#include "base/world.hpp"
#include "prove/prover.hpp"

namespace sp::loader {

/// Whose fault a failure is.
struct Blame {
  std::optional<std::uint8_t> part;  ///< that part's owner or broker; empty = the provider's
};

/// How a session reaches the others.
struct SessionPeers {
  /// The provider's signature of an acceptance, its form checked.
  std::function<Result<crypto::EthSignature>(const api::Acceptance&)> accept;
  /// The broker that signs as this address.
  std::function<std::unique_ptr<api::BrokerService>(const Address&)> broker;
};

class Session {
 public:
  /// Checks that the terms are ones that this loader runs, on this very machine. Errc::refused,
  /// Errc::unsupported, Errc::not_found, Errc::mismatch (another kind of TEE, or another chip, than
  /// the order's compute offer).
  static Result<Session> make(const api::Start& start, const prove::ProverIdentity& identity,
                              Random& random);

  /// Acceptance, nonces, evidence, attestation: all or an error. Errc::bad_signature,
  /// Errc::mismatch, Errc::refused, Errc::unavailable.
  Status attest(const SessionPeers& peers, prove::Prover& prover);

  /// The key of a part, from the broker that the terms name. On the broker's signed refusal
  /// Errc::refused, and the part is blamed.
  Result<api::ReleasedSecret> release(const SessionPeers& peers, std::size_t part, Blame& blame);

  [[nodiscard]] const api::Terms& terms() const { return start_.terms; }
  [[nodiscard]] const crypto::Eip712Domain& market() const { return start_.market; }
  [[nodiscard]] const api::Run& run() const { return run_; }
  [[nodiscard]] const api::Compute& compute() const { return compute_; }
  [[nodiscard]] const Address& address() const { return key_.address(); }
  /// What attest() has reached; empty before.
  [[nodiscard]] const std::optional<api::SessionProof>& proof() const { return proof_; }
  [[nodiscard]] const std::optional<api::Signed<api::Attestation>>& attestation() const {
    return attestation_;
  }
  [[nodiscard]] api::Signed<api::Receipt> sign(const api::Receipt& receipt) const {
    return api::Signed<api::Receipt>::make(receipt, start_.market, key_);
  }

 private:
  Session(api::Start start, api::Compute compute, crypto::X25519KeyPair hpke, crypto::EthKey key)
      : start_(std::move(start)),
        compute_(std::move(compute)),
        hpke_(std::move(hpke)),
        key_(std::move(key)) {}
  /// Whether the attestor's word is about this session, on this machine, and signed.
  [[nodiscard]] Status check_attestation(const api::Signed<api::Attestation>& word,
                                         const prove::ProverIdentity& identity,
                                         const crypto::EthSignature& acceptance) const;

  api::Start start_;
  api::Compute compute_;
  api::Run run_;
  crypto::X25519KeyPair hpke_;
  crypto::EthKey key_;
  std::map<Address, api::Nonce> nonces_;
  std::optional<api::SessionProof> proof_;
  std::optional<api::Signed<api::Attestation>> attestation_;
};

}  // namespace sp::loader
