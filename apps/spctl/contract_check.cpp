#include "spctl/contract_check.hpp"

#include <algorithm>

#include "chain/abi.hpp"
#include "crypto/eip712.hpp"
#include "market/client.hpp"
#include "spctl/console.hpp"
#include "spctl/contracts_code.hpp"

namespace sp::spctl {
namespace {

using chain::AbiType;
using chain::AbiValue;
using crypto::keccak256;

constexpr std::string_view kMarketName = "Super Protocol";
constexpr std::string_view kTestTokenName = "Super Protocol Test Token";
constexpr std::string_view kVersion = "1";
constexpr std::size_t kShortMax = 31;  // bytes of a text in one word

// OpenZeppelin's ShortString: the text, zeros, its length in the last byte.
Digest32 short_string(std::string_view text) {
  SP_CHECK(text.size() <= kShortMax);
  Bytes word(32, 0);
  std::copy(text.begin(), text.end(), word.begin());
  word.back() = static_cast<std::uint8_t>(text.size());
  return *Digest32::from(word);
}

Digest32 word_of(const Address& address) {
  return std::get<Digest32>(AbiValue::address(address).value);
}

// The immutables of OpenZeppelin's EIP712, in the order of their declaration: domain separator,
// chain id, own address, hashes of name and version, name, version.
std::vector<Digest32> eip712_immutables(std::string_view name, std::uint64_t chain_id,
                                        const Address& own) {
  return {crypto::eip712_separator(name, kVersion, {chain_id, own}),
          Amount(chain_id).word(),
          word_of(own),
          keccak256(as_bytes(name)),
          keccak256(as_bytes(kVersion)),
          short_string(name),
          short_string(kVersion)};
}

Bytes filled(std::string_view runtime, const std::vector<ImmutableUse>& uses,
             const std::vector<Digest32>& values) {
  auto code = from_hex(runtime);
  SP_CHECK(code.ok());  // our own text
  for (const ImmutableUse& use : uses) {
    SP_CHECK(use.which < values.size() && use.offset + 32 <= code->size());
    const ByteView word = values[use.which].view();
    std::copy(word.begin(), word.end(), code->begin() + use.offset);
  }
  return std::move(*code);
}

Result<AbiValue> read(chain::Chain& chain, const Address& contract, std::string_view signature,
                      std::string_view type_text) {
  auto data = chain::abi_call(signature, {});
  auto type = AbiType::parse(type_text);
  SP_CHECK(data.ok() && type.ok());  // our own texts
  SP_ASSIGN(const Bytes answer, chain.call(contract, *data));
  SP_ASSIGN(auto values, chain::abi_decode(*type, answer));
  return std::move(values.front());
}

// A contract that isn't ours may have no such getter: that it isn't ours is what counts.
template <class Value>
Result<Value> asked(Result<Value> value, const Address& contract, std::string_view what) {
  if (value || value.error().code == Errc::unavailable || value.error().code == Errc::timed_out) {
    return value;
  }
  return failure(Errc::mismatch, contract.hex0x() + " isn't the " + std::string(what),
                 value.error().message, "Check address and chain");
}

}  // namespace

Bytes market_runtime(std::uint64_t chain_id, const Address& market, const Address& registry) {
  auto values = eip712_immutables(kMarketName, chain_id, market);
  values.push_back(word_of(registry));
  return filled(kMarketRuntime, kMarketImmutables, values);
}

Bytes registry_runtime(const Address& token, Amount minimum_deposit) {
  return filled(kRegistryRuntime, kRegistryImmutables, {word_of(token), minimum_deposit.word()});
}

Bytes test_token_runtime(std::uint64_t chain_id, const Address& token) {
  return filled(kTestTokenRuntime, kTestTokenImmutables,
                eip712_immutables(kTestTokenName, chain_id, token));
}

Status check_code(chain::Chain& chain, const Address& at, ByteView expected,
                  std::string_view what) {
  SP_ASSIGN(const Bytes code, chain.code(at));
  const std::string where = "the " + std::string(what) + " isn't at " + at.hex0x();
  if (code.empty()) {
    return failure(Errc::not_found, where, "no contract stands there", "Check address and chain");
  }
  if (std::equal(code.begin(), code.end(), expected.begin(), expected.end())) return {};
  const auto differs =
      std::mismatch(code.begin(), code.end(), expected.begin(), expected.end()).first;
  return failure(Errc::mismatch, where,
                 "the code there (" + std::to_string(code.size()) +
                     " bytes) isn't this version's (" + std::to_string(expected.size()) +
                     " bytes) from byte " + std::to_string(differs - code.begin()) + " on",
                 "Don't use it, or check it with the spctl that deployed it");
}

Result<MarketContracts> verify_market(chain::Chain& chain, const Address& market) {
  MarketContracts found;
  found.market = market;
  SP_ASSIGN(const std::uint64_t chain_id, chain.chain_id());
  SP_ASSIGN(const AbiValue registry,
            asked(read(chain, market, "registry()", "(address)"), market, "market"));
  SP_ASSIGN(found.registry, asked(registry.as_address(), market, "market"));
  SP_TRY(check_code(chain, market, market_runtime(chain_id, market, found.registry), "market"));
  // The market is ours; whether its registry is, is seen by its code alone.
  SP_ASSIGN(const AbiValue token, asked(read(chain, found.registry, "securityToken()", "(address)"),
                                        found.registry, "registry"));
  SP_ASSIGN(found.token, asked(token.as_address(), found.registry, "registry"));
  SP_ASSIGN(const AbiValue deposit,
            asked(read(chain, found.registry, "minimumDeposit()", "(uint128)"), found.registry,
                  "registry"));
  SP_ASSIGN(found.minimum_deposit, asked(deposit.as_amount(), found.registry, "registry"));
  SP_TRY(check_code(chain, found.registry, registry_runtime(found.token, found.minimum_deposit),
                    "registry"));
  SP_ASSIGN(const Bytes token_code, chain.code(found.token));
  found.test_token = token_code == test_token_runtime(chain_id, found.token);
  return found;
}

}  // namespace sp::spctl
