#include "crypto/eip712.hpp"
#include "market/client.hpp"

namespace sp::market {
namespace {

using chain::AbiType;
using chain::AbiValue;
using Values = std::vector<AbiValue>;

constexpr std::size_t kSymbolMax = 64;

Bytes call_data(std::string_view signature, const Values& arguments) {
  auto data = chain::abi_call(signature, arguments);
  SP_CHECK(data.ok());  // our own values fit our own signatures
  return std::move(*data);
}

Result<AbiValue> read(chain::Chain& chain, const Address& token, std::string_view signature,
                      const Values& arguments, std::string_view type_text) {
  SP_ASSIGN(const Bytes data, chain.call(token, call_data(signature, arguments)));
  auto type = AbiType::parse(type_text);
  SP_CHECK(type.ok());
  SP_ASSIGN(Values values, chain::abi_decode(*type, data));
  return std::move(values.front());
}

}  // namespace

Result<Amount> TokenClient::balance(const Address& account) {
  SP_ASSIGN(const AbiValue value,
            read(chain_, token_, "balanceOf(address)", {AbiValue::address(account)}, "(uint256)"));
  return value.as_amount();
}

Result<Amount> TokenClient::allowance(const Address& owner, const Address& spender) {
  SP_ASSIGN(const AbiValue value,
            read(chain_, token_, "allowance(address,address)",
                 {AbiValue::address(owner), AbiValue::address(spender)}, "(uint256)"));
  auto amount = value.as_amount();
  // A standing allowance is often 2^256-1; more than every amount is as good as the greatest
  // amount.
  if (!amount && amount.error().code == Errc::too_large) return Amount(~Amount::Number{0});
  return amount;
}

Result<std::string> TokenClient::symbol() {
  SP_ASSIGN(const AbiValue value, read(chain_, token_, "symbol()", {}, "(string)"));
  SP_ASSIGN(const Bytes bytes, value.as_bytes_value());
  if (bytes.size() > kSymbolMax) return Error{Errc::too_large, "the token's symbol is too long"};
  return std::string(as_text(bytes));
}

Result<unsigned> TokenClient::decimals() {
  SP_ASSIGN(const AbiValue value, read(chain_, token_, "decimals()", {}, "(uint8)"));
  // More than 38 places don't fit an amount.
  SP_ASSIGN(const std::uint64_t places, value.as_number(38));
  return static_cast<unsigned>(places);
}

Result<crypto::EthSignature> TokenClient::sign_permit(const crypto::EthKey& owner,
                                                      const Address& spender, Amount value,
                                                      std::uint64_t deadline,
                                                      std::uint64_t chain_id) {
  const auto nonce =
      read(chain_, token_, "nonces(address)", {AbiValue::address(owner.address())}, "(uint256)");
  const auto name = read(chain_, token_, "name()", {}, "(string)");
  if (!nonce || !name) return Error{Errc::unsupported, "the token has no permits (ERC-2612)"};
  SP_ASSIGN(const Digest32 nonce_word, nonce->as_word());
  SP_ASSIGN(const Bytes name_text, name->as_bytes_value());
  // ERC-2612's type, and the domain that OpenZeppelin's tokens use (version "1").
  crypto::Eip712Struct permit(
      "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
  permit.address(owner.address()).address(spender).word(value.word().view());
  permit.word(nonce_word.view()).number(deadline);
  const Digest32 domain = crypto::eip712_separator(as_text(name_text), "1", {chain_id, token_});
  return owner.sign(crypto::eip712_digest(domain, permit.hash()));
}

chain::TxSender::Call TokenClient::transfer(const Address& to, Amount amount) const {
  return {token_,
          call_data("transfer(address,uint256)", {AbiValue::address(to), AbiValue::amount(amount)}),
          {}};
}

chain::TxSender::Call TokenClient::approve(const Address& spender, Amount amount) const {
  return {
      token_,
      call_data("approve(address,uint256)", {AbiValue::address(spender), AbiValue::amount(amount)}),
      {}};
}

chain::TxSender::Call TokenClient::faucet(Amount amount) const {
  return {token_, call_data("faucet(uint256)", {AbiValue::amount(amount)}), {}};
}

}  // namespace sp::market
