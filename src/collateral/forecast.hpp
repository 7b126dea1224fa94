// Until when evidence will verify with the collateral that it has, and which part of it ends first:
// so that nobody is surprised by a list that expires. Pure; safe to call from any thread.
#pragma once

#include <span>

#include "attest/verdict.hpp"

namespace sp::collateral {

/// {"holdsUntil": RFC 3339, "endsFirst": piece, "daysLeft": whole days from `now`, negative where
/// it has ended, "pieces": [{"piece", "from", "until", "daysLeft"}, ... those that end first in
/// front]}. Dev evidence never ends: all are null, and there are no pieces. `now` is seconds of
/// Unix time. A TCB recovery, or a revocation in a newer list, may end it sooner: no forecast
/// knows.
Json forecast(const attest::Verdict& verdict, std::int64_t now);
Json forecast(std::span<const attest::Validity> validity, std::int64_t now);

}  // namespace sp::collateral
