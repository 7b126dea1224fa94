// Evidence with all of the collateral that its kind is verified with. Whether it verifies is
// another matter: nothing is checked here. Safe to call from any thread; blocks on the source.
#pragma once

#include "attest/needs.hpp"
#include "collateral/source.hpp"

namespace sp::collateral {

/// Adds what is missing, and replaces vendors' lists (revocations, TCB info, QE identity) that came
/// with the evidence where the source has newer ones, by the dates that they say; a list that came
/// is enough where the source fails. A certificate that came stays, and dev evidence as a whole.
/// AMD's intermediates and roots are built into the verifier, so they aren't asked for. The
/// source's errors with the missing piece in front; Errc::not_found for a VLEK's certificate and
/// for a masked chip id's, which no vendor publishes; Errc::malformed, Errc::unsupported for
/// evidence that doesn't say what it needs; Errc::too_large over attest::kCollateralMax.
Result<attest::Evidence> complete(attest::Evidence evidence, CollateralSource& source);

/// The same for evidence whose needs are known.
Result<attest::Collateral> complete(const attest::Needs& needs, attest::Collateral collateral,
                                    CollateralSource& source);

/// All that complete() may ask for where nothing came with the evidence, in its order: to fetch
/// ahead of time, and for bundles. Errc::malformed, Errc::unsupported for needs that name nothing
/// known.
Result<std::vector<Wanted>> wanted_for(const attest::Needs& needs);

}  // namespace sp::collateral
