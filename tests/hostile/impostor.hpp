// An impostor plays a loader: it holds the machine's dev platform and the provider's action key, so
// that it can make evidence of anything, and talks to the real broker over HTTP.
//
// With it a test asks for what an honest loader never would. Belongs to one thread.
#pragma once

#include "api/broker.hpp"
#include "orders.hpp"
#include "prove/dev.hpp"

namespace sp::hostile {

/// What a session is: its keys, its proof, and the attestation once there is one.
struct FakeSession {
  crypto::X25519KeyPair hpke;
  crypto::EthKey key;
  api::SessionProof proof;
  api::Signed<api::Attestation> attestation;

  [[nodiscard]] api::Run run() const {
    return {proof.context.order, proof.context.attempt, proof.context.replica};
  }
};

class Impostor {
 public:
  /// With the platform of the provider's machine, and the real loader's measurement.
  explicit Impostor(Shop& shop);
  /// Another chip, whose key no policy names, with the real loader's measurement.
  static prove::DevProver other_chip(Shop& shop);
  /// The provider's chip with another program on it.
  static prove::DevProver other_program(Shop& shop);

  prove::Prover& honest_prover() { return prover_; }

  /// A session with a fresh nonce of the broker, accepted by the provider, with evidence.
  FakeSession open(const api::OrderId& order);
  /// The same with other nonces than the broker's one.
  FakeSession open(const api::OrderId& order, const std::vector<api::Nonce>& nonces);
  /// Makes acceptance and evidence anew after a change of the context.
  void prove(FakeSession& session, prove::Prover& prover);
  /// open(), and the broker's attestation.
  FakeSession attested(const api::OrderId& order);

  Result<api::Nonce> nonce(const api::OrderId& order, const Address& session);
  Result<api::Signed<api::Attestation>> attest(const api::SessionProof& proof);
  Result<api::ReleaseAnswer> release(const api::ReleaseRequest& request);
  /// Asks for a part's key as the session would.
  Result<api::ReleaseAnswer> ask_key(const FakeSession& session, std::uint8_t part);
  api::ReleaseRequest key_request(const FakeSession& session, std::uint8_t part);

  api::Signed<api::Receipt> sign(const FakeSession& session, api::Receipt receipt);
  /// Sends a settle as the provider would. The error names the contract's revert.
  Status settle(const api::Terms& terms, const api::Signed<api::Attestation>& attestation,
                const api::Signed<api::Receipt>& receipt);
  /// Tells the market of a session that began nothing.
  Status acquit(const api::Terms& terms, const api::Signed<api::Receipt>& receipt);
  Status claim(const api::Terms& terms, const api::Signed<api::Attestation>& attestation,
               const api::Signed<api::KeyRequest>& request);

 private:
  Result<Bytes> post(const std::string& path, ByteView body);

  Shop& shop_;
  prove::DevProver prover_;
};

/// "code: message" of an error, "ok" otherwise.
template <class T>
std::string words(const Result<T>& result) {
  if (result) return "ok";
  return std::string(errc_name(result.error().code)) + ": " + result.error().message;
}

}  // namespace sp::hostile
