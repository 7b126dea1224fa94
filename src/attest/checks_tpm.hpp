// The checks of TPM 2.0, event logs and Azure's HCL report: name, id, error code, what must hold
// (check.hpp).
#pragma once

// clang-format off
#define SP_TPM_CHECKS(X) \
  X(tpm_report_size, "tpm.report.size", Errc::malformed, "the evidence has the size that its format states")
// clang-format on
