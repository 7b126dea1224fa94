// Appraisal policies of a fuzzer's choices: every one has a JSON form that reads as itself. For
// fuzz targets alone.
#pragma once

#include "attest/appraisal.hpp"
#include "base/testing/fuzz_input.hpp"

namespace sp::attest::testing {

template <class Fixed>
std::vector<Fixed> any_fixed(sp::testing::FuzzInput& input) {
  std::vector<Fixed> list(input.below(3));
  for (Fixed& value : list) value = input.fixed<Fixed>();
  return list;
}

inline AppraisalPolicy any_appraisal_policy(sp::testing::FuzzInput& input) {
  AppraisalPolicy policy;
  policy.any_measurement = input.flag();
  if (!policy.any_measurement) policy.measurements = any_fixed<Measurement>(input);
  for (std::size_t i = input.below(3); i > 0; --i) {
    policy.kinds.push_back(static_cast<EvidenceKind>(1 + input.below(5)));
    policy.tcb_statuses.push_back(static_cast<TcbStatus>(1 + input.below(7)));
  }
  policy.dev_keys = any_fixed<Digest48>(input);
  policy.roots = any_fixed<Digest48>(input);
  policy.require_crl = input.flag();
  policy.allow_debug = input.flag();
  for (std::size_t i = input.below(3); i > 0; --i) {
    const std::string name = (input.flag() ? "pcr1" : "rtmr") + std::to_string(input.below(4));
    policy.registers[name] = {to_hex(input.bytes(48))};
    policy.minimum_tcb[input.flag() ? "snp" : "fmc"] = input.byte();
    policy.vmpls.push_back(input.below(4));
  }
  policy.any_advisory = input.flag();
  if (!policy.any_advisory) policy.advisories = {to_hex(input.bytes(9))};
  policy.chips = any_fixed<ChipId>(input);
  policy.revoked_chips = any_fixed<ChipId>(input);
  return policy;
}

}  // namespace sp::attest::testing
