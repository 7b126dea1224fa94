// Evidence of a vTPM whose key is bound into the hardware's report, as Azure's confidential VMs
// have it: the HCL report from its NV index, and a quote over all PCRs of the SHA-256 bank by the
// attestation key at its persistent handle. Through tpm2-tss's ESYS API; the TPM is reached as its
// TCTI configuration says ("device:/dev/tpmrm0", "swtpm:host=127.0.0.1,port=2321").
//
// The TD quote of a TDX VM, and the chip's certificate of an SNP VM, come from the cloud's own
// service: they are added by whoever asks that.
#pragma once

#include <string>

#include "attest/tpm.hpp"

namespace sp::prove {

struct TpmSettings {
  std::string tcti = "device:/dev/tpmrm0";
  std::uint32_t ak_handle = 0x81000003;  ///< where Azure's paravisor keeps the key
  std::uint32_t hcl_index = 0x01400001;  ///< where it keeps the HCL report
};

/// Errc::unavailable where the TPM can't be reached, Errc::not_found without key or NV index,
/// Errc::io for what else the TPM says, Errc::too_large. Blocks; any thread.
Result<attest::TpmEvidence> collect_tpm(const TpmSettings& settings,
                                        const attest::ReportData& report_data);

}  // namespace sp::prove
