// The key broker: attests sessions, releases secrets to verified evidence, takes deposits.
//
// Every request is checked from the start against the chain and the evidence; nothing that a loader
// or relay says is believed. A signed refusal is given only for what no later try can change (the
// policy says no; there is no secret): it makes the order end as an input error. Everything else is
// an error that may be tried again. Safe to call from any thread.
#pragma once

#include <memory>

#include "api/broker.hpp"
#include "base/sync.hpp"
#include "broker/chain_view.hpp"
#include "broker/metrics.hpp"
#include "broker/vault.hpp"
#include "collateral/source.hpp"
#include "prove/prover.hpp"

namespace sp::broker {

inline constexpr std::size_t kBrokerKeysSizeMax = 256;  ///< bytes of encoded keys

/// A broker's own keys. Secret; one file.
struct BrokerKeys {
  crypto::EthKey signing;
  crypto::X25519KeyPair deposit;
  Secret32 vault;

  static BrokerKeys generate(Random& random);
  [[nodiscard]] SecretBytes encode() const;
  static Result<BrokerKeys> decode(ByteView bytes);
};

/// Nonces that the broker gives out, each for one session. Nothing is kept of them: a nonce holds
/// its time, a random part, and a MAC over both and the session under a key of this process. So any
/// number can be asked for, and a restart ends them all. Safe to call from any thread.
class NonceBook {
 public:
  NonceBook(const Clock& clock, Random& random);
  api::Nonce issue(const api::NonceRequest& request);
  /// Errc::expired where it wasn't issued for this session or its time is over.
  Status check(const api::Nonce& nonce, const api::NonceRequest& request) const;

 private:
  static constexpr std::size_t kTimeSize = 8;
  static constexpr std::size_t kFreshSize = 4;
  [[nodiscard]] api::Nonce with_mac(api::Nonce nonce, const api::NonceRequest& request) const;

  const Clock& clock_;
  Random& random_;
  const Secret32 key_;
};

class Broker final : public api::BrokerService {
 public:
  struct Options {
    attest::AppraisalPolicy attestor_policy;               ///< what this broker attests to at all
    attest::Anchors anchors = attest::Anchors::vendors();  ///< up to whom evidence is verified
    /// Gives the collateral that evidence came without; none: evidence must bring all of it.
    collateral::CollateralSource* collateral = nullptr;
  };
  Broker(const BrokerKeys& keys, ChainView& view, Vault& vault, prove::Prover& prover,
         const Clock& clock, Random& random, Options options);

  Result<api::Nonce> nonce(const api::NonceRequest& request) override;
  /// Errc::refused, Errc::unauthorised, Errc::expired, Errc::conflict (cancelled, ended),
  /// Errc::mismatch, Errc::bad_signature; Errc::unavailable for collateral that isn't current,
  /// which its vendor renews, and Errc::timed_out as well where nobody gives it.
  Result<api::Signed<api::Attestation>> attest(const api::SessionProof& proof) override;
  Result<api::ReleaseAnswer> release(const api::ReleaseRequest& request) override;

  /// This broker's keys with evidence that binds them to the nonce.
  Result<api::BrokerIdentityAnswer> identity(const api::Nonce& nonce);
  /// Keeps a secret. Errc::bad_signature, Errc::mismatch (meant for another broker),
  /// Errc::malformed (policy), Errc::expired (signed outside of api::kDepositClockWindow);
  /// Errc::expired, Errc::conflict and Errc::io as Vault::put.
  Status deposit(const api::Deposit& deposit);
  /// Whether the secret of (owner, digest) is held: nothing about it is told.
  [[nodiscard]] bool holds(const Address& owner, const Digest32& digest) const;
  /// For Prometheus.
  [[nodiscard]] std::string metrics() const { return metrics_.text(); }
  /// Attestations and key requests of an order, for claims.
  Result<std::vector<KeptRequest>> requests(const api::OrderId& order);

 private:
  struct Session {
    OrderFacts facts;
    attest::Verdict verdict;
    api::Nonce own_nonce;
  };
  /// Everything about a session that attesting and releasing both rest on.
  Result<Session> check_session(const api::SessionProof& proof);
  Result<api::Nonce> own_nonce(const api::Terms& terms, const api::SessionProof& proof);
  Result<api::ReleaseAnswer> refuse(const api::KeyRequest& request, api::RefusalReason reason,
                                    const api::Eip712Domain& domain);
  Result<api::Signed<api::Attestation>> attest_session(const api::SessionProof& proof);
  Result<api::ReleaseAnswer> release_checked(const api::ReleaseRequest& request);
  Status check_request(const api::ReleaseRequest& request, const Session& session);
  Result<api::ReleaseAnswer> release_secret(const api::ReleaseRequest& request,
                                            const Session& session);

  const BrokerKeys& keys_;
  ChainView& view_;
  Vault& vault_;
  prove::Prover& prover_;
  const Clock& clock_;
  Random& random_;
  Options options_;
  NonceBook nonces_;
  Metrics metrics_;
};

}  // namespace sp::broker
