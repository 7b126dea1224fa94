// Every message between programs: the first byte picks which. What decodes must encode to the same
// bytes again.
#include <cstdlib>

#include "api/window.hpp"

namespace {

template <class Message>
void check(sp::ByteView bytes) {
  auto message = Message::decode(bytes);
  if (message && !std::ranges::equal(message->encode(), bytes)) std::abort();
}

void check_frames(sp::ByteView bytes) {
  sp::api::FrameParser parser;
  parser.feed(bytes);
  for (auto frame = parser.next(); frame && *frame; frame = parser.next()) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const sp::ByteView bytes(data + 1, size - 1);
  using namespace sp::api;
  switch (data[0] % 16) {
    case 0:
      check<Terms>(bytes);
      break;
    case 1:
      check<Start>(bytes);
      break;
    case 2:
      check<Call>(bytes);
      break;
    case 3:
      check<Reply>(bytes);
      break;
    case 4:
      check<Finish>(bytes);
      break;
    case 5:
      check<SessionProof>(bytes);
      break;
    case 6:
      check<ReleaseRequest>(bytes);
      break;
    case 7:
      check<ReleaseAnswer>(bytes);
      break;
    case 8:
      check<Deposit>(bytes);
      break;
    case 9:
      check<BrokerIdentityAnswer>(bytes);
      break;
    case 10:
      check<Signed<Attestation>>(bytes);
      break;
    case 11:
      check<Signed<Receipt>>(bytes);
      break;
    case 12:
      check<Arguments>(bytes);
      break;
    case 13:
      check<NonceRequest>(bytes);
      break;
    case 14:
      check_frames(bytes);
      break;
    default:
      if (auto released = ReleasedSecret::decode(bytes)) static_cast<void>(released->encode());
  }
  return 0;
}
