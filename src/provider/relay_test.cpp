// Loaders that read nothing from their window (a guest that is frozen is enough), and stores with
// several places, some of which are away or lie.
#include "provider/relay.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <future>

#include "base/codec.hpp"
#include "base/files.hpp"

namespace sp::provider {
namespace {

using api::FrameType;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kLarge = 1 << 20;  // more than a window takes unread

// A broker whose answers are large.
struct LargeAnswers final : net::HttpCaller {
  Result<net::HttpResponse> carry(const std::string&, const std::string&, ByteView,
                                  const net::Headers&) override {
    net::HttpResponse response;
    response.body.assign(kLarge, 1);
    return response;
  }
};

class RelayTest : public ::testing::Test {
 protected:
  RelayTest() {
    int ends[2] = {};
    SP_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    relay_end_ = Fd(ends[0]);
    loader_end_ = Fd(ends[1]);
    Secret32 secret;
    secret.writable()[31] = 7;  // nobody's
    action_.emplace(crypto::EthKey::from_secret(std::move(secret)).value());
    window_.emplace(relay_end_.get());
    relay_.emplace(
        *window_, forwarder_,
        Relay::Options{
            {}, *action_, [](api::Stage, const std::string&) {}, [](const api::Finish&) {}});
    served_ = std::async(std::launch::async, [this] { return relay_->serve(); });
  }
  ~RelayTest() override { ::shutdown(loader_end_.get(), SHUT_RDWR); }

  void ask() {
    const api::Call call{1, api::ServiceKind::broker, {}, "nonce", {}};
    const Bytes frame = api::Frame{FrameType::call, call.encode()}.encode();
    ASSERT_TRUE(SocketStream(loader_end_.get()).write(frame));
  }
  // Until the relay has begun to write the answer and can't go on.
  void wait_for_the_answer() {
    Bytes seen(kLarge);
    for (ssize_t before = -1, now = 0; now != before || now < 65536;) {
      std::this_thread::sleep_for(milliseconds(50));
      before = std::exchange(now, ::recv(loader_end_.get(), seen.data(), seen.size(), MSG_PEEK));
    }
  }

  Fd relay_end_, loader_end_;
  std::optional<crypto::EthKey> action_;
  LargeAnswers caller_;
  const Services services_{{Address{}, "http://broker"}};
  CallForwarder forwarder_{caller_, services_};
  std::optional<SocketStream> window_;
  std::optional<Relay> relay_;
  std::future<Result<api::Finish>> served_;
};

TEST_F(RelayTest, ACancelWaitsForNoAnswerThatNobodyReads) {
  ask();
  wait_for_the_answer();
  auto told = std::async(std::launch::async, [this] { relay_->cancel(); });
  const auto waited = told.wait_for(seconds(5));
  // It comes behind that answer.
  SocketStream socket(loader_end_.get());
  api::FrameStream stream(socket);
  for (const FrameType type : {FrameType::start, FrameType::reply, FrameType::cancel}) {
    const auto frame = stream.read();
    ASSERT_TRUE(frame) << frame.error().message;
    EXPECT_EQ(frame->type, type);
  }
  EXPECT_EQ(waited, std::future_status::ready);
}

TEST_F(RelayTest, AWindowThatTakesNothingEnds) {
  const timeval patience{0, 200'000};
  ASSERT_EQ(::setsockopt(relay_end_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
  ask();
  const auto ended = served_.wait_for(seconds(10));
  ::shutdown(loader_end_.get(), SHUT_RDWR);
  EXPECT_EQ(ended, std::future_status::ready);
  EXPECT_EQ(served_.get().error().code, Errc::unavailable);
}

// Places of stores by URL, each of which gives one answer to all, or is away.
struct Places final : net::HttpCaller {
  Result<net::HttpResponse> carry(const std::string&, const std::string& url, ByteView,
                                  const net::Headers&) override {
    for (const auto& [place, answer] : answers) {
      if (!url.starts_with(place)) continue;
      net::HttpResponse response;
      response.body = answer;
      return response;
    }
    return Error{Errc::unavailable, url + " is away"};
  }

  std::map<std::string, Bytes> answers;
};

class PlacesOfAStore : public ::testing::Test {
 protected:
  // The blob's text, or the error's name.
  std::string given(const Address& store) {
    Writer body;
    body.raw(store::blob_id(blob_).view()).u32(1000);
    const auto blob =
        forwarder_.forward({1, api::ServiceKind::store, store, "get", std::move(body).take()});
    return std::string(blob ? as_text(*blob) : errc_name(blob.error().code));
  }

  const Address store_ = *Address::from(Bytes(20, 1));
  const Address other_ = *Address::from(Bytes(20, 2));
  const Bytes blob_ = to_bytes(as_bytes("sealed"));
  const Bytes lie_ = to_bytes(as_bytes("other bytes"));
  const Services services_{{store_, "http://first"}, {other_, "http://other"}};
  const Mirrors mirrors_{{store_, {"http://second", "http://third"}}};
  Places places_;
  CallForwarder forwarder_{places_, services_, {}, &mirrors_};
};

TEST_F(PlacesOfAStore, AnyOfThemGivesABlob) {
  for (const char* place : {"http://first", "http://second", "http://third"}) {
    places_.answers = {{place, blob_}};
    EXPECT_EQ(given(store_), "sealed") << place << " alone";
  }
  for (const char* place : {"http://first", "http://second"}) places_.answers[place] = lie_;
  EXPECT_EQ(given(store_), "sealed") << "behind two liars";
  // They are this store's alone.
  EXPECT_EQ(given(other_), "unavailable");
}

// Unavailable is what a loader asks for again.
TEST_F(PlacesOfAStore, AStoreThatComesBackIsWaitedForBesideALiar) {
  places_.answers["http://second"] = lie_;
  EXPECT_EQ(given(store_), "unavailable");
  places_.answers["http://first"] = blob_;
  EXPECT_EQ(given(store_), "sealed");
}

}  // namespace
}  // namespace sp::provider
