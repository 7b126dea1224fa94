// What a revert of the contracts means, in words: "Market_NotOrderable: the offer is disabled or
// doesn't exist. Choose another".
//
// Pure functions; safe to call from any thread.
#pragma once

#include "base/result.hpp"

namespace sp::spctl {

/// The error with `what` in front; where it carries revert data of our contracts, in words and with
/// advice.
Error explained(const Error& error, std::string_view what);

}  // namespace sp::spctl
