// The checks of Intel TDX and SGX: name, id, error code, what must hold (check.hpp). The rules are
// those of Intel's "SGX ECDSA QuoteLibReference DCAP API", "TDX DCAP Quoting Library API" and the
// PCS API's guidance on TCB levels.
#pragma once

// Each chain is checked in the same way: what it is made of, where it ends, and each certificate.
#define SP_INTEL_CHAIN_CHECKS(X, name, id, whose)                                  \
  X(intel_##name##_form, "intel." id ".form", Errc::malformed,                     \
    whose " is PEM of as many certificates as it has")                             \
  X(intel_##name##_anchor, "intel." id ".anchor", Errc::mismatch,                  \
    whose " ends at the key of an accepted root")                                  \
  X(intel_##name##_issued, "intel." id ".issued", Errc::bad_signature,             \
    "each certificate of " whose " is issued by the next, the last by itself")     \
  X(intel_##name##_critical, "intel." id ".critical", Errc::unsupported,           \
    "every critical extension in " whose " is known")                              \
  X(intel_##name##_subject, "intel." id ".subject", Errc::mismatch,                \
    "each certificate of " whose " has the common name that Intel gives its role") \
  X(intel_##name##_current, "intel." id ".current", Errc::expired,                 \
    "each certificate of " whose " is valid at the time")                          \
  X(intel_##name##_revoked, "intel." id ".revoked", Errc::refused,                 \
    "no certificate that the root issued in " whose " is on the root's CRL")

#define SP_INTEL_QUOTE_CHECKS(X)                                                                   \
  X(intel_quote_size, "intel.quote.size", Errc::too_large,                                         \
    "the quote isn't larger than evidence may be")                                                 \
  X(intel_quote_version, "intel.quote.version", Errc::unsupported, "the version is 3, 4 or 5")     \
  X(intel_quote_key_type, "intel.quote.key_type", Errc::unsupported,                               \
    "the attestation key is ECDSA on P-256")                                                       \
  X(intel_quote_tee_type, "intel.quote.tee_type", Errc::unsupported,                               \
    "the TEE is SGX or TDX; version 3 knows SGX only")                                             \
  X(intel_quote_vendor, "intel.quote.vendor", Errc::unsupported, "the quoting enclave is Intel's") \
  X(intel_quote_body_type, "intel.quote.body_type", Errc::unsupported,                             \
    "version 5 states a body that the TEE has")                                                    \
  X(intel_quote_body_size, "intel.quote.body_size", Errc::malformed,                               \
    "version 5 states the size of its body")                                                       \
  X(intel_quote_truncated, "intel.quote.truncated", Errc::malformed,                               \
    "header, body and stated signature data are there")                                            \
  X(intel_quote_certification, "intel.quote.certification", Errc::unsupported,                     \
    "the certification data are of type 6 around type 5, in version 3 of type 5")                  \
  X(intel_quote_lengths, "intel.quote.lengths", Errc::malformed,                                   \
    "the lengths inside the signature data fill it exactly")                                       \
  X(intel_quote_kind, "intel.quote.kind", Errc::mismatch,                                          \
    "the quote is of the TEE that was asked for")                                                  \
  X(intel_quote_trailing, "intel.quote.trailing", Errc::malformed,                                 \
    "only zeros follow the stated signature data")                                                 \
  X(intel_quote_signature, "intel.quote.signature", Errc::bad_signature,                           \
    "the attestation key signs header and body")                                                   \
  X(intel_quote_attributes, "intel.quote.attributes", Errc::unsupported,                           \
    "no reserved attribute of the TD or enclave is set")                                           \
  X(intel_quote_xfam, "intel.quote.xfam", Errc::mismatch,                                          \
    "the TD has the features that every TD has")                                                   \
  X(intel_quote_mrsignerseam, "intel.quote.mrsignerseam", Errc::mismatch,                          \
    "the TDX module is signed by whom TCB info says")                                              \
  X(intel_quote_seam_attributes, "intel.quote.seam_attributes", Errc::mismatch,                    \
    "the TDX module's attributes are those of TCB info")                                           \
  X(intel_quote_seam_reserved, "intel.quote.seam_reserved", Errc::unsupported,                     \
    "no attribute of the TDX module is set: none is defined")                                      \
  X(intel_qe_report_data, "intel.qe.report_data", Errc::mismatch,                                  \
    "the QE's report data is the SHA-256 of attestation key and authentication data, then zeros")  \
  X(intel_qe_signature, "intel.qe.signature", Errc::bad_signature,                                 \
    "the PCK certificate's key signs the QE's report")                                             \
  X(intel_qe_miscselect, "intel.qe.miscselect", Errc::mismatch,                                    \
    "the QE's MISCSELECT is that of the QE identity")                                              \
  X(intel_qe_attributes, "intel.qe.attributes", Errc::mismatch,                                    \
    "the QE's attributes are those of the QE identity")                                            \
  X(intel_qe_mrsigner, "intel.qe.mrsigner", Errc::mismatch,                                        \
    "the QE is signed by whom the QE identity says")                                               \
  X(intel_qe_product, "intel.qe.product", Errc::mismatch,                                          \
    "the QE is the product that the QE identity says")                                             \
  X(intel_qe_level, "intel.qe.level", Errc::refused,                                               \
    "a level of the QE identity fits the QE's version")

#define SP_INTEL_COLLATERAL_CHECKS(X)                                                            \
  X(intel_collateral_complete, "intel.collateral.complete", Errc::not_found,                     \
    "every piece of collateral is there")                                                        \
  X(intel_collateral_current, "intel.collateral.current", Errc::expired,                         \
    "verified collateral is current at the time it is used")                                     \
  X(intel_rootcrl_form, "intel.rootcrl.form", Errc::malformed, "the root's CRL is one")          \
  X(intel_rootcrl_issued, "intel.rootcrl.issued", Errc::bad_signature, "the root signs its CRL") \
  X(intel_rootcrl_current, "intel.rootcrl.current", Errc::expired, "the root's CRL is current")  \
  X(intel_pckcrl_form, "intel.pckcrl.form", Errc::malformed, "the PCK CRL is one")               \
  X(intel_pckcrl_issued, "intel.pckcrl.issued", Errc::bad_signature,                             \
    "the CA of its chain signs the PCK CRL")                                                     \
  X(intel_pckcrl_current, "intel.pckcrl.current", Errc::expired, "the PCK CRL is current")       \
  X(intel_pck_chain_path, "intel.pck.chain.path", Errc::mismatch,                                \
    "the CAs of the PCK chain allow as many CAs below them as there are")                        \
  X(intel_pckcrl_issuer, "intel.pckcrl.issuer", Errc::mismatch,                                  \
    "the PCK CRL is of the CA that issued the PCK certificate")                                  \
  X(intel_pck_revoked, "intel.pck.revoked", Errc::refused,                                       \
    "the PCK certificate isn't on the PCK CRL")                                                  \
  X(intel_pck_extension, "intel.pck.extension", Errc::malformed,                                 \
    "the PCK certificate's SGX extension has every field once, each of its form")                \
  X(intel_tcbinfo_signature, "intel.tcbinfo.signature", Errc::bad_signature,                     \
    "the TCB signing certificate's key signs the TCB info")                                      \
  X(intel_tcbinfo_form, "intel.tcbinfo.form", Errc::malformed,                                   \
    "TCB info has every field, each of its form")                                                \
  X(intel_tcbinfo_version, "intel.tcbinfo.version", Errc::unsupported,                           \
    "TCB info is of version 2 or 3")                                                             \
  X(intel_tcbinfo_type, "intel.tcbinfo.type", Errc::unsupported,                                 \
    "TCB info compares levels in the way that is known")                                         \
  X(intel_tcbinfo_current, "intel.tcbinfo.current", Errc::expired, "TCB info is current")        \
  X(intel_tcbinfo_kind, "intel.tcbinfo.kind", Errc::mismatch, "TCB info is of the quote's TEE")  \
  X(intel_tcbinfo_fmspc, "intel.tcbinfo.fmspc", Errc::mismatch,                                  \
    "TCB info is of the PCK certificate's platform")                                             \
  X(intel_tcbinfo_pceid, "intel.tcbinfo.pceid", Errc::mismatch,                                  \
    "TCB info is of the PCK certificate's PCE")                                                  \
  X(intel_tcbinfo_level, "intel.tcbinfo.level", Errc::refused, "a TCB level fits the platform")  \
  X(intel_tcbinfo_tdx_level, "intel.tcbinfo.tdx_level", Errc::refused,                           \
    "a TCB level fits the TDX module")                                                           \
  X(intel_tcbinfo_module, "intel.tcbinfo.module", Errc::mismatch,                                \
    "TCB info knows the TDX module's version")                                                   \
  X(intel_tcbinfo_module_level, "intel.tcbinfo.module_level", Errc::refused,                     \
    "a level of the TDX module's identity fits")                                                 \
  X(intel_qeidentity_signature, "intel.qeidentity.signature", Errc::bad_signature,               \
    "the TCB signing certificate's key signs the QE identity")                                   \
  X(intel_qeidentity_form, "intel.qeidentity.form", Errc::malformed,                             \
    "the QE identity has every field, each of its form")                                         \
  X(intel_qeidentity_version, "intel.qeidentity.version", Errc::unsupported,                     \
    "the QE identity is of version 2")                                                           \
  X(intel_qeidentity_current, "intel.qeidentity.current", Errc::expired,                         \
    "the QE identity is current")                                                                \
  X(intel_qeidentity_kind, "intel.qeidentity.kind", Errc::mismatch,                              \
    "the QE identity is of the quote's TEE")

#define SP_INTEL_CHECKS(X)                                                      \
  SP_INTEL_QUOTE_CHECKS(X)                                                      \
  SP_INTEL_COLLATERAL_CHECKS(X)                                                 \
  SP_INTEL_CHAIN_CHECKS(X, pck_chain, "pck.chain", "the PCK chain")             \
  SP_INTEL_CHAIN_CHECKS(X, pckcrl_chain, "pckcrl.chain", "the PCK CRL's chain") \
  SP_INTEL_CHAIN_CHECKS(X, tcbinfo_chain, "tcbinfo.chain", "TCB info's chain")  \
  SP_INTEL_CHAIN_CHECKS(X, qeidentity_chain, "qeidentity.chain", "the QE identity's chain")
