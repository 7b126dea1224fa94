// Logs of the market, whose data is built of the input and then spoiled: a decoder gives a value
// only where it hashes to the id that the log names, and never one of another event or contract.
#include <nlohmann/json.hpp>

#include "api/testing/fuzz_terms.hpp"
#include "chain/abi.hpp"
#include "market/client.hpp"

namespace sp::market {
namespace {

using sp::testing::FuzzInput;

// Nobody is asked for anything: decoding a log looks at nothing else.
class SilentEndpoint final : public chain::RpcEndpoint {
 public:
  Result<Json> call(const std::string& method, const Json& /*params*/) override {
    return Error{Errc::unavailable, method + " isn't asked here"};
  }
};

MarketClient& client() {
  static SilentEndpoint endpoint;
  static chain::Chain chain(endpoint);
  static MarketClient made(chain, {1, Address{.data = {1}}});
  return made;
}

Bytes encoded(const std::string& types, const std::vector<chain::AbiValue>& values) {
  return chain::abi_encode(chain::AbiType::parse("(" + types + ")").value(), values).value();
}

chain::Log log_of(const Digest32& topic, const Digest32& id, std::size_t topics, Bytes data) {
  chain::Log log;
  log.address = client().domain().contract;
  log.topics.assign(topics, Digest32{});
  log.topics[0] = topic;
  log.topics[1] = id;
  log.data = std::move(data);
  return log;
}

// `same`: whether two values are one.
template <class Decode, class Same>
void check(FuzzInput& input, chain::Log log, Decode decode, Same same) {
  const auto good = decode(log);
  SP_CHECK(good.ok());
  log.data = input.spoiled(log.data);
  const auto spoiled = decode(log);
  SP_CHECK(!spoiled || same(*spoiled, *good));
  log.topics[0].data[0] ^= 1;
  SP_CHECK(decode(log).error().code == Errc::mismatch);
}

void check_created(FuzzInput& input) {
  const Terms terms = api::testing::any_terms(input);
  Hints hints;
  if (input.flag()) hints[input.fixed<Address>()] = "http://" + to_hex(input.bytes(20));
  const Digest32 id{terms.order_id(client().domain()).data};
  Bytes data =
      encoded(kTermsAbi + ",bytes", {to_abi(terms), chain::AbiValue::bytes(encode_hints(hints))});
  const auto decode = [](const chain::Log& log) { return client().decode_created(log); };
  const chain::Log log = log_of(order_created_topic(), id, 4, std::move(data));
  chain::Log elsewhere = log;
  elsewhere.address.data[19] ^= 1;
  SP_CHECK(decode(elsewhere).error().code == Errc::mismatch);
  // Hints are anybody's words, so that they may be spoiled.
  check(input, log, decode,
        [](const CreatedEvent& a, const CreatedEvent& b) { return a.terms == b.terms; });
}

void check_settled(FuzzInput& input) {
  std::vector<chain::AbiValue> paid;
  for (std::size_t i = input.below(4); i > 0; --i) {
    paid.push_back(chain::AbiValue::amount(api::testing::any_amount(input)));
  }
  using chain::AbiValue;
  const Bytes data =
      encoded("address,uint8,int32,bytes32,bytes32,uint256,uint256,uint256[]",
              {AbiValue::address(input.fixed<Address>()), AbiValue::number(input.below(5)),
               AbiValue::signed_number(static_cast<std::int8_t>(input.byte())),
               AbiValue::word(input.fixed<Digest32>().view()),
               AbiValue::word(input.fixed<Digest32>().view()),
               AbiValue::amount(api::testing::any_amount(input)),
               AbiValue::amount(api::testing::any_amount(input)), AbiValue::list(paid)});
  // No id holds what was settled, so whatever has the form is believed.
  check(
      input, log_of(order_settled_topic(), input.fixed<Digest32>(), 4, data),
      [](const chain::Log& log) { return client().decode_settled(log); },
      [](const SettledEvent& a, const SettledEvent& b) {
        return static_cast<int>(a.outcome) <= 4 && a.order == b.order;
      });
}

template <class Offer>
void check_offered(FuzzInput& input, const Offer& offer, const Digest32& topic,
                   const std::string& type,
                   Result<std::pair<OfferId, Offer>> (*decode)(const chain::Log&)) {
  const Digest32 id{offer.offer_id().data};
  check(input, log_of(topic, id, 3, encoded(type, {to_abi(offer)})), decode,
        [](const auto& a, const auto& b) { return a == b; });
}

}  // namespace
}  // namespace sp::market

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::market;
  sp::testing::FuzzInput input({data, size});
  switch (input.byte() % 4) {
    case 0:
      check_created(input);
      break;
    case 1:
      check_settled(input);
      break;
    case 2:
      check_offered<Part>(input, sp::api::testing::any_part(input), part_offered_topic(), kPartAbi,
                          decode_part_offered);
      break;
    default:
      check_offered<Compute>(input, sp::api::testing::any_compute(input), compute_offered_topic(),
                             kComputeAbi, decode_compute_offered);
  }
  return 0;
}
