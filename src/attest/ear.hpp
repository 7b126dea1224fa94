// Attestation results in the vocabulary of EAR (draft-ietf-rats-ear, AR4SI trust vector of
// draft-ietf-rats-ar4si), as JSON and as a JWT signed with ES256 (RFC 7519, RFC 7515, RFC 7518).
// Pure; safe to call from any thread.
#pragma once

#include "attest/appraisal.hpp"
#include "crypto/ecdsa.hpp"

namespace sp::attest {

inline constexpr std::size_t kEarSizeMax = 256 * 1024;

/// Tiers of AR4SI section 3.2; the value of a trust vector's claim is within its tier.
enum class EarStatus : std::int8_t { none = 0, affirming = 2, warning = 32, contraindicated = 96 };
std::string_view ear_status_name(EarStatus status);

/// The claims set: `eat_profile`, `iat`, `ear.verifier-id`, and one submodule "tee" with
/// `ear.status` (the worst of the vector), `ear.trustworthiness-vector`, `ear.appraisal-policy-id`
/// (SHA-256 of the policy's JSON), and `superprotocol.verdict` with every claim and rule.
Json ear_claims(const Verdict& verdict, const AppraisalPolicy& policy, std::int64_t now);

/// The status of the submodule in a claims set that ear_claims made.
EarStatus ear_status(const Json& claims);

/// header.payload.signature, ES256. `key` is on P-256 (CHECK).
std::string ear_jwt(const Json& claims, const crypto::EcKey& key);

/// The claims of a JWT that `key` signed. Errc::malformed, Errc::unsupported (another algorithm
/// than ES256), Errc::bad_signature, Errc::too_large.
Result<Json> read_ear_jwt(std::string_view jwt, const crypto::EcPublic& key);

}  // namespace sp::attest
