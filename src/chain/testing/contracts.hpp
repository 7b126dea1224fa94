// Contracts for tests, in EVM code.
#pragma once

#include "base/bytes.hpp"

namespace sp::chain::testing {

/// Deploys a contract that logs its call data under its first word as the topic, and reverts with
/// 0xdeadbeef where it is called with nothing.
inline Bytes logger_code() {
  // copy 32 bytes of code from 12 and return them
  return from_hex(
             "6020600c60003960206000f3"
             // if there is call data go to 17; store deadbeef, revert with its 4 bytes
             "3660115763deadbeef6000526004601cfd"
             // copy the call data to 0 and log all of it under its first word
             "5b366000600037600035366000a100")
      .value();
}

}  // namespace sp::chain::testing
