// The checks of TPM 2.0 quotes and Azure's HCL report: name, id, error code, what must hold
// (check.hpp). "Runtime data" is the JSON that the HCL report ends with; "AK" is the key in it.
#pragma once

// clang-format off
#define SP_TPM_CHECKS(X) \
  X(tpm_evidence_form, "tpm.evidence.form", Errc::malformed, \
    "the evidence decodes") \
  X(tpm_hcl_size, "tpm.hcl.size", Errc::malformed, \
    "the HCL report's sizes fit together") \
  X(tpm_hcl_magic, "tpm.hcl.magic", Errc::malformed, \
    "it begins with HCLA") \
  X(tpm_hcl_version, "tpm.hcl.version", Errc::unsupported, \
    "the HCL report is of version 1 or 2") \
  X(tpm_hcl_request, "tpm.hcl.request", Errc::unsupported, \
    "it answers a request for an attestation report") \
  X(tpm_hcl_status, "tpm.hcl.status", Errc::refused, \
    "the request succeeded") \
  X(tpm_hcl_reserved, "tpm.hcl.reserved", Errc::malformed, \
    "what it reserves, and what follows it, is zero") \
  X(tpm_hcl_runtime_version, "tpm.hcl.runtimeVersion", Errc::unsupported, \
    "the runtime data is of version 1") \
  X(tpm_hcl_type, "tpm.hcl.type", Errc::unsupported, \
    "the hardware report is that of SNP or TDX") \
  X(tpm_hcl_hash, "tpm.hcl.hash", Errc::unsupported, \
    "the runtime data is hashed by SHA-256") \
  X(tpm_runtime_json, "tpm.runtime.json", Errc::malformed, \
    "the runtime data is the JSON that Azure writes") \
  X(tpm_runtime_key, "tpm.runtime.key", Errc::malformed, \
    "the runtime data holds one AK, an RSA key that signs") \
  X(tpm_report_bound, "tpm.report.bound", Errc::mismatch, \
    "the hardware report binds the runtime data") \
  X(tpm_report_vmpl, "tpm.report.vmpl", Errc::refused, \
    "the SNP report is that of VMPL 0, where the vTPM runs") \
  X(tpm_td_quote, "tpm.tdQuote", Errc::malformed, \
    "a TD quote is there on TDX, and only there") \
  X(tpm_signature_form, "tpm.signature.form", Errc::malformed, \
    "the signature is a TPMT_SIGNATURE") \
  X(tpm_signature_algorithm, "tpm.signature.algorithm", Errc::unsupported, \
    "the signature is of a known kind, that of the key") \
  X(tpm_quote_form, "tpm.quote.form", Errc::malformed, \
    "the quote is a TPMS_ATTEST") \
  X(tpm_quote_magic, "tpm.quote.magic", Errc::malformed, \
    "a TPM made the quote") \
  X(tpm_quote_type, "tpm.quote.type", Errc::unsupported, \
    "it is a quote, no other attestation") \
  X(tpm_quote_signature, "tpm.quote.signature", Errc::bad_signature, \
    "the AK signs the quote") \
  X(tpm_quote_nonce, "tpm.quote.nonce", Errc::mismatch, \
    "the quote is made for this nonce") \
  X(tpm_quote_selection, "tpm.quote.selection", Errc::mismatch, \
    "the quote is about the PCRs that are given, in the SHA-256 bank") \
  X(tpm_quote_pcrs, "tpm.quote.pcrs", Errc::mismatch, \
    "the given PCRs have the quote's digest")
// clang-format on
