// What a killed spctl leaves in the home folder, and its removal.
#pragma once

#include "spctl/home.hpp"

namespace sp::spctl {

/// Removes temporary files of killed writes, and scratch folders of killed commands: those of
/// processes that live no more. Another spctl at work in the same home keeps its own. Safe to call
/// from any thread. Errc::io.
Status sweep_home(const Home& home);

/// A new scratch folder in HOME/tmp that sweep_home() knows by its owner's pid. Errc::io.
Result<Path> make_scratch_folder(Files& files, const Home& home);

}  // namespace sp::spctl
