// Intel's certificate chains, each read once and verified once however often its certificates
// appear. A store belongs to one thread; a copy of one is cheap.
#pragma once

#include <span>

#include "attest/check.hpp"
#include "attest/claims.hpp"
#include "crypto/crl.hpp"
#include "crypto/x509.hpp"

namespace sp::attest::intel {

/// Certificates that were read before, and which of them was found to be issued by which.
class CertificateStore {
 public:
  /// Errc::malformed, Errc::too_large.
  Result<crypto::Certificate> read(ByteView der);
  [[nodiscard]] Status verify_issued_by(const crypto::Certificate& certificate,
                                        const crypto::Certificate& issuer);

 private:
  using Issued = std::pair<const void*, const void*>;
  std::vector<crypto::Certificate> certificates_;
  std::vector<Issued> issued_;  // by the places of their DER, which certificates_ keeps
};

/// The checks of one chain, and who stands in it from the leaf on.
struct ChainRules {
  Check form, anchor, issued, critical, subject, current, revoked;
  std::optional<Check> path;  ///< only chains of three certificates have CAs below CAs
  std::span<const std::string_view> names;   ///< part of each common name, leaf first, root last
  std::span<const std::string_view> pieces;  ///< names for Claims::validity
};
extern const ChainRules kPckChain;
extern const ChainRules kPckCrlChain;
extern const ChainRules kTcbInfoChain;
extern const ChainRules kQeIdentityChain;

struct Chain {
  std::vector<crypto::Certificate> certificates;  ///< leaf first, never empty
  Digest48 anchor;                                ///< SHA-384 of the root's public key info

  [[nodiscard]] const crypto::Certificate& leaf() const { return certificates.front(); }
  [[nodiscard]] const crypto::Certificate& issuer() const {
    return certificates[std::min<std::size_t>(1, certificates.size() - 1)];
  }
  [[nodiscard]] const crypto::Certificate& root() const { return certificates.back(); }
};

/// Reads a chain and checks all but its times and revocation.
Result<Chain> read_chain(const ChainRules& rules, ByteView pem, std::span<const Digest48> anchors,
                         CertificateStore& store);
Status check_current(const ChainRules& rules, const Chain& chain, std::int64_t now);
/// That the root's list revokes none of those that the root issued.
Status check_not_revoked(const ChainRules& rules, const Chain& chain, const crypto::Crl& root_crl);
/// A signature r || s over `message` by a leaf's key: on P-256 as all of Intel's are, and a key for
/// signatures where the leaf has a key usage (RFC 5280 section 4.2.1.3). Errc::bad_signature.
Status verify_by_leaf(const crypto::Certificate& leaf, ByteView message, ByteView signature);
void add_validity(const ChainRules& rules, const Chain& chain, std::vector<Validity>& validity);

}  // namespace sp::attest::intel
