// Ports of a local system's daemons: chosen free once, kept in HOME/ports.json, so that addresses
// stay the same.
#pragma once

#include <map>

#include "base/files.hpp"

namespace sp::spctl {

/// Port by daemon name; chooses and saves those that the file doesn't name. Errc::malformed,
/// Errc::io.
Result<std::map<std::string, std::uint16_t>> take_ports(Files& files, const Path& file,
                                                        const std::vector<std::string>& daemons);

}  // namespace sp::spctl
