// Where the programs are that `spctl up` starts.
#pragma once

#include "base/files.hpp"

namespace sp::spctl {

struct Programs {
  Path anvil;
  Path spnode;
  Path sploader;
  Path runc;
};

/// spnode and sploader lie beside spctl; runc is found by PATH; anvil is `chosen`, or found by
/// PATH, or in node_modules of the folders above spctl. Errc::not_found names what is missing and
/// how to get it.
Result<Programs> find_programs(const Path& chosen_anvil);

}  // namespace sp::spctl
