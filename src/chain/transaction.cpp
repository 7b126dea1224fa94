#include "chain/transaction.hpp"

#include "crypto/hash.hpp"

namespace sp::chain {
namespace {

constexpr std::uint8_t kDynamicFeeType = 0x02;  // EIP-1559
constexpr std::size_t kShortMax = 55;           // bytes of a payload whose size is one byte with it

// The prefix of a payload of `size` bytes: offset 0x80 for strings, 0xc0 for lists.
Bytes rlp_prefix(std::size_t size, std::uint8_t offset) {
  if (size <= kShortMax) return {static_cast<std::uint8_t>(offset + size)};
  Bytes digits;
  for (std::size_t rest = size; rest > 0; rest >>= 8) {
    digits.insert(digits.begin(), static_cast<std::uint8_t>(rest));
  }
  digits.insert(digits.begin(), static_cast<std::uint8_t>(offset + kShortMax + digits.size()));
  return digits;
}

// A big-endian number without leading zeros, as RLP writes scalars.
Bytes rlp_scalar(ByteView big_endian) {
  const auto first = std::find_if(big_endian.begin(), big_endian.end(),
                                  [](std::uint8_t byte) { return byte != 0; });
  return rlp_bytes({first, big_endian.end()});
}

}  // namespace

Bytes rlp_bytes(ByteView bytes) {
  if (bytes.size() == 1 && bytes[0] < 0x80) return to_bytes(bytes);
  Bytes out = rlp_prefix(bytes.size(), 0x80);
  append(out, bytes);
  return out;
}

Bytes rlp_number(Amount number) { return rlp_scalar(number.word().view()); }

Bytes rlp_list(const std::vector<Bytes>& items) {
  std::size_t size = 0;
  for (const Bytes& item : items) size += item.size();
  Bytes out = rlp_prefix(size, 0xc0);
  for (const Bytes& item : items) append(out, item);
  return out;
}

SignedTransaction sign(const Transaction& transaction, const crypto::EthKey& key) {
  std::vector<Bytes> fields{
      rlp_number(Amount(transaction.chain_id)),
      rlp_number(Amount(transaction.nonce)),
      rlp_number(transaction.fees.max_priority_fee_per_gas),
      rlp_number(transaction.fees.max_fee_per_gas),
      rlp_number(Amount(transaction.gas_limit)),
      transaction.to ? rlp_bytes(transaction.to->view()) : rlp_bytes({}),
      rlp_number(transaction.value),
      rlp_bytes(transaction.data),
      rlp_list({}),  // no access list
  };
  Bytes unsigned_bytes{kDynamicFeeType};
  append(unsigned_bytes, rlp_list(fields));
  const crypto::EthSignature signature = key.sign(crypto::keccak256(unsigned_bytes));
  fields.push_back(rlp_number(Amount(signature.data[64] - 27U)));
  fields.push_back(rlp_scalar(signature.view().first(32)));
  fields.push_back(rlp_scalar(signature.view().subspan(32, 32)));
  SignedTransaction signed_transaction;
  signed_transaction.raw = {kDynamicFeeType};
  append(signed_transaction.raw, rlp_list(fields));
  signed_transaction.hash.data = crypto::keccak256(signed_transaction.raw).data;
  return signed_transaction;
}

}  // namespace sp::chain
