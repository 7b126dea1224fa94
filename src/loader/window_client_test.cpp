#include "loader/window_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <functional>
#include <future>

#include "base/codec.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"

namespace sp::loader {
namespace {

using namespace std::chrono_literals;

constexpr CallLimits kQuick{500ms, 1ms, 4ms, 3};

Address address_of(std::uint8_t fill) {
  Address address;
  address.data.fill(fill);
  return address;
}

/// The host's end of a window, served by a thread.
class FakeRelay {
 public:
  using Handler = std::function<std::optional<api::Reply>(const api::Call&)>;

  FakeRelay() {
    int ends[2];
    SP_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    loader_ = Fd(ends[0]);
    host_ = Fd(ends[1]);
    host_end_ = std::make_unique<SocketStream>(host_.get());
    loader_end_ = std::make_unique<SocketStream>(loader_.get());
    stream_ = std::make_unique<api::FrameStream>(*host_end_);
  }
  ~FakeRelay() { close(); }

  /// Sends a Start frame and serves calls from now on.
  void serve(WindowClient& client, Handler handler) {
    ASSERT_TRUE(stream_->write({api::FrameType::start, api::Start().encode()}).ok());
    ASSERT_TRUE(client.receive_start().ok());
    thread_ = std::thread([this, handler = std::move(handler)] {
      for (;;) {
        const auto frame = stream_->read();
        if (!frame) return;
        if (frame->type != api::FrameType::call) continue;
        const auto call = api::Call::decode(frame->body);
        ASSERT_TRUE(call.ok());
        ++calls;
        const auto reply = handler(*call);
        if (reply) static_cast<void>(send({api::FrameType::reply, reply->encode()}).ok());
      }
    });
  }
  Status send(const api::Frame& frame) {
    const std::lock_guard lock(mutex_);
    return stream_->write(frame);
  }
  void close() {
    ::shutdown(host_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] ByteStream& loader_end() const { return *loader_end_; }

  std::atomic<int> calls{0};

 private:
  Fd loader_;
  Fd host_;
  std::unique_ptr<ByteStream> host_end_, loader_end_;
  std::unique_ptr<api::FrameStream> stream_;
  std::mutex mutex_;
  std::thread thread_;
};

api::Reply answer(const api::Call& call, ByteView body) { return {call.id, {}, to_bytes(body)}; }
api::Reply failure(const api::Call& call, Errc code) {
  return {call.id, code, to_bytes(as_bytes("words"))};
}

class WindowClientTest : public ::testing::Test {
 public:
  SystemClock clock;
  FakeRelay relay;
  WindowClient client{relay.loader_end(), kQuick};
  CallTarget target{api::ServiceKind::broker, address_of(1)};

  Result<Bytes> call(std::string_view method, OnCancel on_cancel = OnCancel::stop) {
    return client.call(target, method, as_bytes("body"), on_cancel);
  }
};

TEST_F(WindowClientTest, CarriesACallAndItsAnswer) {
  relay.serve(client, [](const api::Call& call) {
    EXPECT_EQ(call.service, api::ServiceKind::broker);
    EXPECT_EQ(call.address, address_of(1));
    EXPECT_EQ(call.method, "ask");
    EXPECT_EQ(as_text(call.body), "body");
    return answer(call, as_bytes("the answer"));
  });
  const auto got = call("ask");
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(as_text(*got), "the answer");
}

TEST_F(WindowClientTest, MatchesAnswersToManyCallsInAnyOrder) {
  std::mutex mutex;
  std::vector<api::Call> held;
  relay.serve(client, [&](const api::Call& call) -> std::optional<api::Reply> {
    const std::lock_guard lock(mutex);
    held.push_back(call);
    if (held.size() < 8) return std::nullopt;
    for (auto at = held.rbegin(); at != held.rend(); ++at) {
      static_cast<void>(
          relay.send({api::FrameType::reply, answer(*at, as_bytes(at->method)).encode()}).ok());
    }
    return std::nullopt;
  });
  std::vector<std::future<Result<Bytes>>> answers;
  for (int i = 0; i < 8; ++i) {
    answers.push_back(
        std::async(std::launch::async, [this, i] { return call("method-" + std::to_string(i)); }));
  }
  for (int i = 0; i < 8; ++i) {
    const auto got = answers[static_cast<std::size_t>(i)].get();
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(as_text(*got), "method-" + std::to_string(i));
  }
}

TEST_F(WindowClientTest, AsksAgainOnlyForWhatMayPass) {
  Errc code = Errc::unavailable;
  relay.serve(client, [&](const api::Call& call) { return failure(call, code); });
  EXPECT_EQ(call("a").error().code, Errc::unavailable);
  EXPECT_EQ(relay.calls, kQuick.tries_max);
  relay.calls = 0;
  code = Errc::refused;
  EXPECT_EQ(call("a").error().code, Errc::refused);
  EXPECT_EQ(relay.calls, 1);
  // A relay can't make a run look cancelled.
  code = Errc::cancelled;
  EXPECT_EQ(call("a").error().code, Errc::unavailable);
}

TEST_F(WindowClientTest, ASilentRelayRunsIntoTheLimit) {
  relay.serve(client, [](const api::Call& call) -> std::optional<api::Reply> {
    if (call.id % 2 == 0) return api::Reply{call.id + 1000, {}, {}};  // nobody's
    return std::nullopt;
  });
  EXPECT_EQ(call("a").error().code, Errc::timed_out);
  EXPECT_EQ(relay.calls, kQuick.tries_max);
}

TEST_F(WindowClientTest, CancelEndsCallsThatMayEnd) {
  relay.serve(client, [&](const api::Call& call) -> std::optional<api::Reply> {
    if (call.method == "late") return answer(call, as_bytes("late"));
    EXPECT_TRUE(relay.send({api::FrameType::cancel, {}}).ok());
    return std::nullopt;
  });
  EXPECT_FALSE(client.cancelled());
  EXPECT_EQ(call("cancelled").error().code, Errc::cancelled);
  EXPECT_TRUE(client.cancelled());
  pollfd waited{client.cancel_descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&waited, 1, 0), 1);
  EXPECT_EQ(call("late").error().code, Errc::cancelled);
  EXPECT_TRUE(call("late", OnCancel::go_on).ok());
}

TEST_F(WindowClientTest, ALostWindowEndsEverything) {
  relay.serve(client, [](const api::Call&) { return std::nullopt; });
  auto waiting = std::async(std::launch::async, [this] { return call("a", OnCancel::go_on); });
  while (relay.calls == 0) clock.sleep_for(1ms);
  relay.close();
  EXPECT_EQ(waiting.get().error().code, Errc::unavailable);
  EXPECT_TRUE(client.lost());
  EXPECT_TRUE(client.cancelled());
  EXPECT_EQ(client.finish({}).error().code, Errc::unavailable);
}

TEST_F(WindowClientTest, TheFirstFrameMustBeStart) {
  ASSERT_TRUE(relay.send({api::FrameType::cancel, {}}).ok());
  EXPECT_EQ(client.receive_start().error().code, Errc::malformed);
  ASSERT_TRUE(relay.send({api::FrameType::start, to_bytes(as_bytes("x"))}).ok());
  EXPECT_EQ(client.receive_start().error().code, Errc::malformed);
}

class WindowStoreTest : public WindowClientTest {
 public:
  Bytes blob = to_bytes(as_bytes("some sealed bytes"));
  store::BlobId id = store::blob_id(blob);
  WindowStore store{client, address_of(2), OnCancel::stop};
};

TEST_F(WindowStoreTest, ChecksEveryDigestAndAsksAgain) {
  int damaged = 2;
  relay.serve(client, [&](const api::Call& call) {
    EXPECT_EQ(call.method, "get");
    EXPECT_EQ(call.body.size(), 36U);
    Bytes bytes = blob;
    if (damaged-- > 0) bytes[3] ^= 1;
    return answer(call, bytes);
  });
  EXPECT_EQ(store.get(id, 100).value(), blob);
  damaged = 100;
  EXPECT_EQ(store.get(id, 100).error().code, Errc::mismatch);
  damaged = 0;
  EXPECT_EQ(store.get(id, 5).error().code, Errc::too_large);
}

TEST_F(WindowStoreTest, NoErrorOfTheRelayReadsAsTheSealersFault) {
  Errc code = Errc::not_found;
  relay.serve(client, [&](const api::Call& call) { return failure(call, code); });
  EXPECT_EQ(store.get(id, 100).error().code, Errc::not_found);
  for (const Errc lie : {Errc::bad_signature, Errc::malformed, Errc::refused, Errc::unsupported,
                         Errc::mismatch, Errc::io, Errc::expired}) {
    code = lie;
    EXPECT_EQ(store.get(id, 100).error().code, Errc::unavailable) << errc_name(lie);
    EXPECT_EQ(store.put(id, blob).error().code, Errc::unavailable) << errc_name(lie);
  }
}

TEST_F(WindowStoreTest, AStorageReceiptMustBeTheStores) {
  crypto::SystemRandom random;
  const crypto::EthKey key = crypto::EthKey::generate(random);
  const crypto::EthKey stranger = crypto::EthKey::generate(random);
  store::StorageReceipt receipt;
  receipt.package = id;
  receipt.until = 77;
  const crypto::EthKey* signer = &key;
  relay.serve(client, [&](const api::Call& call) {
    EXPECT_EQ(call.method, "receipt");
    receipt.signature = signer->sign(receipt.digest());
    return answer(call, receipt.encode());
  });
  WindowStore signing(client, key.address(), OnCancel::stop);
  const auto got = signing.storage_receipt(id, 77);
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(got->until, 77);
  signer = &stranger;
  EXPECT_EQ(signing.storage_receipt(id, 77).error().code, Errc::bad_signature);
  signer = &key;
  receipt.package.data[0] ^= 1;
  EXPECT_EQ(signing.storage_receipt(id, 77).error().code, Errc::mismatch);
}

TEST_F(WindowClientTest, AnAcceptanceMustBeASignature) {
  crypto::SystemRandom random;
  const crypto::EthKey action = crypto::EthKey::generate(random);
  const api::Acceptance acceptance{{}, address_of(7)};
  Bytes signature = to_bytes(action.sign(acceptance.digest({})).view());
  relay.serve(client, [&](const api::Call& call) {
    EXPECT_EQ(call.service, api::ServiceKind::provider);
    EXPECT_EQ(call.body, to_bytes(address_of(7).view()));
    return answer(call, signature);
  });
  EXPECT_TRUE(ask_acceptance(client, acceptance, {}).ok());
  signature.back() = 29;
  EXPECT_EQ(ask_acceptance(client, acceptance, {}).error().code, Errc::bad_signature);
  signature.pop_back();
  EXPECT_EQ(ask_acceptance(client, acceptance, {}).error().code, Errc::malformed);
}

}  // namespace
}  // namespace sp::loader
