// Statements: what the parties sign about an order, as EIP-712 under the market's domain
// (FORMATS.md section 2).
//
// They mirror contracts/src/types/Types.sol. A statement is signed over digest(domain); whoever is
// given one verifies the signature against the account that it expects, never against one that the
// statement brings along. Values; safe to call from any thread.
#pragma once

#include "api/terms.hpp"
#include "crypto/secp256k1.hpp"

namespace sp::api {

using crypto::Eip712Domain;
using crypto::EthSignature;

inline constexpr std::size_t kAcceptanceSignatureMax = 65;

/// Which run of an order a statement is about.
struct Run {
  OrderId order;
  std::uint16_t attempt = 0;
  std::uint8_t replica = 0;
  auto operator<=>(const Run&) const = default;
};

/// The provider's action account takes the order for one session.
struct Acceptance {
  Run run;
  Address session;
  [[nodiscard]] Digest32 digest(const Eip712Domain& domain) const;
};

/// The attestor's word on a session.
struct Attestation {
  EvidenceKind kind = EvidenceKind::none;
  attest::Vendor vendor = attest::Vendor::dev;
  attest::TcbStatus tcb_status = attest::TcbStatus::revoked;
  ChipId chip;
  attest::MeasurementDigest measurement;
  Run run;
  Address session;
  std::int64_t time = 0;  ///< block time, seconds; at most 2^40-1
  EthSignature acceptance;
  [[nodiscard]] Digest32 digest(const Eip712Domain& domain) const;
  bool operator==(const Attestation&) const = default;
};

struct KeyRequest {
  Run run;
  std::uint8_t part = 0;
  Digest32 attestation;  ///< digest of the attestation
  [[nodiscard]] Digest32 digest(const Eip712Domain& domain) const;
  bool operator==(const KeyRequest&) const = default;
};

/// Why a broker refuses a key for good.
enum class RefusalReason : std::uint8_t {
  policy = 1,   ///< the part's policy doesn't allow this use
  unknown = 2,  ///< the broker holds no secret for the part
};

struct Refusal {
  Run run;
  std::uint8_t part = 0;
  RefusalReason reason = RefusalReason::policy;
  [[nodiscard]] Digest32 digest(const Eip712Domain& domain) const;
  bool operator==(const Refusal&) const = default;
};

enum class Outcome : std::uint8_t {
  success = 0,
  workload = 1,
  cancelled = 2,
  input = 3,
  provider = 4
};
std::string_view outcome_name(Outcome outcome);

/// Which limit ended a workload.
enum class LimitHit : std::uint8_t { none = 0, time = 1, memory = 2, disk = 3, log = 4 };
std::string_view limit_name(LimitHit limit);

struct Receipt {
  Run run;
  Outcome outcome = Outcome::provider;
  bool started = false;
  LimitHit limit = LimitHit::none;
  std::uint8_t fault_part = 0;
  std::int32_t exit_code = -1;
  std::uint32_t opened = 0;  ///< bit i: part i opened; the storage part's bit: the result is stored
  std::uint64_t duration_ms = 0;
  Digest32 result;      ///< package id; zero = none
  Digest32 commitment;  ///< zero = none
  [[nodiscard]] Digest32 digest(const Eip712Domain& domain) const;
  bool operator==(const Receipt&) const = default;
};

/// A statement and its signature, and their common encoding: the statement's fields, then the 65
/// bytes.
template <class Statement>
struct Signed {
  Statement statement;
  EthSignature signature;

  static Signed make(const Statement& statement, const Eip712Domain& domain,
                     const crypto::EthKey& key) {
    return {statement, key.sign(statement.digest(domain))};
  }
  /// Errc::bad_signature unless `signer` signed exactly this.
  [[nodiscard]] Status verify(const Eip712Domain& domain, const Address& signer) const {
    return crypto::verify_eth(statement.digest(domain), signature, signer);
  }
  /// Who signed this. Errc::bad_signature where nobody can have.
  [[nodiscard]] Result<Address> signer(const Eip712Domain& domain) const {
    return crypto::recover(statement.digest(domain), signature);
  }
  [[nodiscard]] Bytes encode() const;
  static Result<Signed> decode(ByteView bytes);
  bool operator==(const Signed&) const = default;
};

inline constexpr std::size_t kStatementSizeMax = 1024;  ///< of any encoded Signed<...>

/// The acceptance signature of an attestation, checked against the provider's action account.
Status verify_acceptance(const Attestation& attestation, const Eip712Domain& domain,
                         const Address& action);

/// keccak256(order, attempt, replica, session, C) as abi.encodePacked lays them: what a receipt
/// carries of C.
Digest32 commitment_of(const Run& run, const Address& session, const Digest32& c);

}  // namespace sp::api
