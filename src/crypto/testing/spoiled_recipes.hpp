// Spoils what an authority of tests is about to sign, by a fuzzer's choices: the lengths, digests
// and signatures around it stay right, so that what lies behind them is reached. Without input left
// everything stays as it is. For fuzz targets alone.
#pragma once

#include "base/testing/fuzz_input.hpp"
#include "crypto/testing/issuer.hpp"

namespace sp::crypto::testing {

/// Changes up to three things of a certificate. Times stay between the years 1950 and 2200.
void spoil(sp::testing::FuzzInput& input, CertificateRecipe& recipe);
/// The same of a list of revoked certificates.
void spoil(sp::testing::FuzzInput& input, CrlRecipe& recipe);

}  // namespace sp::crypto::testing
