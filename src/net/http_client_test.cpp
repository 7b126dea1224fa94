#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "net/http.hpp"
#include "net/testing/raw_socket.hpp"

namespace sp::net {
namespace {

using std::chrono::milliseconds;
using testing::RawServer;
using testing::RawSocket;
using SteadyClock = std::chrono::steady_clock;

HttpClient::Options quick() {
  HttpClient::Options options;
  options.timeout = milliseconds(300);
  options.body_max = 1000;
  return options;
}

// What a client makes of one raw answer after which the server closes.
Result<HttpResponse> call_against(const std::string& answer, const std::string& method = "GET") {
  const RawServer server([&](RawSocket& peer, int) {
    peer.read_until("\r\n\r\n");
    peer.send(answer);
  });
  return HttpClient(quick()).call(method, server.url());
}

TEST(HttpClient, TalksToOurServer) {
  auto server = HttpServer::start({}, [](const HttpRequest& request) {
    HttpResponse response = text_response(201, "text/plain", request.method + request.path);
    append(response.body, request.body);
    response.headers["x-seen"] = request.headers.at("x-sent");
    return response;
  });
  ASSERT_TRUE(server);
  HttpClient client;
  const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port()) + "/path";
  const auto answer = client.call("PUT", url, as_bytes("+body"), {{"x-sent", "yes"}});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 201U);
  EXPECT_EQ(as_text(answer->body), "PUT/path+body");
  EXPECT_EQ(answer->headers.at("x-seen"), "yes");
  const auto head = client.call("HEAD", url, {}, {{"x-sent", ""}});
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_TRUE(head->body.empty());
  EXPECT_EQ(head->headers.at("content-length"), "9");
}

// Sends a body in pieces with pauses, and tells what a client with 300 ms of patience makes of it.
Result<HttpResponse> call_slowly(std::size_t piece, int pieces, std::size_t slowest) {
  const RawServer server([=](RawSocket& peer, int) {
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(piece * std::size_t(pieces)) +
              "\r\n\r\n");
    for (int i = 0; i < pieces && peer.send(std::string(piece, 'x')); ++i) {
      std::this_thread::sleep_for(milliseconds(60));
    }
  });
  auto options = quick();
  options.body_max = 1 << 20;
  options.slowest = slowest;
  return HttpClient(options).call("GET", server.url());
}

TEST(HttpClient, ASlowLineIsWaitedForAndATrickleIsNot) {
  const auto slow = call_slowly(20'000, 10, 100'000);  // 600 ms; 200,000 bytes give two seconds
  ASSERT_TRUE(slow) << slow.error().message;
  EXPECT_EQ(slow->body.size(), 200'000U);
  EXPECT_EQ(call_slowly(20'000, 10, 0).error().code, Errc::timed_out);
  EXPECT_EQ(call_slowly(20, 10, 100'000).error().code, Errc::timed_out);
}

class Collector final : public BodyReceiver {
 public:
  Status begin(const HttpResponse& head) override {
    status = head.status;
    return {};
  }
  Status take(ByteView bytes) override {
    if (taken.size() + bytes.size() > max) return Error{Errc::too_large, "enough"};
    append(taken, bytes);
    return {};
  }
  unsigned status = 0;
  std::size_t max = SIZE_MAX;
  Bytes taken;
};

TEST(HttpClient, HandsOnABodyAsItComes) {
  Bytes body(1 << 20);
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<std::uint8_t>(i * 7 >> 3);
  auto server = HttpServer::start({}, [&](const HttpRequest& request) {
    HttpResponse response;
    if (request.path == "/none") return text_response(404, "text/plain", "nothing");
    if (request.path != "/empty") response.body = body;
    response.headers["etag"] = "\"x\"";
    return response;
  });
  ASSERT_TRUE(server);
  const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port());
  HttpClient client;
  for (int i = 0; i < 2; ++i) {  // the second time on the same connection
    Collector got;
    const auto answer = client.download(url + "/", {}, got);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->headers.at("etag"), "\"x\"");
    EXPECT_TRUE(answer->body.empty());
    EXPECT_EQ(got.taken, body);
  }
  Collector empty;
  EXPECT_EQ(client.download(url + "/empty", {}, empty)->status, 200U);
  EXPECT_EQ(empty.status, 200U);
  Collector none;
  EXPECT_EQ(as_text(client.download(url + "/none", {}, none)->body), "nothing");
  EXPECT_EQ(none.status, 0U);
  Collector little;
  little.max = 100'000;
  EXPECT_EQ(client.download(url + "/", {}, little).error().code, Errc::too_large);
}

TEST(HttpClient, WhatCameBeforeABreakIsTheReceivers) {
  const RawServer server([&](RawSocket& peer, int) {
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 206 Partial\r\ncontent-length: 900\r\n\r\n" + std::string(333, 'x'));
  });
  Collector got;
  EXPECT_EQ(HttpClient(quick()).download(server.url(), {}, got).error().code, Errc::unavailable);
  EXPECT_EQ(got.taken, Bytes(333, 'x'));
  const RawServer large([&](RawSocket& peer, int) {
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n" + std::string(1001, 'x'));
  });
  EXPECT_EQ(HttpClient(quick()).download(large.url(), {}, got).error().code, Errc::too_large);
}

TEST(HttpClient, ManyThreadsShareOneClient) {
  std::atomic<int> calls = 0;
  auto server = HttpServer::start({}, [&](const HttpRequest& request) {
    ++calls;
    return text_response(200, "text/plain", as_text(request.body));
  });
  ASSERT_TRUE(server);
  HttpClient client;
  const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port());
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string body = std::to_string(t) + ":" + std::to_string(i);
        const auto answer = client.call("POST", url, as_bytes(body));
        if (answer && as_text(answer->body) == body) ++right;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 400);
  EXPECT_EQ(calls, 400);
}

TEST(HttpClient, ALoopbackCallIsFast) {
  auto server = HttpServer::start({}, [](const HttpRequest&) { return HttpResponse{}; });
  ASSERT_TRUE(server);
  HttpClient client;
  const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port());
  ASSERT_TRUE(client.call("GET", url));
  std::vector<std::chrono::nanoseconds> times;
  for (int i = 0; i < 501; ++i) {
    const auto begin = SteadyClock::now();
    ASSERT_TRUE(client.call("GET", url));
    times.push_back(SteadyClock::now() - begin);
  }
  std::nth_element(times.begin(), times.begin() + 250, times.end());
  const auto median = std::chrono::duration_cast<std::chrono::microseconds>(times[250]).count();
  RecordProperty("median_us", static_cast<int>(median));
  std::printf("a loopback call takes %ld us (median of 501)\n", static_cast<long>(median));
  EXPECT_LT(median, 2000);  // far above what is measured: the machine may be busy
}

TEST(HttpClient, ReplacesAStaleConnectionOnce) {
  std::atomic<int> connections = 0;
  const RawServer server([&](RawSocket& peer, int) {
    ++connections;
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    // The next request of a kept connection is read and not answered.
    peer.read_until("\r\n\r\n", 50);
  });
  HttpClient client(quick());
  ASSERT_TRUE(client.call("GET", server.url()));
  const auto again = client.call("GET", server.url());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(connections, 2);
}

TEST(HttpClient, DoesntRetryOnAFreshConnection) {
  std::atomic<int> connections = 0;
  const RawServer server([&](RawSocket& peer, int) {
    ++connections;
    peer.read_until("\r\n\r\n");
  });
  const auto answer = HttpClient(quick()).call("GET", server.url());
  EXPECT_EQ(answer.error().code, Errc::unavailable);
  EXPECT_EQ(connections, 1);
}

TEST(HttpClient, UnderstandsAnyLegalFraming) {
  const auto body = [](const std::string& answer) {
    const auto response = call_against(answer);
    return response ? std::string(as_text(response->body)) : response.error().message;
  };
  EXPECT_EQ(
      body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
      "abc");
  EXPECT_EQ(body("HTTP/1.0 200 OK\r\n\r\nuntil the end"), "until the end");
  EXPECT_EQ(body("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                 "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
            "x");
  EXPECT_EQ(call_against("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")->status, 404U);
}

TEST(HttpClient, RefusesHostileAnswers) {
  const auto code = [](const std::string& answer) {
    const auto response = call_against(answer);
    return response ? "answered" : std::string(errc_name(response.error().code));
  };
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  EXPECT_EQ(code("rubbish\r\n\r\n"), "malformed");
  EXPECT_EQ(code(ok + "Content-Length: 9\r\n\r\nshort"), "unavailable");
  EXPECT_EQ(code(ok + "Content-Length: 1001\r\n\r\n"), "too_large");
  EXPECT_EQ(code(ok + "Content-Length: 1001\r\n\r\n" + std::string(1001, 'a')), "too_large");
  EXPECT_EQ(code(ok + "Content-Length: 9999999999999999\r\n\r\na"), "too_large");
  EXPECT_EQ(code(ok + "Content-Length: 99999999999999999999\r\n\r\n"), "malformed");
  EXPECT_EQ(code(ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), "malformed");
  EXPECT_EQ(code(ok + "\r\n" + std::string(1001, 'a')), "too_large");
  EXPECT_EQ(code(ok + "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n"), "too_large");
  EXPECT_EQ(code(ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"), "malformed");
  EXPECT_EQ(code(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nab"), "unavailable");
  EXPECT_EQ(code(ok + "X: " + std::string(kHeaderSizeMax, 'a')), "too_large");
  std::string interim;
  for (int i = 0; i < 20; ++i) interim += "HTTP/1.1 102 Processing\r\n\r\n";
  EXPECT_EQ(code(interim), "malformed");
  for (const char* status : {"000", "099", "600", "999"}) {
    EXPECT_EQ(code("HTTP/1.1 " + std::string(status) + " ?\r\nContent-Length: 0\r\n\r\n"),
              "malformed");
  }
  EXPECT_EQ(code(""), "unavailable");
}

TEST(HttpClient, DoesntReuseAConnectionWithBytesLeftOver) {
  std::atomic<int> connections = 0;
  const RawServer server([&](RawSocket& peer, int) {
    ++connections;
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n");
    peer.send("Content-Length: 5\r\n\r\nforge");
  });
  HttpClient client(quick());
  for (int i = 0; i < 2; ++i) {
    const auto answer = client.call("GET", server.url());
    ASSERT_TRUE(answer);
    EXPECT_EQ(as_text(answer->body), "ok");
  }
  EXPECT_EQ(connections, 2);
}

TEST(HttpClient, OneDeadlineCoversTheWholeCall) {
  std::atomic<bool> stop = false;
  const RawServer dribbling([&](RawSocket& peer, int) {
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n");
    while (!stop && peer.send("a")) std::this_thread::sleep_for(milliseconds(20));
  });
  const auto begin = SteadyClock::now();
  const auto answer = HttpClient(quick()).call("GET", dribbling.url());
  EXPECT_EQ(answer.error().code, Errc::timed_out);
  EXPECT_LT(SteadyClock::now() - begin, milliseconds(1500));
  stop = true;
  const RawServer deaf([](RawSocket& peer, int) { peer.read_until("never", 600); });
  EXPECT_EQ(HttpClient(quick()).call("GET", deaf.url()).error().code, Errc::timed_out);
}

TEST(HttpClient, HearsARefusalBeforeTheBodyIsSent) {
  const RawServer server([](RawSocket& peer, int) {
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    std::this_thread::sleep_for(milliseconds(100));
  });
  const Bytes body(32 << 20, 'x');
  const auto answer = HttpClient().call("POST", server.url(), body);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 413U);
}

TEST(HttpClient, SaysThatNobodyIsThere) {
  std::uint16_t port = 0;
  {
    const RawServer gone([](RawSocket&, int) {});
    port = gone.port();
  }
  HttpClient client(quick());
  const std::string url = "http://127.0.0.1:" + std::to_string(port);
  EXPECT_EQ(client.call("GET", url).error().code, Errc::unavailable);
  EXPECT_EQ(client.call("GET", "http://[::1").error().code, Errc::malformed);
  EXPECT_EQ(client.call("GET", "ftp://127.0.0.1/").error().code, Errc::unsupported);
  EXPECT_EQ(client.call("BAD METHOD", url).error().code, Errc::malformed);
  EXPECT_EQ(client.call("GET", url, {}, {{"a", "b\r\nc: d"}}).error().code, Errc::malformed);
}

}  // namespace
}  // namespace sp::net
