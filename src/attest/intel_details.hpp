// The fields of reports and PCK certificates by name, for people: what Claims::details and
// show_intel have in common.
#pragma once

#include "attest/intel_pck.hpp"
#include "attest/intel_quote.hpp"
#include "base/json.hpp"

namespace sp::attest::intel {

/// Add to an object what its measurements and debug flag don't say already.
void add_td_details(const TdReport& td, Json& details);
void add_enclave_details(const EnclaveReport& report, Json& details);
void add_pck_details(const PckFacts& facts, Json& details);

}  // namespace sp::attest::intel
