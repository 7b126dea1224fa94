// Why an order ended with an input error, as far as its receipt tells it. Pure.
#pragma once

#include <optional>
#include <string>

#include "api/terms.hpp"

namespace sp::spctl {

/// Which part it was, by its index in the terms and its kind, what usually causes that, and what to
/// do: sentences for people. `part` is what a receipt that holds says; nothing where none is there.
std::string input_fault_words(const api::Terms& terms, std::optional<std::uint8_t> part);

}  // namespace sp::spctl
