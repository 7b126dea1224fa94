// Terms, offers and statements as the contracts' ABI has them.
//
// Everything that is decoded came from an RPC endpoint and is checked for its form; an OrderCreated
// event is believed to be of an order only when its terms hash to the order's id. Values; safe to
// call from any thread.
#pragma once

#include "api/statements.hpp"
#include "chain/abi.hpp"
#include "chain/rpc.hpp"

namespace sp::market {

using api::Attestation;
using api::Compute;
using api::Eip712Domain;
using api::KeyRequest;
using api::OfferId;
using api::OrderId;
using api::Part;
using api::Receipt;
using api::Signed;
using api::Terms;

inline constexpr std::size_t kHintsSizeMax = 4096;  ///< bytes, as the market contract limits them

// Type texts of the structs, for signatures and decoding.
extern const std::string kPartAbi;
extern const std::string kComputeAbi;
extern const std::string kTermsAbi;
extern const std::string kAttestationAbi;
extern const std::string kKeyRequestAbi;
extern const std::string kReceiptAbi;

chain::AbiValue to_abi(const Part& part);
chain::AbiValue to_abi(const Compute& compute);
chain::AbiValue to_abi(const Terms& terms);
chain::AbiValue to_abi(const Attestation& attestation);
chain::AbiValue to_abi(const KeyRequest& request);
chain::AbiValue to_abi(const Receipt& receipt);

/// Errc::malformed, Errc::mismatch, Errc::too_large for what isn't of the type.
Result<Part> part_from_abi(const chain::AbiValue& value);
Result<Compute> compute_from_abi(const chain::AbiValue& value);
Result<Terms> terms_from_abi(const chain::AbiValue& value);

/// Where stores and brokers of an order are reached: signing address -> URL. Untrusted: what comes
/// from there is checked.
using Hints = std::map<Address, std::string>;
Bytes encode_hints(const Hints& hints);
/// Errc::malformed, Errc::too_large.
Result<Hints> decode_hints(ByteView bytes);

}  // namespace sp::market
