#include "spctl/registry.hpp"

namespace sp::spctl {
namespace {

using chain::AbiValue;

// The one word that a view answers with.
Result<AbiValue> read_word(market::MarketClient& client, std::string_view signature,
                           const std::vector<AbiValue>& arguments, std::string_view type_text) {
  SP_ASSIGN(const Address registry, client.registry());
  SP_ASSIGN(const Bytes call, chain::abi_call(signature, arguments));
  SP_ASSIGN(const Bytes data, client.chain().call(registry, call));
  auto type = chain::AbiType::parse(type_text);
  SP_CHECK(type.ok());  // our own text
  SP_ASSIGN(auto values, chain::abi_decode(*type, data));
  return std::move(values.front());
}

}  // namespace

Result<Amount> minimum_deposit(market::MarketClient& client) {
  SP_ASSIGN(const AbiValue value, read_word(client, "minimumDeposit()", {}, "(uint128)"));
  return value.as_amount();
}

Result<bool> is_action(market::MarketClient& client, const Address& authority,
                       const Address& account, std::int64_t since) {
  SP_ASSIGN(const AbiValue value,
            read_word(client, "isAction(address,address,uint256)",
                      {AbiValue::address(authority), AbiValue::address(account),
                       AbiValue::signed_number(since)},
                      "(bool)"));
  SP_ASSIGN(const std::uint64_t is, value.as_number(1));
  return is == 1;
}

}  // namespace sp::spctl
