// far_link: a network between network namespaces, with the delay and the loss of a long way.
//
//   far_link --delay-ms 50 --loss 0.01 [--seed 1] NAMESPACE=ADDRESS ...
//
// Gives each namespace of /run/netns a tun device `far0` with its address in one /24, and carries
// IPv4 packets between them: each is lost with that probability, or arrives after the delay. (The
// kernel's own netem isn't built into every kernel that tests run on.) Prints "ready" and serves
// until SIGTERM; the devices end with it. Then it prints what passed, counted where packets come in
// and where they go out, so that a test can tell whether the way was one: a line of JSON with how
// many were taken, delivered and under way, and the least time in milliseconds that one took.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/files.hpp"

namespace {

using sp::Errc;
using sp::Error;
using sp::Fd;
using sp::Result;
using sp::Status;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kPacketMax = 2048;        // more than the device's 1,500
constexpr std::size_t kQueuedMax = 200'000;     // packets under way; more are lost
constexpr std::size_t kDestinationOffset = 16;  // of an IPv4 header (RFC 791 section 3.1)
constexpr const char* kDevice = "far0";

struct Packet {
  SteadyClock::time_point taken;
  SteadyClock::time_point due;
  int to = -1;
  std::vector<char> bytes;
};

// One request on a device, as netdevice(7) has it.
Status configure(int socket, unsigned long request, ifreq& asked) {
  if (::ioctl(socket, request, &asked) == 0) return {};
  return sp::errno_error("configure the device");
}

ifreq about_device() {
  ifreq asked{};
  std::strncpy(asked.ifr_name, kDevice, sizeof asked.ifr_name - 1);
  return asked;
}

Status set_address(int socket, unsigned long request, in_addr address) {
  ifreq asked = about_device();
  sockaddr_in value{};
  value.sin_family = AF_INET;
  value.sin_addr = address;
  std::memcpy(&asked.ifr_addr, &value, sizeof value);
  return configure(socket, request, asked);
}

Status bring_up(int socket, const char* device) {
  ifreq asked{};
  std::strncpy(asked.ifr_name, device, sizeof asked.ifr_name - 1);
  SP_TRY(configure(socket, SIOCGIFFLAGS, asked));
  asked.ifr_flags = static_cast<short>(asked.ifr_flags | IFF_UP);
  return configure(socket, SIOCSIFFLAGS, asked);
}

// Makes the device in the namespace that this thread is in.
Result<Fd> make_device(in_addr address) {
  Fd device(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!device.valid()) return sp::errno_error("open the tun device");
  ifreq asked = about_device();
  asked.ifr_flags = IFF_TUN | IFF_NO_PI;
  SP_TRY(configure(device.get(), TUNSETIFF, asked));
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  SP_TRY(set_address(socket.get(), SIOCSIFADDR, address));
  SP_TRY(set_address(socket.get(), SIOCSIFNETMASK, {htonl(0xffffff00)}));
  SP_TRY(bring_up(socket.get(), kDevice));
  SP_TRY(bring_up(socket.get(), "lo"));
  return device;
}

Result<Fd> make_device_in(const std::string& name, in_addr address) {
  const Fd own(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  const Fd other(::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!own.valid() || !other.valid()) return sp::errno_error("open namespace", name);
  if (::setns(other.get(), CLONE_NEWNET) != 0) return sp::errno_error("enter namespace", name);
  auto device = make_device(address);
  SP_CHECK(::setns(own.get(), CLONE_NEWNET) == 0);
  return device;
}

class Link {
 public:
  Link(std::chrono::milliseconds delay, double loss, std::uint64_t seed)
      : delay_(delay), lost_(loss), random_(seed) {}

  void join(Fd device, in_addr address) {
    by_address_[address.s_addr] = device.get();
    polled_.push_back({device.get(), POLLIN, 0});
    devices_.push_back(std::move(device));
  }

  /// Until there is something to read from `ending`.
  void serve(const Fd& ending) {
    polled_.push_back({ending.get(), POLLIN, 0});
    while ((polled_.back().revents & POLLIN) == 0) {
      const int wait = under_way_.empty() ? -1 : milliseconds_until(under_way_.front().due);
      ::poll(polled_.data(), polled_.size(), wait);
      for (std::size_t i = 0; i < devices_.size(); ++i) {
        if ((polled_[i].revents & POLLIN) != 0) take_packets(polled_[i].fd);
      }
      deliver_due();
    }
    polled_.pop_back();
  }

  void print_what_passed() const {
    const std::chrono::duration<double, std::milli> least = least_;
    std::printf("{\"taken\": %zu, \"delivered\": %zu, \"underWay\": %zu, \"leastMs\": %.1f}\n",
                taken_, delivered_, under_way_.size(), delivered_ == 0 ? 0.0 : least.count());
  }

 private:
  static int milliseconds_until(SteadyClock::time_point due) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - SteadyClock::now());
    return static_cast<int>(std::max<std::int64_t>(0, left.count()));
  }

  void take_packets(int device) {
    std::array<char, kPacketMax> buffer{};
    for (;;) {
      const ssize_t size = ::read(device, buffer.data(), buffer.size());
      if (size <= 0) return;
      if (static_cast<std::size_t>(size) < kDestinationOffset + sizeof(in_addr)) continue;
      if ((buffer[0] & 0xf0) != 0x40) continue;  // IPv4 only
      std::uint32_t destination = 0;
      std::memcpy(&destination, buffer.data() + kDestinationOffset, sizeof destination);
      const auto found = by_address_.find(destination);
      if (found == by_address_.end()) continue;
      ++taken_;
      if (under_way_.size() >= kQueuedMax || lost_(random_)) continue;
      const auto now = SteadyClock::now();
      under_way_.push_back(
          {now, now + delay_, found->second, {buffer.data(), buffer.data() + size}});
    }
  }

  // All take the same time, so the first is always the next that is due.
  void deliver_due() {
    const auto now = SteadyClock::now();
    while (!under_way_.empty() && under_way_.front().due <= now) {
      const Packet& packet = under_way_.front();
      // A full queue loses the packet, as any router would.
      [[maybe_unused]] const ssize_t sent =
          ::write(packet.to, packet.bytes.data(), packet.bytes.size());
      ++delivered_;
      least_ = std::min(least_, SteadyClock::now() - packet.taken);
      under_way_.pop_front();
    }
  }

  const std::chrono::milliseconds delay_;
  std::bernoulli_distribution lost_;
  std::mt19937_64 random_;
  std::map<std::uint32_t, int> by_address_;
  std::vector<Fd> devices_;
  std::vector<pollfd> polled_;
  std::deque<Packet> under_way_;
  std::size_t taken_ = 0;
  std::size_t delivered_ = 0;
  SteadyClock::duration least_ = SteadyClock::duration::max();
};

struct Settings {
  int delay_ms = 50;
  double loss = 0.01;
  std::uint64_t seed = 1;
  std::vector<std::pair<std::string, in_addr>> members;
};

Result<Settings> read_settings(const std::vector<std::string>& words) {
  Settings settings;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto number = [&](auto& into) {
      if (++i == words.size()) return false;
      const char* end = words[i].data() + words[i].size();
      const auto [rest, failure] = std::from_chars(words[i].data(), end, into);
      return failure == std::errc{} && rest == end;
    };
    const std::size_t equals = word.find('=');
    in_addr address{};
    const bool read =
        word == "--delay-ms" ? number(settings.delay_ms)
        : word == "--loss"   ? number(settings.loss)
        : word == "--seed"
            ? number(settings.seed)
            : equals != std::string::npos && ::inet_aton(word.c_str() + equals + 1, &address) == 1;
    if (!read) return Error{Errc::usage, "what is \"" + word + "\"?"};
    if (equals != std::string::npos) settings.members.emplace_back(word.substr(0, equals), address);
  }
  return settings;
}

// Readable once SIGTERM came.
Result<Fd> end_signal() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  Fd signal(::signalfd(-1, &signals, SFD_CLOEXEC));
  const bool blocked = ::sigprocmask(SIG_BLOCK, &signals, nullptr) == 0;
  if (!signal.valid() || !blocked) return sp::errno_error("wait for signals");
  return signal;
}

Status run(const std::vector<std::string>& words) {
  SP_ASSIGN(const Settings settings, read_settings(words));
  Link link(std::chrono::milliseconds(settings.delay_ms), settings.loss, settings.seed);
  for (const auto& [name, address] : settings.members) {
    SP_ASSIGN(Fd device, make_device_in(name, address));
    link.join(std::move(device), address);
  }
  SP_ASSIGN(const Fd ending, end_signal());
  std::puts("ready");
  std::fflush(stdout);
  link.serve(ending);
  link.print_what_passed();
  return {};
}

}  // namespace

int main(int count, char** arguments) {
  const Status ended = run({arguments + 1, arguments + count});
  if (ended) return 0;
  std::fprintf(stderr, "far_link: %s\n", ended.error().message.c_str());
  return ended.error().code == Errc::usage ? 2 : 1;
}
