// One call of a contract under way; inside of contracts*.cpp.
#pragma once

#include "sim/contracts.hpp"

namespace sp::sim {

struct Contracts::Call {
  ContractState& state;
  const Address& sender;
  std::int64_t time;
  const Address& contract;
  AbiValues arguments;
  CallOutcome& outcome;

  [[nodiscard]] Result<Address> address(std::size_t index) const {
    return arguments[index].as_address();
  }
  [[nodiscard]] Result<Number> amount(std::size_t index) const {
    SP_ASSIGN(const Amount value, arguments[index].as_amount());
    return value.units();
  }
  /// Terms are the first argument of every call that has them.
  [[nodiscard]] Result<api::Terms> terms() const { return market::terms_from_abi(arguments[0]); }
  Status give(const char* types, const AbiValues& values) const {
    SP_ASSIGN(const chain::AbiType type, chain::AbiType::parse(types));
    SP_ASSIGN(outcome.output, chain::abi_encode(type, values));
    return {};
  }
  Status emit(const Digest32& topic, const std::vector<Digest32>& indexed, const std::string& types,
              const AbiValues& values) const {
    SP_ASSIGN(const chain::AbiType type, chain::AbiType::parse(types));
    Emitted log{contract, {topic}, {}};
    log.topics.insert(log.topics.end(), indexed.begin(), indexed.end());
    SP_ASSIGN(log.data, chain::abi_encode(type, values));
    outcome.logs.push_back(std::move(log));
    return {};
  }
};

/// Reverts by that name.
inline Status require(bool holds, const char* revert) {
  if (holds) return {};
  return Error{Errc::refused, revert};
}

/// The value under a key, or the type's zero, as a Solidity mapping has it.
template <class Map>
typename Map::mapped_type value_of(const Map& map, const typename Map::key_type& key) {
  const auto found = map.find(key);
  return found == map.end() ? typename Map::mapped_type{} : found->second;
}

bool is_signed_by(const Digest32& digest, const Bytes& signature, const Address& expected);

inline chain::AbiValue number(Number value) { return chain::AbiValue::amount(Amount(value)); }

}  // namespace sp::sim
