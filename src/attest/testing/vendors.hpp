// One vendor of each kind for all tests of a program: their keys are slow to make.
#pragma once

#include "attest/testing/amd_vendor.hpp"
#include "attest/testing/intel_vendor.hpp"
#include "crypto/random.hpp"

namespace sp::attest::testing {

inline crypto::SystemRandom& random() {
  static crypto::SystemRandom source;
  return source;
}

inline const IntelVendor& intel() {
  static const IntelVendor made(random());
  return made;
}

inline const AmdVendor& amd() {
  static const AmdVendor made(random());
  return made;
}

}  // namespace sp::attest::testing
