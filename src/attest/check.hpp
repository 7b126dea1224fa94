// The closed list of checks that a verifier makes of evidence and collateral. Each has a name that
// errors, docs/ATTESTATION.md and the mutation run use: a refusal reads
// "snp.vcek.tcb: expected 4405000000000002, actual 4405000000000001".
//
// Checks are made with SP_REQUIRE and SP_REQUIRE_OK alone. In a build with SP_MUTANTS the
// environment variable SP_MUTANT names one check that is left out; `make mutants` asserts that some
// test then fails. No other build holds that code. Safe to call from any thread.
#pragma once

#include <span>
#include <string>

#include "attest/checks_intel.hpp"
#include "attest/checks_snp.hpp"
#include "attest/checks_tpm.hpp"
#include "base/result.hpp"

namespace sp::attest {

// X(name, "id", Errc code, "what must hold")
#define SP_ATTEST_CHECKS(X) SP_SNP_CHECKS(X) SP_INTEL_CHECKS(X) SP_TPM_CHECKS(X)

enum class Check : std::uint16_t {
#define SP_CHECK_NAME(name, id, code, what) name,
  SP_ATTEST_CHECKS(SP_CHECK_NAME)
#undef SP_CHECK_NAME
};

struct CheckInfo {
  std::string_view id;    ///< "snp.vcek.tcb"
  Errc code;              ///< of the error where it fails
  std::string_view what;  ///< what must hold, one line
};

const CheckInfo& check_info(Check check);
std::span<const CheckInfo> all_checks();

/// "id: expected E, actual A", with the check's code.
Error check_failed(Check check, std::string_view expected, std::string_view actual);
/// "id: what happened", with the check's code.
Error check_failed(Check check, const Error& cause);

#ifdef SP_MUTANTS
bool check_left_out(Check check);
#else
constexpr bool check_left_out(Check) { return false; }
#endif

/// Returns the check's error from the calling function unless the condition holds. The texts are
/// made only then.
#define SP_REQUIRE(check, condition, expected, actual)                  \
  do {                                                                  \
    if (!(condition) && !::sp::attest::check_left_out(check)) {         \
      return ::sp::attest::check_failed((check), (expected), (actual)); \
    }                                                                   \
  } while (false)

/// The same for a Status or Result whose error tells what happened.
#define SP_REQUIRE_OK(check, expression)                               \
  do {                                                                 \
    if (const auto& sp_required = (expression);                        \
        !sp_required && !::sp::attest::check_left_out(check)) {        \
      return ::sp::attest::check_failed((check), sp_required.error()); \
    }                                                                  \
  } while (false)

}  // namespace sp::attest
