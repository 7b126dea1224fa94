// Intel's signed JSON answers: {"tcbInfo": {...}, "signature": "HEX"} and {"enclaveIdentity":
// {...}, "signature": "HEX"} (PCS API v4). The signature is over the bytes of the value exactly as
// they stand, so they are cut out, never written again. Pure.
#pragma once

#include "attest/collateral.hpp"

namespace sp::attest {

struct SignedJson {
  Bytes value;      ///< the JSON value, byte by byte as it came
  Bytes signature;  ///< 64 bytes, r || s
};

/// Splits one answer; `name` is "tcbInfo" or "enclaveIdentity". Errc::malformed for anything but
/// an object of exactly these two, Errc::too_large over kPieceSizeMax.
Result<SignedJson> split_signed_json(std::string_view text, std::string_view name);

}  // namespace sp::attest
