// Statements as the contracts get them, read back from the ABI.
#pragma once

#include "market/values.hpp"

namespace sp::sim {

/// Errc::mismatch and others for what a contract wouldn't decode either.
Result<api::Attestation> attestation_from_abi(const chain::AbiValue& value);
Result<api::Receipt> receipt_from_abi(const chain::AbiValue& value);
Result<api::KeyRequest> key_request_from_abi(const chain::AbiValue& value);

}  // namespace sp::sim
