// What a loader and a depositor ask of a key broker: messages, and the service behind them.
//
// The loader's calls travel through the window and the provider's relay (window.hpp), or directly;
// both reach the same BrokerService. All messages are hostile input to the broker and all answers
// to the loader. FORMATS.md section 6.
#pragma once

#include <optional>

#include "api/arguments.hpp"
#include "api/statements.hpp"

namespace sp::api {

using attest::Nonce;

/// A nonce for one session; it lives for kNonceLifetimeSeconds.
struct NonceRequest {
  Run run;
  Address session;
  [[nodiscard]] Bytes encode() const;
  static Result<NonceRequest> decode(ByteView bytes);
  bool operator==(const NonceRequest&) const = default;
};
inline constexpr std::int64_t kNonceLifetimeSeconds = 600;

/// A session with the evidence that binds it, and the provider's acceptance.
struct SessionProof {
  attest::OrderSession context;
  attest::Evidence evidence;
  EthSignature acceptance;
  [[nodiscard]] Bytes encode() const;
  static Result<SessionProof> decode(ByteView bytes);
  bool operator==(const SessionProof&) const = default;
};
inline constexpr std::size_t kSessionProofMax = 1 << 20;

/// Asks for a part's key. `part` is in the key request.
struct ReleaseRequest {
  SessionProof proof;
  Signed<Attestation> attestation;
  Signed<KeyRequest> request;
  [[nodiscard]] Bytes encode() const;
  static Result<ReleaseRequest> decode(ByteView bytes);
};

/// What a broker signs of a key that it releases, so that a relay can't put another in its place.
struct Release {
  Run run;
  std::uint8_t part = 0;
  Nonce nonce;      ///< the broker's, of this session
  Digest32 sealed;  ///< SHA-256 of the sealed key
  [[nodiscard]] Digest32 digest(const Eip712Domain& domain) const;
};

/// A released key (HPKE, sealed to the session key) with the broker's signature over its Release,
/// or a signed refusal. Exactly one is there.
struct ReleaseAnswer {
  Bytes sealed;
  EthSignature signature;  ///< of a release; zero beside a refusal, where it isn't encoded
  std::optional<Signed<Refusal>> refusal;
  [[nodiscard]] Bytes encode() const;
  static Result<ReleaseAnswer> decode(ByteView bytes);
};

/// HPKE info of a release: binds the sealed key to nonce, run and part.
Bytes release_info(const Nonce& broker_nonce, const Run& run, std::uint8_t part);

/// A depositor hands over a part's secret with its policy.
struct Deposit {
  Address broker;          ///< whom it is meant for
  Address owner;           ///< who signs, and alone may replace it
  Digest32 digest;         ///< package id or argument commitment
  std::uint64_t time = 0;  ///< when it was signed, seconds of Unix time
  std::string policy;      ///< JSON (docs/POLICY.md)
  Bytes sealed;            ///< PartSecret, HPKE to the broker's deposit key, info deposit_info()
  EthSignature signature;  ///< by the owner, over digest_to_sign()

  [[nodiscard]] Bytes info() const;
  /// EIP-712 Deposit(address broker,address owner,bytes32 digest,uint64 time,bytes32 policy,
  /// bytes32 sealed) without a chain; policy and sealed by their SHA-256.
  [[nodiscard]] Digest32 digest_to_sign() const;
  [[nodiscard]] Bytes encode() const;
  static Result<Deposit> decode(ByteView bytes);
};
inline constexpr std::size_t kPolicySizeMax = 64 * 1024;
/// Of a deposit, from the broker's clock to both sides, seconds: what is sent again later could
/// bring a policy back that its owner has replaced.
inline constexpr std::uint64_t kDepositClockWindow = 600;

/// Who a broker is: its keys and the evidence that binds them to the asker's nonce.
struct BrokerIdentityAnswer {
  crypto::X25519Public deposit_key;
  Address broker;
  attest::Evidence evidence;
  [[nodiscard]] Bytes encode() const;
  static Result<BrokerIdentityAnswer> decode(ByteView bytes);
};

/// The loader's side of a broker, and the owner's. Implementations block and are safe to call from
/// any thread.
class BrokerService {
 public:
  virtual ~BrokerService() = default;
  virtual Result<Nonce> nonce(const NonceRequest& request) = 0;
  virtual Result<Signed<Attestation>> attest(const SessionProof& proof) = 0;
  virtual Result<ReleaseAnswer> release(const ReleaseRequest& request) = 0;
};

}  // namespace sp::api
