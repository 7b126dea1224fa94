// Proof bundles: what anyone needs to check offline what ran for an order (FORMATS.md section 7).
//
// verify_proof() is a pure function of the bundle and of what its reader trusts. Nothing that is
// trusted comes from the bundle: a bundle that is consistent in itself and made with an attacker's
// keys fails. Values; safe to call from any thread.
#pragma once

#include <optional>

#include "api/broker.hpp"
#include "attest/appraisal.hpp"
#include "market/values.hpp"

namespace sp::market {

inline constexpr std::size_t kBundleSizeMax = 4 << 20;
inline constexpr std::size_t kTrustSizeMax = 256 * 1024;

struct ProofBundle {
  Eip712Domain market;
  Terms terms;
  api::SessionProof proof;  ///< evidence with the collateral used, binding context, acceptance
  Signed<Attestation> attestation;
  Signed<Receipt> receipt;
  chain::TxHash created_tx;
  chain::TxHash settled_tx;
  std::uint64_t created_block = 0;
  std::uint64_t settled_block = 0;

  /// JSON with binary fields in hexadecimal, and a readable summary that verification ignores.
  [[nodiscard]] std::string to_json() const;
  /// Errc::malformed, Errc::too_large, Errc::unsupported.
  static Result<ProofBundle> parse(std::string_view json);
};

/// What the reader of a bundle trusts, from their own configuration.
struct Trust {
  Eip712Domain market;
  Address attestor;
  OrderId order;
  attest::AppraisalPolicy tee;  ///< which devices and loaders

  [[nodiscard]] std::string to_json() const;
  static Result<Trust> parse(std::string_view json);
};

enum class CheckResult : std::uint8_t { passed, failed, unchecked };

struct ProofCheck {
  std::string name;  ///< "receipt.signature"
  CheckResult result = CheckResult::failed;
  std::string detail;
};

/// Every check by name, in order, failed ones included; what needs the chain is `unchecked`.
std::vector<ProofCheck> verify_proof(const ProofBundle& bundle, const Trust& trust);

/// Whether no check failed.
bool proof_holds(const std::vector<ProofCheck>& checks);

}  // namespace sp::market
