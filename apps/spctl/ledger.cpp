#include "spctl/ledger.hpp"

#include "crypto/hash.hpp"

namespace sp::spctl {
namespace {

using chain::AbiType;
using chain::AbiValue;
using Values = std::vector<AbiValue>;

constexpr std::string_view kSettledEvent =
    "OrderSettled(bytes32,address,address,address,uint8,int32,bytes32,bytes32,uint256,uint256,"
    "uint256[])";
constexpr std::string_view kSettledData =
    "(address,uint8,int32,bytes32,bytes32,uint256,uint256,uint256[])";

Result<Values> decode(std::string_view type_text, ByteView data) {
  auto type = AbiType::parse(type_text);
  SP_CHECK(type.ok());  // our own text
  return chain::abi_decode(*type, data);
}

Bytes call_data(std::string_view signature, const Values& arguments) {
  auto data = chain::abi_call(signature, arguments);
  SP_CHECK(data.ok());  // our own values fit our own signatures
  return std::move(*data);
}

Result<Values> read_registry(Session& session, std::string_view signature, const Values& arguments,
                             std::string_view type) {
  SP_ASSIGN(const Address registry, session.market.registry());
  SP_ASSIGN(const Bytes data, session.chain.call(registry, call_data(signature, arguments)));
  return decode(type, data);
}

Address topic_address(const Digest32& topic) {
  Address address;
  std::copy(topic.data.begin() + 12, topic.data.end(), address.data.begin());
  return address;
}

Result<Settled> decode_settled(const chain::Log& log) {
  if (log.topics.size() != 4)
    return Error{Errc::malformed, "an OrderSettled event of another form"};
  SP_ASSIGN(const Values values, decode(kSettledData, log.data));
  Settled settled;
  settled.customer = topic_address(log.topics[2]);
  settled.provider = topic_address(log.topics[3]);
  SP_ASSIGN(settled.session, values[0].as_address());
  SP_ASSIGN(const std::uint64_t outcome, values[1].as_number(4));
  settled.outcome = static_cast<api::Outcome>(outcome);
  SP_ASSIGN(const std::int64_t exit_code, values[2].as_signed());
  settled.exit_code = static_cast<std::int32_t>(exit_code);
  SP_ASSIGN(settled.result, values[3].as_word());
  SP_ASSIGN(settled.commitment, values[4].as_word());
  SP_ASSIGN(settled.compute_paid, values[5].as_amount());
  SP_ASSIGN(settled.refunded, values[6].as_amount());
  SP_ASSIGN(const Values paid, values[7].as_list());
  for (const AbiValue& amount : paid) {
    SP_ASSIGN(const Amount part_paid, amount.as_amount());
    settled.parts_paid.push_back(part_paid);
  }
  settled.block = log.block_number;
  settled.tx = log.tx_hash;
  return settled;
}

}  // namespace

Result<Settled> find_settled(Session& session, const api::OrderId& order, std::uint64_t from_block,
                             std::uint64_t to_block) {
  static const Digest32 topic = crypto::keccak256(as_bytes(kSettledEvent));
  chain::LogFilter filter;
  filter.address = session.network.market.contract;
  filter.topics = {topic, Digest32{order.data}};
  filter.from_block = from_block;
  filter.to_block = to_block;
  SP_ASSIGN(const auto logs, session.chain.logs(filter));
  if (logs.empty()) return Error{Errc::not_found, "order " + order.hex0x() + " isn't settled"};
  return decode_settled(logs.front());
}

Result<bool> is_active(Session& session, const Address& authority) {
  SP_ASSIGN(const Values values, read_registry(session, "isActive(address,address)",
                                               {AbiValue::address(authority),
                                                AbiValue::address(session.network.market.contract)},
                                               "(bool)"));
  SP_ASSIGN(const std::uint64_t active, values[0].as_number(1));
  return active == 1;
}

Result<std::pair<Amount, Amount>> deposit_of(Session& session, const Address& authority,
                                             const Address& token) {
  SP_ASSIGN(const Values values, read_registry(session, "depositOf(address,address,address)",
                                               {AbiValue::address(authority),
                                                AbiValue::address(session.network.market.contract),
                                                AbiValue::address(token)},
                                               "(uint128,uint128)"));
  SP_ASSIGN(const Amount total, values[0].as_amount());
  SP_ASSIGN(const Amount locked, values[1].as_amount());
  return std::pair(total, locked);
}

Result<bool> is_action(Session& session, const Address& authority, const Address& account,
                       std::int64_t since) {
  SP_ASSIGN(const Values values,
            read_registry(session, "isAction(address,address,uint256)",
                          {AbiValue::address(authority), AbiValue::address(account),
                           AbiValue::number(static_cast<std::uint64_t>(since))},
                          "(bool)"));
  SP_ASSIGN(const std::uint64_t is, values[0].as_number(1));
  return is == 1;
}

Result<chain::TxSender::Call> deposit_call(Session& session, const Address& token, Amount amount) {
  SP_ASSIGN(const Address registry, session.market.registry());
  const Values arguments{AbiValue::address(session.network.market.contract),
                         AbiValue::address(token), AbiValue::amount(amount)};
  return chain::TxSender::Call{
      registry, call_data("deposit(address,address,uint128)", arguments), {}};
}

Result<chain::TxSender::Call> withdraw_deposit_call(Session& session, const Address& token,
                                                    Amount amount) {
  SP_ASSIGN(const Address registry, session.market.registry());
  const Values arguments{AbiValue::address(session.network.market.contract),
                         AbiValue::address(token), AbiValue::amount(amount)};
  return chain::TxSender::Call{
      registry, call_data("withdraw(address,address,uint128)", arguments), {}};
}

}  // namespace sp::spctl
