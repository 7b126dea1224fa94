// What others wrote, where people read it. Pure; safe to call from any thread.
#pragma once

#include <string>
#include <string_view>

namespace sp {

/// The text's first `size_max` bytes, fit for one line of ours: what isn't printable ASCII reads as
/// '?', since beyond it there are control characters of terminals and of writing direction, and a
/// cut may go through a letter.
std::string printable(std::string_view text, std::size_t size_max);

}  // namespace sp
