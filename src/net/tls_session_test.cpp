// What a peer that speaks TLS may cost: both ends are sessions here, over wires in memory.
#include "net/tls_session.hpp"

#include <gtest/gtest.h>

#include "net/testing/tls_files.hpp"
#include "net/tls.hpp"

namespace sp::net {
namespace {

using Step = TlsSession::Step;

struct MemoryWire final : TlsSession::Wire {
  std::ptrdiff_t receive(MutableByteView out, TlsSession::Patience) override {
    const std::size_t size = std::min(out.size(), bytes.size() - taken);
    if (size == 0) return kNothingNow;
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(taken), size, out.begin());
    taken += size;
    return static_cast<std::ptrdiff_t>(size);
  }
  [[nodiscard]] std::size_t left() const { return bytes.size() - taken; }

  Bytes bytes;
  std::size_t taken = 0;
};

void pass(TlsSession& from, MemoryWire& to) {
  const Bytes sealed = to_bytes(from.sealed());
  append(to.bytes, sealed);
  from.sent(sealed.size());
}

boost::asio::ssl::context certified_context() {
  const testing::TlsFiles files;
  const testing::ServerFiles own = files.server("session", "IP:127.0.0.1");
  boost::asio::ssl::context context = make_server_context();
  SP_CHECK(load_server_files(context, own.certificate, own.key).ok());
  return context;
}

// A client and a server that have shaken hands.
class TlsSessionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Step at_client = Step::wants_input;
    Step at_server = Step::wants_input;
    for (int i = 0; i < 4 && (at_client != Step::done || at_server != Step::done); ++i) {
      if (at_client != Step::done) at_client = client_.handshake();
      pass(client_, to_server_);
      if (at_server != Step::done) at_server = server_.handshake();
      pass(server_, to_client_);
    }
    ASSERT_EQ(at_client, Step::done);
    ASSERT_EQ(at_server, Step::done);
  }

  void change_keys(TlsSession& of, MemoryWire& to, int kind, int times) {
    for (int i = 0; i < times; ++i) {
      ASSERT_EQ(SSL_key_update(of.native_handle(), kind), 1);
      ASSERT_EQ(of.handshake(), Step::done);
    }
    pass(of, to);
  }

  // A flood ends the session after little of it, and of our answers little waits.
  void expect_end_of_flood(TlsSession& flooded, MemoryWire& wire) {
    const std::size_t before = wire.left();
    ASSERT_GT(before, std::size_t{256} * 1024);
    Bytes room(4096);
    std::size_t got = 0;
    EXPECT_EQ(flooded.read(room, got), Step::failed);
    EXPECT_EQ(flooded.failure(), boost::asio::error::connection_reset);
    EXPECT_LE(before - wire.left(), std::size_t{128} * 1024);
    EXPECT_LT(flooded.sealed().size(), 8192U);
    EXPECT_EQ(flooded.read(room, got), Step::failed);
    EXPECT_EQ(got, 0U);
  }

  boost::asio::ssl::context server_context_ = certified_context();
  boost::asio::ssl::context client_context_{boost::asio::ssl::context::tls_client};
  MemoryWire to_server_, to_client_;
  TlsSession server_{server_context_, TlsSession::Side::server, to_server_};
  TlsSession client_{client_context_, TlsSession::Side::client, to_client_};
};

TEST_F(TlsSessionTest, AFloodOfKeyUpdatesEndsIt) {
  change_keys(client_, to_server_, SSL_KEY_UPDATE_REQUESTED, 12000);
  expect_end_of_flood(server_, to_server_);
}

TEST_F(TlsSessionTest, AFloodOfKeyUpdatesThatWantNoAnswerEndsIt) {
  change_keys(client_, to_server_, SSL_KEY_UPDATE_NOT_REQUESTED, 12000);
  expect_end_of_flood(server_, to_server_);
}

TEST_F(TlsSessionTest, AServersFloodEndsAClientAsWell) {
  change_keys(server_, to_client_, SSL_KEY_UPDATE_REQUESTED, 12000);
  expect_end_of_flood(client_, to_client_);
}

TEST_F(TlsSessionTest, DataBetweenThemDoesntBuyMore) {
  for (int i = 0; i < 2000; ++i) {
    change_keys(client_, to_server_, SSL_KEY_UPDATE_NOT_REQUESTED, 8);
    ASSERT_EQ(client_.write(as_bytes("x")), Step::done);
  }
  pass(client_, to_server_);
  Bytes room(4096);
  std::size_t got = 0;
  EXPECT_EQ(server_.read(room, got), Step::done);
  EXPECT_LT(got, 16U);
  EXPECT_EQ(server_.read(room, got), Step::failed);
}

TEST_F(TlsSessionTest, ChangesOfKeysNowAndThenAreTaken) {
  Bytes room(16);
  std::size_t got = 0;
  for (int i = 0; i < 20; ++i) {
    change_keys(client_, to_server_, SSL_KEY_UPDATE_REQUESTED, 1);
    ASSERT_EQ(client_.write(as_bytes("data")), Step::done);
    pass(client_, to_server_);
    ASSERT_EQ(server_.read(room, got), Step::done);
    EXPECT_EQ(as_text(ByteView(room).first(got)), "data");
    pass(server_, to_client_);
  }
}

TEST_F(TlsSessionTest, RecordsThatHoldNextToNothingDontKeepItReading) {
  constexpr std::size_t kRecords = 64 * 1024;
  for (std::size_t i = 0; i < kRecords; ++i) {
    ASSERT_EQ(client_.write(as_bytes("x")), Step::done);
    if (i % 1024 == 0) pass(client_, to_server_);
  }
  pass(client_, to_server_);
  Bytes room(kRecords);
  std::size_t total = 0;
  int reads = 0;
  for (std::size_t got = 0; total < kRecords; total += got, ++reads) {
    const std::size_t before = to_server_.left();
    ASSERT_EQ(server_.read(room, got), Step::done);
    EXPECT_LE(before - to_server_.left(), room.size() + std::size_t{128} * 1024);
  }
  EXPECT_EQ(total, kRecords);
  EXPECT_GT(reads, 5);
}

}  // namespace
}  // namespace sp::net
