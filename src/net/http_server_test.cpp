#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <thread>

#include "net/http.hpp"
#include "net/testing/raw_socket.hpp"

namespace sp::net {
namespace {

using std::chrono::milliseconds;
using testing::RawSocket;
using SteadyClock = std::chrono::steady_clock;

HttpResponse echo(const HttpRequest& request) {
  if (request.path == "/throw") throw std::runtime_error("thrown on purpose");
  if (request.path == "/field") {
    HttpResponse response;
    response.headers["x-bad"] = "a\r\nb: c";
    return response;
  }
  if (request.path == "/big") return text_response(200, "text/plain", std::string(4 << 20, 'b'));
  if (request.path == "/none") return HttpResponse{204, {}, {}};
  std::string text = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) text += " " + name + "=" + value;
  return text_response(200, "text/plain", text + "\n" + std::string(as_text(request.body)));
}

class HttpServerTest : public ::testing::Test {
 protected:
  void start(HttpServer::Handler handler = echo) {
    auto started = HttpServer::start(options, std::move(handler));
    ASSERT_TRUE(started) << started.error().message;
    server = std::move(*started);
  }
  std::string ask(std::string_view text) {
    RawSocket peer = RawSocket::connect(server->port());
    peer.send(text);
    peer.end_sending();
    return peer.read_all();
  }
  static unsigned status(std::string_view answer) {
    return answer.starts_with("HTTP/1.1 ") ? unsigned(std::stoul(std::string(answer.substr(9, 3))))
                                           : 0;
  }

  HttpServer::Options options;
  std::unique_ptr<HttpServer> server;
};

TEST_F(HttpServerTest, HoldsOnlySoManyBytes) {
  options.body_max = 1000;
  options.bytes_in_flight_max = 2500;
  start();
  // Two whose bodies are announced and don't come hold the room of their bodies.
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n";
  RawSocket first = RawSocket::connect(server->port());
  RawSocket second = RawSocket::connect(server->port());
  first.send(post + "Content-Length: 1000\r\n\r\n");
  EXPECT_EQ(status(first.read_until("\r\n\r\n")), 100U);
  second.send(post + "Transfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(status(second.read_until("\r\n\r\n")), 100U);
  const std::string third = ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 501\r\n\r\n");
  EXPECT_EQ(status(third), 503U);
  EXPECT_NE(third.find("retry-after: 1\r\n"), std::string::npos);
  EXPECT_EQ(status(ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")), 200U);
  // Room comes back with the answer.
  first.send(std::string(1000, 'x'));
  EXPECT_EQ(status(first.read_until("\r\n\r\n")), 200U);
  EXPECT_EQ(status(ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 501\r\n\r\n" +
                       std::string(501, 'x'))),
            200U);
}

TEST_F(HttpServerTest, OnePeerDoesntTakeAllBytes) {
  options.count_loopback = true;
  options.body_max = 1000;
  options.bytes_in_flight_max = 4000;
  start();
  const auto post_from = [&](const char* address) {
    RawSocket peer = RawSocket::connect(server->port(), address);
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n");
    return peer;
  };
  RawSocket first = post_from("127.0.0.2");
  EXPECT_EQ(status(first.read_until("\r\n\r\n")), 100U);
  RawSocket second = post_from("127.0.0.2");
  EXPECT_EQ(status(second.read_until("\r\n\r\n")), 503U);
  RawSocket other = post_from("127.0.0.3");
  EXPECT_EQ(status(other.read_until("\r\n\r\n")), 100U);
  // Room comes back with the answer.
  first.send(std::string(1000, 'x'));
  EXPECT_EQ(status(first.read_until("\r\n\r\n")), 200U);
  RawSocket third = post_from("127.0.0.2");
  EXPECT_EQ(status(third.read_until("\r\n\r\n")), 100U);
}

TEST_F(HttpServerTest, AnswersThatNobodyReadsDontTakeAllBytes) {
  constexpr std::size_t kAnswer = 16 << 20;  // more than sockets take
  options.count_loopback = true;
  options.body_max = 24 << 20;
  options.bytes_in_flight_max = 40 << 20;
  std::atomic<unsigned> answered = 0;
  start([&](const HttpRequest& request) {
    ++answered;
    return text_response(200, "text/plain", std::string(request.path == "/" ? 2 : kAnswer, 'a'));
  });
  const auto get_from = [&](const char* address, const std::string& path = "/large") {
    RawSocket peer = RawSocket::connect(server->port(), address);
    peer.send("GET " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    return peer;
  };
  RawSocket deaf = get_from("127.0.0.2");
  EXPECT_EQ(status(deaf.read_until("\r\n\r\n")), 200U);
  RawSocket beyond = get_from("127.0.0.2");
  EXPECT_EQ(status(beyond.read_all()), 503U);
  EXPECT_EQ(status(get_from("127.0.0.2", "/").read_all()), 200U);
  RawSocket other = get_from("127.0.0.3");
  EXPECT_EQ(status(other.read_until("\r\n\r\n")), 200U);
  // All together have an end as well; small answers don't.
  EXPECT_EQ(status(get_from("127.0.0.4").read_all()), 503U);
  EXPECT_EQ(status(get_from("127.0.0.4", "/").read_all()), 200U);
  EXPECT_EQ(answered, 6U);
}

TEST_F(HttpServerTest, OnePeerDoesntTakeAllWorkers) {
  options.count_loopback = true;
  options.workers = 3;
  std::latch go_on(1);
  std::atomic<unsigned> under_way = 0;
  start([&](const HttpRequest& request) {
    if (request.path == "/dear") {
      ++under_way;
      go_on.wait();
    }
    return text_response(200, "text/plain", "done");
  });
  const auto ask_from = [&](const char* address, const std::string& path) {
    RawSocket peer = RawSocket::connect(server->port(), address);
    peer.send("GET " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    return peer;
  };
  std::vector<RawSocket> greedy;
  for (int i = 0; i < 10; ++i) greedy.push_back(ask_from("127.0.0.2", "/dear"));
  for (int i = 0; i < 500 && under_way < 2; ++i) std::this_thread::sleep_for(milliseconds(10));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(status(ask_from("127.0.0.3", "/").read_all()), 200U);
  EXPECT_EQ(under_way, 2U);
  go_on.count_down();
  for (RawSocket& peer : greedy) EXPECT_EQ(status(peer.read_all()), 200U);
}

TEST_F(HttpServerTest, AnswersAndKeepsTheConnection) {
  start();
  RawSocket peer = RawSocket::connect(server->port());
  for (int i = 0; i < 3; ++i) {
    peer.send("POST /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody");
    const std::string answer = peer.read_until("body");
    EXPECT_EQ(status(answer), 200U);
    EXPECT_NE(answer.find("POST /a b x=1\nbody"), std::string::npos) << answer;
  }
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  RawSocket peer = RawSocket::connect(server->port());
  std::string requests;
  for (int i = 0; i < 20; ++i) {
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  }
  peer.send(requests + "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string answers = peer.read_all();
  std::size_t at = 0;
  for (int i = 0; i < 20; ++i) {
    at = answers.find("GET /" + std::to_string(i) + "\n", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_NE(answers.find("GET /last\n", at), std::string::npos);
  EXPECT_TRUE(peer.closed());
}

TEST_F(HttpServerTest, ReadsBodiesOfAnySizeAndWhatComesBehindThem) {
  options.body_max = 1 << 20;
  start();
  for (const std::size_t size : {1U, 4096U, 131'071U, 131'072U, 131'073U, 300'000U, 1U << 20}) {
    std::string body(size, '.');
    for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>('a' + i % 23);
    const std::string answer =
        ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
            body + "POST /behind HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxy");
    EXPECT_NE(answer.find("POST /\n" + body + "HTTP/1.1 200"), std::string::npos) << size;
    EXPECT_TRUE(answer.ends_with("POST /behind\nxy")) << size;
  }
}

TEST_F(HttpServerTest, ReadsChunkedBodies) {
  start();
  const std::string answer =
      ask("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
          "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n");
  EXPECT_EQ(status(answer), 200U);
  EXPECT_NE(answer.find("\nabcdefg"), std::string::npos) << answer;
}

TEST_F(HttpServerTest, SpeaksHttp10AndHeadAndContinue) {
  start();
  const std::string old = ask("GET /old HTTP/1.0\r\n\r\n");
  EXPECT_EQ(status(old), 200U);
  const std::string head = ask("HEAD /h HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(status(head), 200U);
  EXPECT_NE(head.find("ontent-"), std::string::npos);
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
  RawSocket peer = RawSocket::connect(server->port());
  peer.send("POST /c HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(status(peer.read_until("\r\n\r\n")), 100U);
  peer.send("ok");
  EXPECT_EQ(status(peer.read_until("ok")), 200U);
  const std::string none = ask("GET /none HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(status(none), 204U);
  EXPECT_EQ(none.find("ontent-"), std::string::npos) << none;
}

TEST_F(HttpServerTest, RefusesWhatIsntHttp) {
  options.body_max = 100;
  start();
  const std::string host = " HTTP/1.1\r\nHost: h\r\n";
  const std::pair<std::string, unsigned> cases[] = {
      {"rubbish\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/3.7\r\nHost: h\r\n\r\n", 400},
      {"GET /%00" + host + "\r\n", 400},
      {"GET /../etc/passwd" + host + "\r\n", 400},
      {"GET http://h/" + host + "\r\n", 400},
      {"POST /" + host + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400},
      {"POST /" + host + "Content-Length: -1\r\n\r\n", 400},
      {"POST /" + host + "Content-Length: 99999999999999999999\r\n\r\n", 400},
      {"POST /" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST /" + host + "Transfer-Encoding: gzip\r\n\r\nabc", 400},
      {"POST /" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"POST /" + host + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n", 400},
      {"POST /" + host + "Content-Length: 101\r\n\r\n", 413},
      {"POST /" + host + "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", 413},
      {"GET /" + std::string(kTargetSizeMax, 'a') + host + "\r\n", 414},
      {"GET /" + std::string(kHeaderSizeMax, 'a') + host + "\r\n", 414},
      {"GET /" + host + "X: " + std::string(kHeaderSizeMax, 'a') + "\r\n\r\n", 431},
      {"GET /" + host + "Expect: miracles\r\n\r\n", 417},
      {"GET /throw" + host + "\r\n", 500},
      {"GET /field" + host + "\r\n", 500},
  };
  for (const auto& [request, expected] : cases) {
    const std::string answer = ask(request);
    EXPECT_EQ(status(answer), expected) << request.substr(0, 120) << "\n" << answer;
  }
}

TEST_F(HttpServerTest, StopsAHeaderBombWithoutReadingItAll) {
  start();
  RawSocket peer = RawSocket::connect(server->port());
  peer.send("GET / HTTP/1.1\r\nHost: h\r\n");
  std::size_t sent = 0;
  while (sent < (std::size_t{64} << 20) && peer.send("x: " + std::string(1000, 'a') + "\r\n")) {
    sent += 1005;
  }
  EXPECT_LT(sent, std::size_t{32} << 20);
}

TEST_F(HttpServerTest, ClosesOnTruncatedRequests) {
  start();
  EXPECT_EQ(ask("GET / HT"), "");
  EXPECT_EQ(ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nshort"), "");
  EXPECT_EQ(ask("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"), "");
  EXPECT_EQ(ask(""), "");
}

TEST_F(HttpServerTest, ClosesSlowPeers) {
  options.transfer_timeout = milliseconds(150);
  options.idle_timeout = milliseconds(150);
  start();
  RawSocket silent = RawSocket::connect(server->port());
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_TRUE(silent.closed());
  // One byte at a time is progress, but a header must be whole within the limit.
  RawSocket slow = RawSocket::connect(server->port());
  const auto begin = SteadyClock::now();
  const std::string request = "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(200, 'a');
  for (const char character : request) {
    slow.send({&character, 1});
    if (slow.read_until("x", 20); slow.closed()) break;
  }
  EXPECT_TRUE(slow.closed());
  EXPECT_LT(SteadyClock::now() - begin, milliseconds(2000));
  RawSocket stuck = RawSocket::connect(server->port());
  stuck.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nabc");
  EXPECT_EQ(stuck.read_all(), "");
  EXPECT_TRUE(stuck.closed());
  // A peer that asks for much and takes nothing.
  RawSocket deaf = RawSocket::connect(server->port());
  std::string many;
  for (int i = 0; i < 10; ++i) many += "GET /big HTTP/1.1\r\nHost: h\r\n\r\n";
  deaf.send(many);
  std::this_thread::sleep_for(milliseconds(600));
  EXPECT_LT(deaf.read_all().size(), std::size_t{40} << 20);
  EXPECT_TRUE(deaf.closed());
}

TEST_F(HttpServerTest, RefusesConnectionsBeyondTheLimit) {
  start();
  std::vector<RawSocket> peers;
  for (std::size_t i = 0; i < kConnectionsMax; ++i) {
    peers.push_back(RawSocket::connect(server->port()));
  }
  peers.back().send("GET /in HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(status(peers.back().read_until("/in")), 200U);
  RawSocket beyond = RawSocket::connect(server->port());
  EXPECT_EQ(status(beyond.read_all()), 503U);
  peers.pop_back();
  // The server hears of the close in its own time.
  unsigned seen = 0;
  for (int tries = 0; tries < 100 && seen != 200; ++tries) {
    RawSocket later = RawSocket::connect(server->port());
    later.send("GET /again HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    seen = status(later.read_all());
  }
  EXPECT_EQ(seen, 200U);
}

TEST_F(HttpServerTest, StopsWithinASecondWithConnectionsOpen) {
  std::mutex mutex;
  std::condition_variable entered;
  bool inside = false;
  options.workers = 2;
  start([&](const HttpRequest& request) {
    if (request.path == "/wait") {
      {
        const std::lock_guard lock(mutex);
        inside = true;
      }
      entered.notify_all();
      std::this_thread::sleep_for(milliseconds(200));
    }
    return text_response(200, "text/plain", "done");
  });
  RawSocket idle = RawSocket::connect(server->port());
  idle.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
  idle.read_until("done");
  RawSocket half = RawSocket::connect(server->port());
  half.send("GET /2 HTTP/1.1\r\nHo");
  RawSocket busy = RawSocket::connect(server->port());
  busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  {
    std::unique_lock lock(mutex);
    entered.wait(lock, [&] { return inside; });
  }
  const auto begin = SteadyClock::now();
  server.reset();
  EXPECT_LT(SteadyClock::now() - begin, milliseconds(1000));
  EXPECT_NE(busy.read_all().find("done"), std::string::npos);
  EXPECT_EQ(idle.read_all(), "");
}

TEST_F(HttpServerTest, SaysWhyItCantListen) {
  start();
  HttpServer::Options taken;
  taken.port = server->port();
  EXPECT_EQ(HttpServer::start(taken, echo).error().code, Errc::io);
  HttpServer::Options named;
  named.address = "localhost.example";
  EXPECT_EQ(HttpServer::start(named, echo).error().code, Errc::usage);
}

TEST_F(HttpServerTest, OnePeerDoesntTakeAllConnections) {
  options.count_loopback = true;
  options.connections_per_peer_max = 3;
  start();
  const auto ask_from = [&](const char* address) {
    return RawSocket::connect(server->port(), address);
  };
  std::vector<RawSocket> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(ask_from("127.0.0.2"));
    held.back().send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(status(held.back().read_until("GET /x\n")), 200U);
  }
  RawSocket beyond = ask_from("127.0.0.2");
  const std::string refused = beyond.read_all();
  EXPECT_EQ(status(refused), 503U);
  EXPECT_NE(refused.find("retry-after: 1\r\n"), std::string::npos);
  EXPECT_NE(refused.find("too many connections from this address; try again in 1 s"),
            std::string::npos);
  RawSocket other = ask_from("127.0.0.3");
  other.send("GET /y HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(status(other.read_all()), 200U);
  held.clear();
  // The places are free again, as soon as the server has seen the ends.
  for (int i = 0; i < 200; ++i) {
    RawSocket again = ask_from("127.0.0.2");
    again.send("GET /z HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    if (status(again.read_all()) == 200U) return;
    std::this_thread::sleep_for(milliseconds(10));
  }
  FAIL() << "no place became free";
}

}  // namespace
}  // namespace sp::net
