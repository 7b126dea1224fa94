// Solidity's contract ABI: types from their text, values as trees, encoding and strict decoding.
//
// Values; safe to call from any thread. Decoding reads what an RPC endpoint sent: offsets may not
// point outside, padding must be zero, and the sizes below hold.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "base/amount.hpp"
#include "base/bytes.hpp"

namespace sp::chain {

inline constexpr std::size_t kAbiDepthMax = 16;            ///< nesting of arrays and tuples
inline constexpr std::size_t kAbiElementsMax = 100'000;    ///< values in one decoding
inline constexpr std::size_t kAbiTypeTextMax = 16 * 1024;  ///< characters of a type's text

class AbiType {
 public:
  enum class Kind : std::uint8_t {
    unsigned_int,
    signed_int,
    address,
    boolean,
    fixed_bytes,
    bytes,
    string,
    array,
    fixed_array,
    tuple
  };

  /// Reads "uint256", "(address,bytes32[2][])", "tuple" written with parentheses. Errc::malformed,
  /// Errc::too_large.
  static Result<AbiType> parse(std::string_view text);

  Kind kind = Kind::tuple;
  std::size_t size = 0;  ///< bits of an integer, bytes of fixed bytes, length of a fixed array
  std::vector<AbiType> elements;  ///< the element of an array, the members of a tuple

  [[nodiscard]] bool is_dynamic() const;
  /// The canonical text, as selectors use it.
  [[nodiscard]] std::string text() const;
};

/// A value: a word (integers, addresses, booleans, fixed bytes as the ABI lays them in 32 bytes),
/// bytes (bytes, string), or a list (arrays, tuples).
struct AbiValue {
  std::variant<Digest32, Bytes, std::vector<AbiValue>> value;

  static AbiValue number(std::uint64_t number);
  static AbiValue signed_number(std::int64_t number);
  static AbiValue amount(Amount amount) { return {amount.word()}; }
  static AbiValue address(const Address& address);
  static AbiValue boolean(bool flag) { return number(flag ? 1 : 0); }
  static AbiValue word(ByteView bytes32);  ///< CHECK: 32 bytes
  static AbiValue bytes(ByteView bytes) { return {to_bytes(bytes)}; }
  static AbiValue string(std::string_view text) { return {to_bytes(as_bytes(text))}; }
  static AbiValue list(std::vector<AbiValue> values) { return {std::move(values)}; }

  /// Readers of what was decoded: Errc::mismatch where the value is of another shape,
  /// Errc::too_large where it doesn't fit.
  [[nodiscard]] Result<std::uint64_t> as_number(std::uint64_t max) const;
  [[nodiscard]] Result<std::int64_t> as_signed() const;
  [[nodiscard]] Result<Amount> as_amount() const;
  [[nodiscard]] Result<Address> as_address() const;
  [[nodiscard]] Result<Digest32> as_word() const;
  [[nodiscard]] Result<Bytes> as_bytes_value() const;
  [[nodiscard]] Result<std::vector<AbiValue>> as_list() const;

  bool operator==(const AbiValue&) const = default;
};

/// Encodes the values of a tuple type, as arguments are (no outer offset). Errc::mismatch where a
/// value isn't of its type.
Result<Bytes> abi_encode(const AbiType& tuple, const std::vector<AbiValue>& values);

/// Decodes the values of a tuple type. Errc::malformed for anything that abi_encode wouldn't have
/// made, except that trailing bytes are allowed, as Solidity allows them.
Result<std::vector<AbiValue>> abi_decode(const AbiType& tuple, ByteView data);

/// The first four bytes of keccak256("name(types)").
FixedBytes<struct SelectorTag, 4> abi_selector(std::string_view signature);

/// Selector and encoded arguments of "name(types)". The signature is ours: a CHECK fails where it
/// doesn't parse.
Result<Bytes> abi_call(std::string_view signature, const std::vector<AbiValue>& arguments);

}  // namespace sp::chain
