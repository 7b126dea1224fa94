// The checks of Intel TDX and SGX: name, id, error code, what must hold (check.hpp).
#pragma once

// clang-format off
#define SP_INTEL_CHECKS(X) \
  X(intel_report_size, "intel.report.size", Errc::malformed, "the evidence has the size that its format states")
// clang-format on
