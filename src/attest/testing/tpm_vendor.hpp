// A confidential VM of Azure's kind for tests: a vTPM whose key is bound into the SNP report of a
// test vendor's chip. Every part can be changed before it is signed.
//
//   TpmVendor vtpm(amd_vendor);
//   Evidence evidence = vtpm.tpm(report_data);
#pragma once

#include "attest/testing/amd_vendor.hpp"
#include "attest/tpm.hpp"
#include "crypto/testing/rsa_signer.hpp"

namespace sp::attest::testing {

/// The functions change what has been made so far: the runtime data before its digest goes into
/// the SNP report, the quote before it is signed, the rest at the end.
struct TpmOptions {
  SnpOptions snp;
  bool pcrs = true;
  std::function<void(std::string&)> change_runtime;
  std::function<void(ReportData&)> change_binding;
  std::function<void(Bytes&)> change_hcl, change_quote;
  std::function<void(TpmEvidence&)> change_evidence;
};

class TpmVendor {
 public:
  /// `amd` must outlive it. All of a program share one vTPM key, which is slow to make.
  explicit TpmVendor(const AmdVendor& amd) : amd_(amd) {}

  [[nodiscard]] TpmEvidence evidence(const ReportData& report_data,
                                     const TpmOptions& options = {}) const;
  [[nodiscard]] Evidence tpm(const ReportData& report_data, const TpmOptions& options = {}) const;
  /// The vTPM's key.
  [[nodiscard]] static const crypto::testing::RsaSigner& ak();
  /// PCR i of every quote is SHA-256 of the byte i.
  [[nodiscard]] static std::vector<std::optional<Digest32>> pcrs();
  /// TPMS_ATTEST of a quote of pcrs(); PCRs 0 to 23 of one bank.
  [[nodiscard]] static Bytes quote(ByteView extra_data);

 private:
  const AmdVendor& amd_;
};

}  // namespace sp::attest::testing
