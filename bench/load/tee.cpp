#include "tee.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/byte_stream.hpp"
#include "base/testing/must.hpp"
#include "loader/run_order.hpp"

namespace sp::bench {
namespace {

constexpr std::size_t kPiece = 64 * 1024;

std::pair<Fd, Fd> socket_pair() {
  int ends[2];
  SP_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

// Passes bytes between loader and relay and reads the frames as they pass.
class Tap {
 public:
  Tap(int loader, int relay, Moments& moments) : ends_{loader, relay}, moments_(moments) {}

  // Until one side has ended.
  void run() {
    Bytes piece(kPiece);
    while (pass(0, piece) && pass(1, piece)) {
      pollfd waits[2] = {{ends_[0], POLLIN, 0}, {ends_[1], POLLIN, 0}};
      if (::poll(waits, 2, -1) < 0 && errno != EINTR) break;
    }
    for (const int end : ends_) ::shutdown(end, SHUT_RDWR);
  }

 private:
  // Everything that has come from this side. False at its end.
  bool pass(std::size_t from, Bytes& piece) {
    for (;;) {
      const ssize_t got = ::recv(ends_[from], piece.data(), piece.size(), MSG_DONTWAIT);
      if (got < 0) return errno == EAGAIN || errno == EINTR;
      if (got == 0) return false;
      const ByteView bytes = ByteView(piece).first(static_cast<std::size_t>(got));
      parsers_[from].feed(bytes);
      read_frames(from);
      for (std::size_t sent = 0; sent < bytes.size();) {
        const ssize_t n =
            ::send(ends_[1 - from], bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) return false;
        sent += static_cast<std::size_t>(n);
      }
    }
  }

  void read_frames(std::size_t from) {
    for (;;) {
      const auto frame = parsers_[from].next();
      if (!frame || !*frame) return;
      if (from == 0 && (*frame)->type == api::FrameType::call) see_call((*frame)->body);
      if (from == 1) see_relay(**frame);
    }
  }

  void see_call(ByteView body) {
    const auto call = api::Call::decode(body);
    if (call) asked_[call->id] = {call->method, moments_.now()};
  }

  void see_relay(const api::Frame& frame) {
    if (frame.type == api::FrameType::start) {
      const api::Start start = must(api::Start::decode(frame.body));
      order_ = start.terms.order_id(start.market);
      moments_.note(order_, Moment::taken);
    }
    if (frame.type != api::FrameType::reply) return;
    const auto reply = api::Reply::decode(frame.body);
    const auto asked = reply ? asked_.find(reply->id) : asked_.end();
    if (asked == asked_.end()) return;
    const auto& [method, since] = asked->second;
    moments_.note_call(reply->error ? method + ".refused" : method, moments_.now() - since);
    if (method == "attest") moments_.note(order_, Moment::attested);
    if (method == "release") moments_.note(order_, Moment::keys);
    if (method == "put") moments_.note(order_, Moment::stored);
    if (method == "receipt") moments_.note(order_, Moment::receipt);
    asked_.erase(asked);
  }

  const std::array<int, 2> ends_;  // loader, relay
  Moments& moments_;
  std::array<api::FrameParser, 2> parsers_;  // of what comes from each
  std::map<std::uint32_t, std::pair<std::string, Time>> asked_;
  api::OrderId order_;
};

}  // namespace

class ThreadHost::Tee final : public tee::RunningTee {
 public:
  Tee(ThreadHost& host, Path folder)
      : host_(host),
        folder_(std::move(folder)),
        relay_pair_(socket_pair()),
        loader_pair_(socket_pair()) {
    tap_ = std::thread(
        [this] { Tap(loader_pair_.first.get(), relay_pair_.second.get(), host_.moments_).run(); });
    loader_ = std::thread([this] { run(); });
  }
  ~Tee() override {
    kill();
    loader_.join();
    tap_.join();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  [[nodiscard]] ByteStream& window() override { return window_stream_; }
  std::optional<tee::TeeEnd> wait(std::chrono::milliseconds limit) override {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, limit, [this] { return done_; })) return std::nullopt;
    return tee::TeeEnd{0, 0};
  }
  void kill() override { window_stream_.shut_down(); }

 private:
  void run() {
    {
      SocketStream stream(loader_pair_.second.get());
      loader::WindowClient window(stream);
      const auto start = window.receive_start();
      if (start) {
        const api::OrderId order = start->terms.order_id(start->market);
        prove::DevProver prover(must(prove::DevPlatform::decode(host_.platform_)), host_.loader_);
        // A window that is gone shows on the relay's side.
        [[maybe_unused]] const Status sent = window.finish(loader::run_order(
            *start, window, prover, settings(order), host_.clock_, host_.random_));
      }
    }
    ::shutdown(loader_pair_.second.get(), SHUT_WR);
    const std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_all();
  }

  loader::LoaderSettings settings(const api::OrderId& order) {
    loader::LoaderSettings settings;
    settings.make_workspace = [this](std::uint64_t bytes) -> Result<loader::Workspace> {
      std::filesystem::create_directories(folder_);
      return loader::Workspace::in_folder(folder_, bytes);
    };
    settings.run = [this, order](const loader::ContainerRun& run,
                                 const Clock&) -> Result<loader::ContainerEnd> {
      std::ofstream(run.spec.output / "answer.txt") << "42\n";
      host_.moments_.note(order, Moment::run);
      loader::ContainerEnd end;
      end.exit_code = 0;
      end.duration = std::chrono::milliseconds(1);
      return end;
    };
    return settings;
  }

  ThreadHost& host_;
  const Path folder_;
  const std::pair<Fd, Fd> relay_pair_;   // the relay's end, the tap's
  const std::pair<Fd, Fd> loader_pair_;  // the tap's end, the loader's
  SocketStream window_stream_{relay_pair_.first.get()};
  std::mutex mutex_;  // guards done_
  std::condition_variable changed_;
  bool done_ = false;
  std::thread tap_, loader_;
};

ThreadHost::ThreadHost(ByteView platform, const attest::Measurement& loader, Path folder,
                       const Clock& clock, Random& random, Moments& moments)
    : platform_(platform),
      loader_(loader),
      folder_(std::move(folder)),
      clock_(clock),
      random_(random),
      moments_(moments) {}

Result<std::unique_ptr<tee::RunningTee>> ThreadHost::start(const tee::StartOptions& options) {
  return std::unique_ptr<tee::RunningTee>(std::make_unique<Tee>(*this, folder_ / options.id));
}

}  // namespace sp::bench
