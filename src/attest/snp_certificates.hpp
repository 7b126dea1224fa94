// AMD's own roots and intermediates, as its key distribution service publishes them
// (https://kdsintf.amd.com/vcek/v1/FAMILY/cert_chain and .../vlek/...): what a verifier takes where
// the collateral holds none. Being here makes a certificate known, not believed: the root's key
// must be one of the anchors.
#pragma once

#include "attest/snp_report.hpp"

namespace sp::attest {

struct SnpBuiltIn {
  ByteView ark, ask, asvk;  ///< DER
};
/// Of a family; the views are valid for the life of the program.
const SnpBuiltIn& snp_built_in(SnpFamily family);

}  // namespace sp::attest
