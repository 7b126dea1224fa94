// What a network accepts where there is no TEE. Safe to call from any thread.
#pragma once

#include "attest/appraisal.hpp"

namespace sp::apps {

/// Accepts dev evidence alone, of this program, signed by the dev platform with this anchor.
attest::AppraisalPolicy dev_policy(const attest::Measurement& program, const Digest48& anchor);

}  // namespace sp::apps
