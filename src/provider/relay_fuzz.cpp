// A hostile loader at the relay's window: frames built of the input, spoiled, and then whatever is
// left of it. The relay ends, accepts one session at most, and answers each call that it took.
#include <sys/socket.h>

#include <thread>

#include "api/testing/fuzz_terms.hpp"
#include "base/codec.hpp"
#include "base/files.hpp"
#include "net/http.hpp"
#include "provider/relay.hpp"

namespace sp::provider {
namespace {

using api::FrameType;
using sp::testing::FuzzInput;

const crypto::EthKey& action() {
  static const crypto::EthKey key = [] {
    Secret32 secret;
    secret.writable()[31] = 7;  // nobody's
    return crypto::EthKey::from_secret(std::move(secret)).value();
  }();
  return key;
}

api::Frame any_frame(FuzzInput& input) {
  switch (input.byte() % 4) {
    case 0: {
      api::Call call;
      call.id = input.byte();
      call.service = static_cast<api::ServiceKind>(1 + input.below(3));
      call.method = input.one_of(std::array<const char*, 4>{"accept", "get", "nonce", "?"});
      call.body =
          input.flag() ? to_bytes(input.fixed<Address>().view()) : to_bytes(input.bytes(64));
      return {FrameType::call, call.encode()};
    }
    case 1: {
      Writer stage;
      stage.u8(input.byte()).text(input.text(20));
      return {FrameType::stage, std::move(stage).take()};
    }
    case 2:
      return {FrameType::finish, api::testing::any_finish(input).encode()};
    default:
      return {static_cast<FrameType>(1 + input.below(6)), to_bytes(input.bytes(40))};
  }
}

Bytes any_stream(FuzzInput& input) {
  Bytes stream;
  for (std::size_t i = input.below(6); i > 0; --i) append(stream, any_frame(input).encode());
  stream = input.spoiled(std::move(stream));
  append(stream, input.rest());
  return stream;
}

// What the relay wrote: its Start frame, then replies alone.
void check_answers(int descriptor) {
  SocketStream socket(descriptor);
  api::FrameStream stream(socket);
  auto frame = stream.read();
  SP_CHECK(frame.ok() && frame->type == FrameType::start && api::Start::decode(frame->body).ok());
  std::optional<Bytes> accepted;
  for (frame = stream.read(); frame.ok(); frame = stream.read()) {
    SP_CHECK(frame->type == FrameType::reply);
    const auto reply = api::Reply::decode(frame->body).value();
    if (reply.error) continue;
    SP_CHECK(!accepted || *accepted == reply.body);  // of the one session, again
    accepted = reply.body;
  }
}

}  // namespace
}  // namespace sp::provider

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::provider;
  FuzzInput input({data, size});
  int ends[2] = {};
  SP_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  sp::Fd relay_end(ends[0]);
  const sp::Fd loader_end(ends[1]);
  const sp::Bytes stream = any_stream(input);
  std::thread loader([&] {
    // What doesn't fit into the socket waits until the relay reads or is gone.
    static_cast<void>(::send(loader_end.get(), stream.data(), stream.size(), MSG_NOSIGNAL));
    ::shutdown(loader_end.get(), SHUT_WR);
  });
  sp::net::HttpClient client;
  const Services services;
  CallForwarder forwarder(client, services);
  sp::SocketStream window(relay_end.get());
  Relay relay(window, forwarder,
              {{}, action(), [](sp::api::Stage, const std::string&) {}, [](const auto&) {}});
  static_cast<void>(relay.serve().ok());
  relay_end.reset();
  loader.join();
  check_answers(loader_end.get());
  return 0;
}
