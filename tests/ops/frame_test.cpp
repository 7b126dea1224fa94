// What every daemon's frame does: health, metrics, a graceful stop, words to the service manager.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/process.hpp"
#include "base/testing/temporary_folder.hpp"
#include "base/world.hpp"
#include "common/daemon.hpp"
#include "common/notify.hpp"
#include "common/store_settings.hpp"
#include "metrics_format.hpp"
#include "net/http.hpp"
#include "store/remote/promise_book.hpp"
#include "store/remote/testing/fake_s3.hpp"

namespace sp::apps {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{20'000};

// A store with a folder of its own, as a service manager runs it.
class FrameTest : public ::testing::Test {
 protected:
  FrameTest() {
    const Bytes key(32, 7);
    EXPECT_TRUE(files_.write_atomic(folder_ / "key", key, FileMode::owner_only).ok());
    manager_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = folder_ / "notify";
    std::copy(path.begin(), path.end(), address.sun_path);
    EXPECT_EQ(::bind(manager_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    timeval limit{kPatience.count() / 1000, 0};
    ::setsockopt(manager_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~FrameTest() override { process_.reset(); }

  std::string heard() {
    char text[512];
    const ssize_t size = ::recv(manager_.get(), text, sizeof text, 0);
    return size < 0 ? "nothing" : std::string(text, static_cast<std::size_t>(size));
  }

  void write_settings(const std::function<void(StoreSettings&)>& change) {
    StoreSettings settings;
    settings.folder = folder_ / "blobs";
    settings.key = folder_ / "key";
    change(settings);
    const std::string json = settings.to_json();
    ASSERT_TRUE(files_.write_atomic(folder_ / "store.json", as_bytes(json), FileMode::owner_only));
  }
  void run(std::vector<std::string> argv) {
    log_ = Fd(::open((folder_ / "log").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    ProcessOptions options;
    options.argv = std::move(argv);
    options.environment = {"NOTIFY_SOCKET=" + (folder_ / "notify").string()};
    options.descriptors = {{STDERR_FILENO, log_.get()}};
    auto process = Process::start(options);
    ASSERT_TRUE(process.ok());
    process_.emplace(std::move(*process));
  }
  void launch(std::vector<std::string> argv) {
    run(std::move(argv));
    ASSERT_EQ(heard(), "READY=1");
  }
  void start(const std::function<void(StoreSettings&)>& change = [](StoreSettings&) {}) {
    write_settings(change);
    launch(store_);
    const Json line = listening();
    port_ = static_cast<std::uint16_t>(std::stoul(line["port"].get<std::string>()));
    metrics_port_ = line["metrics_port"].get<std::string>();
  }
  Json listening() {
    std::ifstream log(folder_ / "log");
    for (std::string line; std::getline(log, line);) {
      Json json = Json::parse(line);
      if (json["event"] == "listening") return json;
    }
    return {};
  }
  net::HttpResponse get(const std::string& path, const std::string& port) {
    auto response = client_.call("GET", "http://127.0.0.1:" + port + path);
    EXPECT_TRUE(response.ok());
    return response.ok() ? *response : net::HttpResponse{};
  }
  net::HttpResponse get(const std::string& path) { return get(path, std::to_string(port_)); }

  // To the daemon; closed where it takes none.
  Fd connection() const {
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* to = reinterpret_cast<const sockaddr*>(&address);
    return ::connect(socket.get(), to, sizeof address) == 0 ? std::move(socket) : Fd();
  }

  PosixFiles files_;
  sp::testing::TemporaryFolder folder_;
  const std::vector<std::string> store_{SP_SPNODE, "store", "--config", folder_ / "store.json"};
  Fd manager_, log_;
  net::HttpClient client_;
  std::optional<Process> process_;
  std::uint16_t port_ = 0;
  std::string metrics_port_;
};

TEST_F(FrameTest, MetricsAreByTheFormatAndCount) {
  start();
  EXPECT_EQ(get("/health").status, 200U);
  EXPECT_EQ(get("/v1/blobs/" + std::string(64, 'a')).status, 404U);
  EXPECT_EQ(get("/v1/nothing/secret").status, 404U);
  const auto response = get("/metrics");
  EXPECT_EQ(response.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  testing::Exposition read;
  const std::string text(as_text(response.body));
  EXPECT_EQ(testing::read_exposition(text, "superprotocol_store_", read),
            std::vector<std::string>{});
  const std::string requests = "superprotocol_store_http_requests_total";
  EXPECT_EQ(read.samples[requests + R"({method="GET",route="/health",status="200"})"], 1);
  EXPECT_EQ(read.samples[requests + R"({method="GET",route="/v1/blobs",status="404"})"], 1);
  EXPECT_EQ(read.samples[requests + R"({method="GET",route="other",status="404"})"], 1);
  EXPECT_EQ(read.samples["superprotocol_store_healthy"], 1);
  EXPECT_GT(read.samples["superprotocol_store_resident_memory_bytes"], 1e6);
  EXPECT_GT(read.samples["superprotocol_store_open_fds"], 3);
  EXPECT_GT(read.samples["superprotocol_store_disk_free_bytes"], 0);
  EXPECT_EQ(text.find("secret"), std::string::npos);
}

TEST_F(FrameTest, TheReaderOfMetricsFindsWhatIsWrong) {
  const auto problem = [](const std::string& text) {
    testing::Exposition read;
    const auto problems = testing::read_exposition(text, "a_", read);
    return problems.empty() ? "" : problems[0];
  };
  const std::string head = "# HELP a_b Text.\n# TYPE a_b gauge\n";
  EXPECT_EQ(problem(head + "a_b 1\n"), "");
  EXPECT_EQ(problem(head + "a_b 1\na_b 2\n"), "stands twice: a_b");
  EXPECT_EQ(problem(head + "a_c 1\n"), "not of the family a_b: a_c 1");
  EXPECT_EQ(problem(head + "a_b one\n"), "no line of this format: a_b one");
  EXPECT_EQ(problem("# HELP a_b T.\n# TYPE a_b counter\n"), "no _total: a_b");
  EXPECT_EQ(problem("# HELP c_b T.\n# TYPE c_b gauge\n"), "another prefix: c_b");
  EXPECT_EQ(problem("# HELP a_h T.\n# TYPE a_h histogram\na_h_bucket{le=\"1\"} 2\n"
                    "a_h_bucket{le=\"+Inf\"} 1\na_h_sum 1\na_h_count 1\n"),
            "shrinks: a_h_bucket{le=\"+Inf\"}");
}

TEST_F(FrameTest, MetricsHaveAListenerOfTheirOwn) {
  start([](StoreSettings& settings) { settings.operation.metrics = Listen{}; });
  EXPECT_EQ(get("/metrics").status, 404U);
  EXPECT_EQ(get("/metrics", metrics_port_).status, 200U);
  EXPECT_EQ(get("/health", metrics_port_).status, 200U);
  EXPECT_EQ(get("/v1/identity", metrics_port_).status, 404U);
}

TEST_F(FrameTest, APublicListenerShowsNoMetrics) {
  start([](StoreSettings& settings) { settings.listen.address = "0.0.0.0"; });
  EXPECT_EQ(get("/metrics").status, 404U);
  EXPECT_EQ(get("/health").status, 200U);
}

TEST_F(FrameTest, WithoutStandardOutputNoFileGetsWhatIsTold) {
  write_settings([](StoreSettings&) {});
  launch({"sh", "-c", R"(exec "$0" store --config "$1" <&- >&- 2>&-)", SP_SPNODE,
          folder_ / "store.json"});
  const std::string descriptors = "/proc/" + std::to_string(process_->pid()) + "/fd/";
  for (const char* number : {"0", "1", "2"}) {
    EXPECT_EQ(std::filesystem::read_symlink(descriptors + number), "/dev/null") << number;
  }
  process_->kill(SIGTERM);
  ASSERT_TRUE(process_->wait(kPatience));
  EXPECT_TRUE(heard().starts_with("STOPPING=1"));
  EXPECT_EQ(std::filesystem::file_size(folder_ / "blobs" / "owners.log"), 0U);
  start();
}

TEST_F(FrameTest, AStoreThatCantWriteIsIll) {
  start();
  std::filesystem::remove_all(folder_ / "blobs");
  std::ofstream(folder_ / "blobs") << "in the way";
  const auto response = get("/health");
  EXPECT_EQ(response.status, 503U);
  const Json body = Json::parse(as_text(response.body));
  EXPECT_EQ(body["healthy"], false);
  EXPECT_EQ(body["reason"], "the folder can't be written");
  EXPECT_NE(as_text(get("/metrics").body).find("superprotocol_store_healthy 0\n"),
            std::string::npos);
}

class HalfSentTest : public FrameTest {
 protected:
  // What a request gets whose second half comes when the daemon has stopped listening. Empty where
  // it was cut off; `in_time` where that wasn't because its time was over.
  std::string send_half_and_stop() {
    in_time_ = false;
    const Fd socket = connection();
    const std::string first =
        "GET /health HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\nconnection: close\r\n\r\nab";
    EXPECT_EQ(::send(socket.get(), first.data(), first.size(), 0),
              static_cast<ssize_t>(first.size()));
    wait_until_read(socket);
    process_->kill(SIGTERM);
    EXPECT_TRUE(heard().starts_with("STOPPING=1\nEXTEND_TIMEOUT_USEC="));
    auto listened = Steady::now();
    while (connection().valid()) {
      listened = Steady::now();
      std::this_thread::sleep_for(milliseconds(1));
    }
    ::send(socket.get(), "cd", 2, MSG_NOSIGNAL);
    std::string answer(4096, '\0');
    const ssize_t size = ::recv(socket.get(), answer.data(), answer.size(), 0);
    in_time_ = Steady::now() - listened < net::kStopGrace;
    const auto end = process_->wait(kPatience);
    EXPECT_TRUE(end && end->exit_code == 0);
    answer.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return answer;
  }

  bool in_time_ = false;

 private:
  using Steady = std::chrono::steady_clock;

  // Until all that was sent has come to the daemon's socket, and been taken from there.
  void wait_until_read(const Fd& socket) {
    sockaddr_in own{};
    socklen_t size = sizeof own;
    EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size), 0);
    const std::string peers = in_proc(port_) + " " + in_proc(ntohs(own.sin_port)) + " ";
    const auto deadline = Steady::now() + kPatience;
    int under_way = 1;
    while (
        (::ioctl(socket.get(), SIOCOUTQ, &under_way) != 0 || under_way != 0 || !has_read(peers)) &&
        Steady::now() < deadline) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    EXPECT_LT(Steady::now(), deadline) << "the daemon doesn't read";
  }
  // "LOCAL REMOTE STATE TX:RX" in hexadecimal.
  static std::string in_proc(std::uint16_t port) {
    char text[16];
    std::snprintf(text, sizeof text, "0100007F:%04X", port);
    return text;
  }
  static bool has_read(const std::string& peers) {
    std::ifstream table("/proc/net/tcp");
    for (std::string line; std::getline(table, line);) {
      const std::size_t at = line.find(peers);
      if (at == std::string::npos) continue;
      return line.compare(line.find(':', at + peers.size()) + 1, 8, "00000000") == 0;
    }
    return false;
  }
};

// A request whose body is half there when the server stops isn't cut off: it is told when to come
// again. (Whole before that, it is answered: the daemon tells its manager, and then stops.)
TEST_F(HalfSentTest, IsToldByAStopToComeAgain) {
  std::string answer;
  // The second half has net::kStopGrace: a machine that was too slow for it begins anew.
  for (int tries = 0; tries < 5 && answer.empty() && !in_time_; ++tries) {
    start();
    answer = send_half_and_stop();
  }
  ASSERT_FALSE(answer.empty()) << "the connection was cut";
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_NE(answer.find("\r\nretry-after: 1\r\n"), std::string::npos) << answer;
}

// A store whose blobs are in a bucket that asks to be left alone for a minute, with a promise of
// before its start to read.
class BusyBucketTest : public FrameTest {
 protected:
  BusyBucketTest() {
    bucket_.any_time = true;
    bucket_.hook = [this](const net::HttpRequest&) {
      if (!std::exchange(was_asked_, true)) asked_.set_value();
      auto busy = store::testing::FakeS3::error(503, "SlowDown");
      busy.headers["retry-after"] = "60";
      return std::optional(busy);
    };
    const std::string credentials =
        "[default]\naws_access_key_id = key\naws_secret_access_key = secret\n";
    EXPECT_TRUE(files_.write_atomic(folder_ / "aws", as_bytes(credentials), FileMode::owner_only));
    EXPECT_TRUE(files_.make_folder(folder_ / "blobs").ok());
    const std::int64_t now = SystemClock().unix_seconds();
    const auto book = store::PromiseBook::open(files_, folder_ / "blobs" / "promises.log", now);
    EXPECT_TRUE((*book)->keep(store::PackageId{}, Address{}, now + 3600, now).ok());
  }
  void put_into_bucket(StoreSettings& settings) const {
    BucketSettings& bucket = settings.bucket.emplace();
    bucket.location = *store::S3Location::parse("s3://bucket/store");
    bucket.choices.endpoint = "http://127.0.0.1:" + std::to_string(bucket_.port());
    bucket.choices.credentials_file = folder_ / "aws";
  }

  std::promise<void> asked_;
  bool was_asked_ = false;  // in the hook
  store::testing::FakeS3 bucket_;
};

TEST_F(BusyBucketTest, AStopDoesntWaitForIt) {
  start([this](StoreSettings& settings) { put_into_bucket(settings); });
  ASSERT_EQ(asked_.get_future().wait_for(kPatience), std::future_status::ready);
  process_->kill(SIGTERM);
  const auto end = process_->wait(kPatience / 2);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->exit_code, 0);
  EXPECT_EQ(bucket_.asked.size(), 1U) << "once, and not again at once";
}

TEST_F(BusyBucketTest, AStartThatFailsDoesntAskIt) {
  const auto other = *net::HttpServer::start({}, [](const auto&) { return net::HttpResponse{}; });
  write_settings([&](StoreSettings& settings) {
    put_into_bucket(settings);
    settings.listen.port = other->port();
  });
  run(store_);
  const auto end = process_->wait(kPatience / 2);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->exit_code, 1);
  EXPECT_TRUE(bucket_.asked.empty());
}

// Standard error in a file, as long as this lives.
class ErrorsTo {
 public:
  explicit ErrorsTo(const Fd& file) : before_(::dup(STDERR_FILENO)) {
    EXPECT_GE(::dup2(file.get(), STDERR_FILENO), 0);
  }
  ~ErrorsTo() { ::dup2(before_.get(), STDERR_FILENO); }
  ErrorsTo(const ErrorsTo&) = delete;
  ErrorsTo& operator=(const ErrorsTo&) = delete;

 private:
  const Fd before_;
};

// A handler at work when the stop comes, and for longer than a closing listener has patience: its
// answer still comes whole. (The frame runs in this process, where a handler can be held.)
TEST_F(FrameTest, AStopWaitsForWhatIsAtWork) {
  const std::string answer(1 << 20, 'x');
  std::promise<void> at_work, stopping, go;
  DaemonFrame frame;
  frame.name = "held";
  frame.handler = [&, held = go.get_future().share()](const net::HttpRequest&) {
    at_work.set_value();
    held.wait();
    return net::text_response(200, "text/plain", answer);
  };
  frame.drain = [&] { stopping.set_value(); };
  log_ = Fd(::open((folder_ / "log").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const ErrorsTo log(log_);
  Status served;
  std::thread daemon([&] {
    block_stop_signals();
    served = serve_until_stopped(frame);
  });
  while (listening().is_null()) std::this_thread::sleep_for(milliseconds(1));
  const std::string port = listening()["port"];
  auto asked = std::async(std::launch::async, [&] { return get("/work", port); });
  at_work.get_future().wait();
  ::pthread_kill(daemon.native_handle(), SIGTERM);
  stopping.get_future().wait();
  std::this_thread::sleep_for(2 * net::kStopGrace);
  go.set_value();
  const net::HttpResponse response = asked.get();
  daemon.join();
  EXPECT_EQ(response.status, 200U);
  EXPECT_TRUE(as_text(response.body) == answer) << response.body.size();
  EXPECT_TRUE(served.ok());
}

TEST_F(FrameTest, AHangUpChangesNothing) {
  start();
  process_->kill(SIGHUP);
  EXPECT_FALSE(process_->wait(milliseconds(200)).has_value());
  EXPECT_EQ(get("/health").status, 200U);
  process_->kill(SIGINT);
  const auto end = process_->wait(kPatience);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->exit_code, 0);
}

TEST_F(FrameTest, TheLogHasALevel) {
  start([](StoreSettings& settings) { settings.operation.log_level = LogLevel::debug; });
  get("/health");
  std::ifstream log(folder_ / "log");
  const std::string text{std::istreambuf_iterator<char>(log), {}};
  EXPECT_NE(text.find(R"("event":"request","route":"/health")"), std::string::npos) << text;
}

}  // namespace
}  // namespace sp::apps
