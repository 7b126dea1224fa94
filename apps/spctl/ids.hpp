// Ids and addresses that people type.
#pragma once

#include "spctl/console.hpp"

namespace sp::spctl {

/// Reads an id or address of a command line; `what` names the argument. Errc::usage.
template <class Id>
Result<Id> typed_id(const std::string& text, std::string_view what) {
  auto id = Id::from_hex(text);
  if (id) return id;
  return failure(Errc::usage, std::string(what) + " \"" + text + "\" is refused",
                 id.error().message,
                 "Give " + std::to_string(2 * Id::kSize) + " hexadecimal digits, 0x before them");
}

}  // namespace sp::spctl
