// The checks of AMD SEV-SNP: name, id, error code, what must hold (check.hpp). "Chip certificate"
// is the VCEK or the VLEK, "intermediate" the ASK or the ASVK, "root" the ARK.
#pragma once

// clang-format off
#define SP_SNP_CHECKS(X) \
  X(snp_report_size, "snp.report.size", Errc::malformed, \
    "the report has 1184 bytes") \
  X(snp_report_version, "snp.report.version", Errc::unsupported, \
    "the report is of version 2, 3 or 5") \
  X(snp_report_reserved, "snp.report.reserved", Errc::malformed, \
    "what its version reserves is zero") \
  X(snp_report_policy, "snp.report.policy", Errc::malformed, \
    "bit 17 of the guest policy is one, its reserved bits are zero") \
  X(snp_report_platform, "snp.report.platform", Errc::unsupported, \
    "no unknown bit of the platform information is set") \
  X(snp_report_vmpl, "snp.report.vmpl", Errc::refused, \
    "the guest itself asked for the report, at VMPL 0 to 3") \
  X(snp_report_algorithm, "snp.report.algorithm", Errc::unsupported, \
    "it is signed by ECDSA on P-384 with SHA-384") \
  X(snp_report_key, "snp.report.key", Errc::refused, \
    "it is signed by a VCEK or a VLEK") \
  X(snp_report_masked, "snp.report.masked", Errc::refused, \
    "the chip's key isn't masked") \
  X(snp_report_cpuid, "snp.report.cpuid", Errc::unsupported, \
    "the processor is of a known family") \
  X(snp_report_tcb, "snp.report.tcb", Errc::malformed, \
    "the reserved bytes of every TCB version are zero") \
  X(snp_report_signature, "snp.report.signature", Errc::bad_signature, \
    "the chip certificate's key signs the report") \
  X(snp_vcek_present, "snp.vcek.present", Errc::not_found, \
    "the collateral holds a chip certificate") \
  X(snp_vcek_form, "snp.vcek.form", Errc::malformed, \
    "the chip certificate is a certificate") \
  X(snp_vcek_name, "snp.vcek.name", Errc::mismatch, \
    "the chip certificate is of the kind of key that signed the report") \
  X(snp_vcek_extensions, "snp.vcek.extensions", Errc::malformed, \
    "the chip certificate holds AMD's extensions of its kind") \
  X(snp_vcek_product, "snp.vcek.product", Errc::unsupported, \
    "the chip certificate names a known family") \
  X(snp_vcek_family, "snp.vcek.family", Errc::mismatch, \
    "report and chip certificate name the same family") \
  X(snp_vcek_dates, "snp.vcek.dates", Errc::expired, \
    "the chip certificate is valid at this time") \
  X(snp_vcek_tcb, "snp.vcek.tcb", Errc::mismatch, \
    "the chip certificate is of the reported TCB version") \
  X(snp_vcek_hwid, "snp.vcek.hwid", Errc::mismatch, \
    "the VCEK is of the report's chip") \
  X(snp_ask_form, "snp.ask.form", Errc::malformed, \
    "the intermediate is a certificate") \
  X(snp_ask_name, "snp.ask.name", Errc::mismatch, \
    "the intermediate is that of the family and kind of key") \
  X(snp_ask_dates, "snp.ask.dates", Errc::expired, \
    "the intermediate is valid at this time") \
  X(snp_ark_form, "snp.ark.form", Errc::malformed, \
    "the root is a certificate") \
  X(snp_ark_name, "snp.ark.name", Errc::mismatch, \
    "the root is that of the family") \
  X(snp_ark_dates, "snp.ark.dates", Errc::expired, \
    "the root is valid at this time") \
  X(snp_ark_anchor, "snp.ark.anchor", Errc::mismatch, \
    "the root's key is one that is believed") \
  X(snp_ark_path, "snp.ark.path", Errc::mismatch, \
    "the root allows an intermediate") \
  X(snp_chain_vcek, "snp.chain.vcek", Errc::bad_signature, \
    "the intermediate issued the chip certificate") \
  X(snp_chain_ask, "snp.chain.ask", Errc::bad_signature, \
    "the root issued the intermediate") \
  X(snp_chain_ark, "snp.chain.ark", Errc::bad_signature, \
    "the root issued itself") \
  X(snp_crl_form, "snp.crl.form", Errc::malformed, \
    "the CRL is a certificate revocation list") \
  X(snp_crl_signature, "snp.crl.signature", Errc::bad_signature, \
    "the root issued the CRL") \
  X(snp_crl_dates, "snp.crl.dates", Errc::expired, \
    "the CRL is current at this time") \
  X(snp_crl_revoked, "snp.crl.revoked", Errc::refused, \
    "the CRL doesn't name the intermediate")
// clang-format on
