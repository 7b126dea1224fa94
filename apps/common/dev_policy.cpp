#include "common/dev_policy.hpp"

namespace sp::apps {

attest::AppraisalPolicy dev_policy(const attest::Measurement& program, const Digest48& anchor) {
  attest::AppraisalPolicy policy;
  policy.kinds = {attest::EvidenceKind::dev};
  policy.measurements = {program};
  policy.tcb_statuses = {attest::TcbStatus::up_to_date};
  policy.dev_keys = {anchor};
  return policy;
}

}  // namespace sp::apps
