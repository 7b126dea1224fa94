// Every message between programs, and every statement: the first byte picks which. What decodes
// must encode to the same bytes again.
#include "api/arguments.hpp"
#include "api/broker.hpp"
#include "api/window.hpp"
#include "base/testing/fuzz_input.hpp"

namespace sp::api {
namespace {

template <class Message>
void check(ByteView bytes) {
  sp::testing::check_one_encoding<Message>(bytes);
}

// Secrets encode into memory that is wiped.
template <class Secret>
void check_secret(ByteView bytes) {
  const auto secret = Secret::decode(bytes);
  if (secret) SP_CHECK(std::ranges::equal(secret->encode().reveal(), bytes));
}

using Check = void (*)(ByteView);
constexpr std::array<Check, 19> kChecks{check<Terms>,
                                        check<Start>,
                                        check<Call>,
                                        check<Reply>,
                                        check<Finish>,
                                        check<SessionProof>,
                                        check<ReleaseRequest>,
                                        check<ReleaseAnswer>,
                                        check<Deposit>,
                                        check<BrokerIdentityAnswer>,
                                        check<Signed<Attestation>>,
                                        check<Signed<Receipt>>,
                                        check<Arguments>,
                                        check<NonceRequest>,
                                        check<Signed<KeyRequest>>,
                                        check<Signed<Refusal>>,
                                        check<attest::OrderSession>,
                                        check_secret<PartSecret>,
                                        check_secret<ReleasedSecret>};

}  // namespace
}  // namespace sp::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  using namespace sp::api;
  kChecks[data[0] % kChecks.size()]({data + 1, size - 1});
  return 0;
}
