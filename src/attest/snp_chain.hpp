// The chain of keys behind an SEV-SNP report: chip certificate (VCEK or VLEK), intermediate (ASK or
// ASVK), root (ARK), and AMD's extensions of a chip certificate (57230 section 3). Values; pure.
#pragma once

#include "attest/anchors.hpp"
#include "attest/claims.hpp"
#include "attest/collateral.hpp"
#include "attest/snp_report.hpp"
#include "crypto/x509.hpp"

namespace sp::attest {

/// A chip certificate and what AMD's extensions in it say.
struct SnpChip {
  crypto::Certificate certificate;
  SnpKey key = SnpKey::vcek;
  SnpFamily family = SnpFamily::milan;
  std::string product;  ///< "Milan-B0"
  SnpTcb tcb;
  Bytes hwid;          ///< VCEK: as long as CHIP_ID
  std::string csp_id;  ///< VLEK: the cloud provider that it was made for
};

/// Reads a chip certificate by its own name and extensions; nothing is verified. The first failing
/// check's error (snp.vcek.form, .name, .extensions, .product).
Result<SnpChip> read_snp_chip(ByteView der);

struct SnpChain {
  SnpChip chip;
  crypto::Certificate intermediate, root;
  Digest48 anchor;                  ///< SHA-384 of the root's SubjectPublicKeyInfo
  bool revocation_checked = false;  ///< the collateral holds a CRL, and it is good
  std::vector<Validity> validity;
};

/// Verifies the chain of `collateral` at `now`; what it holds of intermediate and root comes before
/// the built-in ones. Everything but what the report says is checked.
Result<SnpChain> verify_snp_chain(const Collateral& collateral, const Anchors& anchors,
                                  std::int64_t now);

/// The common name of a subject as Certificate::subject() tells it; empty where it isn't one.
std::string snp_common_name(const std::string& subject);

}  // namespace sp::attest
