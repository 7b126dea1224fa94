// Evidence and collateral from files and folders, in any of their forms (attest/inputs.hpp).
#pragma once

#include "attest/inputs.hpp"
#include "base/files.hpp"

namespace sp::spctl {

struct EvidenceFiles {
  std::string evidence;    ///< a file, or a folder with Azure's parts
  std::string kind;        ///< a name, or empty
  std::string collateral;  ///< a file, a folder, or empty
};

/// Evidence with its collateral put along. Errc::not_found, Errc::conflict, and what the readers
/// say.
Result<attest::Evidence> load_evidence(const Files& files, const EvidenceFiles& what);

}  // namespace sp::spctl
