#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "crypto/certificate.hpp"
#include "net/http.hpp"
#include "net/testing/raw_socket.hpp"
#include "net/testing/tls_files.hpp"

namespace sp::net {
namespace {

using std::chrono::milliseconds;
using testing::RawServer;
using testing::RawSocket;
using testing::ServerFiles;
using testing::TlsFiles;

HttpResponse echo(const HttpRequest& request) {
  HttpResponse response = text_response(200, "text/plain", request.method + request.path + " ");
  append(response.body, request.body);
  return response;
}

std::unique_ptr<HttpServer> serve(const ServerFiles& files, HttpServer::Handler handler = echo) {
  HttpServer::Options options;
  options.certificate_file = files.certificate;
  options.key_file = files.key;
  options.body_max = 16 << 20;
  return HttpServer::start(options, std::move(handler)).value();
}

std::string https(const HttpServer& server, const std::string& host) {
  return "https://" + host + ":" + std::to_string(server.port()) + "/path";
}

HttpClient::Options trusting(const std::string& ca_file) {
  HttpClient::Options options;
  options.timeout = milliseconds(5000);
  options.ca_file = ca_file;
  return options;
}

// One certificate authority for all: keys take their time.
class Tls : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { files_ = std::make_unique<TlsFiles>(); }
  static void TearDownTestSuite() { files_.reset(); }
  static const TlsFiles& files() { return *files_; }

 private:
  static inline std::unique_ptr<TlsFiles> files_;
};

void expect_error(const Result<HttpResponse>& answer, Errc code, const std::string& message) {
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(errc_name(answer.error().code), errc_name(code));
  EXPECT_EQ(answer.error().message, message);
}

TEST_F(Tls, TalksToOurServerByNameAndByAddress) {
  const auto server = serve(files().server("good", "DNS:localhost,IP:127.0.0.1"));
  HttpClient client(trusting(files().ca_file()));
  for (const std::string host : {"localhost", "127.0.0.1"}) {
    const auto answer = client.call("PUT", https(*server, host), as_bytes("body"));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(as_text(answer->body), "PUT/path body");
  }
}

TEST_F(Tls, ManyThreadsShareOneClient) {
  const auto server = serve(files().server("many", "IP:127.0.0.1"));
  HttpClient client(trusting(files().ca_file()));
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const std::string body = std::to_string(t) + ":" + std::to_string(i);
        const auto answer = client.call("POST", https(*server, "127.0.0.1"), as_bytes(body));
        if (answer && as_text(answer->body) == "POST/path " + body) ++right;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 80);
}

TEST_F(Tls, CarriesLargeBodiesBothWays) {
  const auto server = serve(files().server("large", "IP:127.0.0.1"));
  HttpClient client(trusting(files().ca_file()));
  const Bytes body(8 << 20, 'x');
  const auto answer = client.call("POST", https(*server, "127.0.0.1"), body);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body.size(), body.size() + std::string("POST/path ").size());
}

TEST_F(Tls, KeepsAConnection) {
  const auto server = serve(files().server("kept", "IP:127.0.0.1"));
  HttpClient client(trusting(files().ca_file()));
  ASSERT_TRUE(client.call("GET", https(*server, "127.0.0.1")));
  std::vector<std::chrono::nanoseconds> times;
  for (int i = 0; i < 101; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(client.call("GET", https(*server, "127.0.0.1")));
    times.push_back(std::chrono::steady_clock::now() - begin);
  }
  std::nth_element(times.begin(), times.begin() + 50, times.end());
  // A handshake takes milliseconds; a call over a kept connection doesn't.
  EXPECT_LT(times[50], milliseconds(2));
}

// Our own certificates of one host have one name.
TEST_F(Tls, ReachesEachOfTwoServersOfOneHost) {
  const sp::testing::TemporaryFolder folder;
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::array<std::string, 2> certificates;
  std::array<std::unique_ptr<HttpServer>, 2> servers;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto made = crypto::make_server_certificate({"127.0.0.1"}, now);
    ASSERT_TRUE(made.ok());
    certificates.at(i) = made->certificate;
    const std::string name = folder / std::to_string(i);
    std::ofstream(name + ".pem") << made->certificate;
    std::ofstream(name + ".key") << as_text(made->key.reveal());
    servers.at(i) = serve({name + ".pem", name + ".key"});
  }
  for (const auto& [first, second] : {std::pair(0U, 1U), std::pair(1U, 0U)}) {
    const std::string ca_file = folder / "ca.pem";
    std::ofstream(ca_file) << certificates.at(first) << certificates.at(second);
    HttpClient client(trusting(ca_file));
    for (const auto& server : servers) {
      const auto answer = client.call("GET", https(*server, "127.0.0.1"));
      EXPECT_TRUE(answer) << first << " first: " << answer.error().message;
    }
  }
}

TEST_F(Tls, RefusesAnotherHost) {
  const auto server = serve(files().server("other", "DNS:example.org"));
  HttpClient client(trusting(files().ca_file()));
  const std::string port = std::to_string(server->port());
  // The subject's common name is localhost, and doesn't count.
  expect_error(client.call("GET", https(*server, "localhost")), Errc::refused,
               "localhost port " + port + ": its certificate doesn't hold: hostname mismatch");
  expect_error(client.call("GET", https(*server, "127.0.0.1")), Errc::refused,
               "127.0.0.1 port " + port + ": its certificate doesn't hold: IP address mismatch");
}

TEST_F(Tls, RefusesAnUnknownAuthority) {
  const auto server = serve(files().server("unknown", "IP:127.0.0.1"));
  const TlsFiles others;
  const std::string message =
      "127.0.0.1 port " + std::to_string(server->port()) +
      ": its certificate doesn't hold: unable to get local issuer certificate";
  for (const std::string& ca_file : {others.ca_file(), std::string()}) {
    HttpClient client(trusting(ca_file));
    expect_error(client.call("GET", https(*server, "127.0.0.1")), Errc::refused, message);
  }
}

TEST_F(Tls, TrustsTheSystemsAuthoritiesBesidesItsOwn) {
  const TlsFiles others;
  const auto public_server = serve(files().server("public", "IP:127.0.0.1"));
  const auto own_server = serve(others.server("own", "IP:127.0.0.1"));
  ASSERT_EQ(::setenv("SSL_CERT_FILE", files().ca_file().c_str(), 1), 0);
  HttpClient client(trusting(others.ca_file()));
  for (const auto* server : {public_server.get(), own_server.get()}) {
    const auto answer = client.call("GET", https(*server, "127.0.0.1"));
    EXPECT_TRUE(answer) << answer.error().message;
  }
  ::unsetenv("SSL_CERT_FILE");
}

TEST_F(Tls, RefusesAnExpiredCertificate) {
  const auto server = serve(files().server("expired", "IP:127.0.0.1", -1));
  HttpClient client(trusting(files().ca_file()));
  expect_error(client.call("GET", https(*server, "127.0.0.1")), Errc::refused,
               "127.0.0.1 port " + std::to_string(server->port()) +
                   ": its certificate doesn't hold: certificate has expired");
}

TEST_F(Tls, SaysWhenTheOtherSideDoesntSpeakIt) {
  const auto plain = HttpServer::start({}, echo).value();
  HttpClient client(trusting(files().ca_file()));
  const auto answer = client.call("GET", https(*plain, "127.0.0.1"));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Errc::unavailable);
  EXPECT_NE(answer.error().message.find("TLS: "), std::string::npos) << answer.error().message;

  const auto tls = serve(files().server("tls", "IP:127.0.0.1"));
  const std::string url = "http://127.0.0.1:" + std::to_string(tls->port()) + "/";
  EXPECT_FALSE(HttpClient(trusting("")).call("GET", url).ok());
}

TEST_F(Tls, AHandshakeHasTheCallsDeadline) {
  const RawServer deaf([](RawSocket& peer, int) { peer.read_until("never", 600); });
  HttpClient::Options options = trusting(files().ca_file());
  options.timeout = milliseconds(200);
  const std::string url = "https://127.0.0.1:" + std::to_string(deaf.port());
  expect_error(HttpClient(options).call("GET", url), Errc::timed_out,
               "127.0.0.1 port " + std::to_string(deaf.port()) + ": no answer within the limit");
}

TEST_F(Tls, TheServerEndsASlowHandshake) {
  const ServerFiles pair = files().server("slow", "IP:127.0.0.1");
  HttpServer::Options options;
  options.certificate_file = pair.certificate;
  options.key_file = pair.key;
  options.transfer_timeout = milliseconds(100);
  const auto server = HttpServer::start(options, echo).value();
  RawSocket silent = RawSocket::connect(server->port());
  silent.read_all();
  EXPECT_TRUE(silent.closed());
}

TEST_F(Tls, SaysToSoManyThatItIsBusy) {
  HttpServer::Options options;
  const ServerFiles server_files = files().server("busy", "IP:127.0.0.1");
  options.certificate_file = server_files.certificate;
  options.key_file = server_files.key;
  options.connections_per_peer_max = 1;
  options.count_loopback = true;
  const auto server = *HttpServer::start(options, echo);
  const RawSocket holder = RawSocket::connect(server->port());
  const auto ask = [&] {
    HttpClient client(trusting(files().ca_file()));
    return client.call("GET", https(*server, "127.0.0.1"));
  };
  const auto busy = ask();
  ASSERT_TRUE(busy) << busy.error().message;
  EXPECT_EQ(busy->status, 503U);
  EXPECT_EQ(busy->headers.at("retry-after"), "1");
  // Those who never shake hands take the places of those who could be told, for a while.
  constexpr int kAtOnce = 16;
  std::vector<RawSocket> silent;
  for (int i = 0; i < kAtOnce; ++i) silent.push_back(RawSocket::connect(server->port()));
  EXPECT_EQ(ask().error().code, Errc::unavailable);
  for (RawSocket& one : silent) EXPECT_EQ(one.read_all(), "") << "closed within a short time";
  const auto again = ask();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->status, 503U);
}

TEST_F(Tls, RefusesOldVersions) {
  const auto server = serve(files().server("old", "IP:127.0.0.1"));
  const auto connect = [&](const std::string& version) {
    ProcessOptions options;
    options.argv = {
        "openssl",         "s_client",           version,
        "-cipher",         "DEFAULT@SECLEVEL=0", "-CAfile",
        files().ca_file(), "-connect",           "127.0.0.1:" + std::to_string(server->port())};
    options.environment = basic_environment();
    return run_command(options, std::chrono::seconds(10), 16384).value().end.exit_code;
  };
  EXPECT_NE(connect("-tls1"), 0);
  EXPECT_NE(connect("-tls1_1"), 0);
  EXPECT_EQ(connect("-tls1_2"), 0);
  EXPECT_EQ(connect("-tls1_3"), 0);
}

TEST_F(Tls, FilesThatCantBeUsedAreTheUsersMatter) {
  const ServerFiles good = files().server("fine", "IP:127.0.0.1");
  const ServerFiles other = files().server("notits", "IP:127.0.0.1");
  const auto start = [](const std::string& certificate, const std::string& key) {
    HttpServer::Options options;
    options.certificate_file = certificate;
    options.key_file = key;
    const auto server = HttpServer::start(options, echo);
    return server ? "started" : std::string(errc_name(server.error().code));
  };
  EXPECT_EQ(start(good.certificate, ""), "usage");
  EXPECT_EQ(start("", good.key), "usage");
  EXPECT_EQ(start("/nowhere.pem", good.key), "usage");
  EXPECT_EQ(start(good.certificate, "/nowhere.key"), "usage");
  EXPECT_EQ(start(good.certificate, other.key), "usage");
  EXPECT_EQ(start(good.key, good.key), "usage");
  EXPECT_EQ(start(good.certificate, good.key), "started");

  const auto server = serve(good);
  HttpClient client(trusting("/nowhere.pem"));
  const auto answer = client.call("GET", https(*server, "127.0.0.1"));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Errc::usage);
  EXPECT_EQ(answer.error().message.find("CA file /nowhere.pem: "), 0U) << answer.error().message;
}

TEST(TlsUrl, HasItsPort) {
  const Url url = Url::parse("https://example.org/a?b").value();
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.port, 443);
  EXPECT_EQ(url.target, "/a?b");
  EXPECT_EQ(Url::parse("https://[::1]:8443").value().port, 8443);
  EXPECT_FALSE(Url::parse("http://example.org").value().tls);
  EXPECT_EQ(Url::parse("http://example.org").value().port, 80);
}

}  // namespace
}  // namespace sp::net
