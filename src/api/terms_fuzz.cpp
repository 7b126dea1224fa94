// Terms and the messages around them, built of the input and then spoiled: a good one decodes to
// itself, a spoiled one to nothing or to what has exactly that encoding.
#include "api/testing/fuzz_terms.hpp"

namespace sp::api {
namespace {

using sp::testing::check_one_encoding;
using sp::testing::FuzzInput;

template <class Message>
void check(FuzzInput& input, const Message& message) {
  const Bytes encoding = message.encode();
  const auto again = Message::decode(encoding);
  SP_CHECK(again.ok() && again->encode() == encoding);
  check_one_encoding<Message>(input.spoiled(encoding));
}

void check_terms(FuzzInput& input) {
  const Terms terms = testing::any_terms(input);
  const Bytes encoding = terms.encode();
  SP_CHECK(encoding.size() <= kTermsSizeMax && Terms::decode(encoding).value() == terms);
  const auto spoiled = Terms::decode(input.spoiled(encoding));
  if (!spoiled) return;
  const Eip712Domain market = testing::any_market(input);
  SP_CHECK((*spoiled == terms) == (spoiled->order_id(market) == terms.order_id(market)));
  if (!spoiled->check_version_1()) return;
  SP_CHECK(spoiled->storage_index() < spoiled->parts.size());
  SP_CHECK(!spoiled->brokers_in_order().empty());
  static_cast<void>(spoiled->compute_of(input.number<std::uint16_t>(), input.byte()).ok());
}

ReleaseRequest any_release_request(FuzzInput& input) {
  ReleaseRequest request;
  request.proof = testing::any_session_proof(input);
  request.attestation = testing::any_attestation(input);
  request.request = {{testing::any_run(input), input.byte(), input.fixed<Digest32>()},
                     input.fixed<EthSignature>()};
  return request;
}

}  // namespace
}  // namespace sp::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::api;
  sp::testing::FuzzInput input({data, size});
  switch (input.byte() % 6) {
    case 0:
      check_terms(input);
      break;
    case 1:
      check(input, testing::any_start(input));
      break;
    case 2:
      check(input, testing::any_finish(input));
      break;
    case 3:
      check(input, testing::any_session_proof(input));
      break;
    case 4:
      check(input, any_release_request(input));
      break;
    default:
      check(input, testing::any_receipt(input));
  }
  return 0;
}
