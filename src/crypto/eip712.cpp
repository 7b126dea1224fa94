#include "crypto/eip712.hpp"

#include "base/check.hpp"

namespace sp::crypto {

namespace {

constexpr std::size_t kWordSize = 32;
constexpr std::string_view kDomainType =
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
constexpr std::string_view kDomainTypeWithoutChain = "EIP712Domain(string name,string version)";
constexpr std::string_view kName = "Super Protocol";
constexpr std::string_view kVersion = "1";

// Appends `tail` as the end of a word whose other bytes are `filler`.
void append_padded(Bytes& words, ByteView tail, std::uint8_t filler) {
  SP_CHECK(tail.size() <= kWordSize);
  words.insert(words.end(), kWordSize - tail.size(), filler);
  append(words, tail);
}

std::array<std::uint8_t, 8> big_endian(std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes;
  for (std::size_t i = bytes.size(); i-- > 0; value >>= 8) {
    bytes[i] = static_cast<std::uint8_t>(value);
  }
  return bytes;
}

}  // namespace

Eip712Struct::Eip712Struct(std::string_view type)
    : words_(to_bytes(keccak256(as_bytes(type)).view())) {}

Eip712Struct& Eip712Struct::number(std::uint64_t value) {
  append_padded(words_, big_endian(value), 0x00);
  return *this;
}

Eip712Struct& Eip712Struct::signed_number(std::int64_t value) {
  append_padded(words_, big_endian(static_cast<std::uint64_t>(value)), value < 0 ? 0xff : 0x00);
  return *this;
}

Eip712Struct& Eip712Struct::word(ByteView bytes32) {
  SP_CHECK(bytes32.size() == kWordSize);
  append(words_, bytes32);
  return *this;
}

Eip712Struct& Eip712Struct::address(const Address& value) {
  append_padded(words_, value.view(), 0x00);
  return *this;
}

Eip712Struct& Eip712Struct::dynamic(ByteView bytes) { return word(keccak256(bytes).view()); }

Eip712Struct& Eip712Struct::list(ByteView words) {
  SP_CHECK(words.size() % kWordSize == 0);
  return word(keccak256(words).view());
}

Digest32 Eip712Struct::hash() const { return keccak256(words_); }

Digest32 Eip712Domain::separator() const { return eip712_separator(kName, kVersion, *this); }

Digest32 eip712_separator_without_chain(std::string_view name, std::string_view version) {
  return Eip712Struct(kDomainTypeWithoutChain)
      .dynamic(as_bytes(name))
      .dynamic(as_bytes(version))
      .hash();
}

Digest32 eip712_separator(std::string_view name, std::string_view version,
                          const Eip712Domain& domain) {
  return Eip712Struct(kDomainType)
      .dynamic(as_bytes(name))
      .dynamic(as_bytes(version))
      .number(domain.chain_id)
      .address(domain.contract)
      .hash();
}

Digest32 eip712_digest(const Digest32& separator, const Digest32& struct_hash) {
  Bytes message{0x19, 0x01};
  append(message, separator.view());
  append(message, struct_hash.view());
  return keccak256(message);
}

}  // namespace sp::crypto
