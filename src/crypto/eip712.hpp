// EIP-712: hashes of typed structured data, from Keccak-256. Safe to call from any thread.
#pragma once

#include <string_view>

#include "base/bytes.hpp"
#include "crypto/hash.hpp"

namespace sp::crypto {

/// Collects the 32-byte words of one struct (EIP-712 encodeData) behind the hash of its type
/// string.
class Eip712Struct {
 public:
  /// `type` is encodeType's text, referenced types included: "Acceptance(bytes32 order,uint16
  /// attempt,...)".
  explicit Eip712Struct(std::string_view type);

  Eip712Struct& number(std::uint64_t value);  ///< any unsigned integer up to 64 bits, and bool
  Eip712Struct& signed_number(std::int64_t value);
  Eip712Struct& word(
      ByteView bytes32);  ///< bytes32, a nested struct's hash, or a uint256 (CHECK: 32 bytes)
  Eip712Struct& address(const Address& value);
  Eip712Struct& dynamic(ByteView bytes);  ///< string or bytes: its Keccak-256
  Eip712Struct& list(ByteView words);     ///< array: Keccak-256 of its elements' words
  [[nodiscard]] Digest32 hash() const;    ///< hashStruct

 private:
  Bytes words_;
};

/// The domain of signatures: name and version always, the rest for a market's.
struct Eip712Domain {
  std::uint64_t chain_id = 0;
  Address contract;

  bool operator==(const Eip712Domain&) const = default;
  /// The domain separator of {name "Super Protocol", version "1", chainId, verifyingContract}.
  [[nodiscard]] Digest32 separator() const;
};

/// The domain separator of {name, version} alone, for statements that belong to no chain.
Digest32 eip712_separator_without_chain(std::string_view name, std::string_view version);

/// The domain separator of any contract with the four usual fields.
Digest32 eip712_separator(std::string_view name, std::string_view version,
                          const Eip712Domain& domain);

/// keccak256(0x1901 || separator || struct hash): what is signed.
Digest32 eip712_digest(const Digest32& separator, const Digest32& struct_hash);

}  // namespace sp::crypto
