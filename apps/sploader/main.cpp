// sploader: the trusted loader. Started inside a TEE by its host (src/tee), with the window to the
// provider's relay as descriptor 3 and, where there is no TEE, the dev platform as descriptor 4.
#include <getopt.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <exception>

#include "base/crash_point.hpp"
#include "base/log.hpp"
#include "crypto/random.hpp"
#include "loader/run_order.hpp"
#include "prove/dev.hpp"

namespace {

using namespace sp;

constexpr int kWindow = 3;
constexpr int kPlatform = 4;

struct Settings {
  loader::LoaderSettings loader;
  std::string workspace = "/run";
};

Result<Settings> read_settings(int count, char** arguments) {
  const option known[] = {{"runc", required_argument, nullptr, 'r'},
                          {"cgroup", required_argument, nullptr, 'c'},
                          {"workspace", required_argument, nullptr, 'w'},
                          {nullptr, 0, nullptr, 0}};
  Settings settings;
  for (int c = 0; (c = ::getopt_long(count, arguments, "", known, nullptr)) != -1;) {
    if (c == 'r') settings.loader.runtime = optarg;
    if (c == 'c') settings.loader.cgroup = optarg;
    if (c == 'w') settings.workspace = optarg;
    if (c == '?') return Error{Errc::usage, "usage: sploader --cgroup GROUP [--runc PROGRAM]"};
  }
  if (settings.loader.cgroup.empty()) return Error{Errc::usage, "--cgroup is missing"};
  settings.loader.make_workspace = [root = settings.workspace](std::uint64_t disk_bytes) {
    return loader::Workspace::create(root, disk_bytes);
  };
  return settings;
}

Result<prove::DevProver> make_prover() {
  SecretBytes file(prove::kDevPlatformSizeMax);
  const ssize_t size = ::pread(kPlatform, file.writable().data(), file.size(), 0);
  ::close(kPlatform);
  if (size < 0) return errno_error("read the dev platform");
  SP_ASSIGN(prove::DevPlatform platform,
            prove::DevPlatform::decode(file.reveal().first(static_cast<std::size_t>(size))));
  SP_ASSIGN(const attest::Measurement measurement,
            prove::measure_program(PosixFiles(), prove::kOwnProgram));
  return prove::DevProver(std::move(platform), measurement);
}

Status run(int count, char** arguments) {
  SP_TRY(arm_crash_point_from_environment());
  SP_ASSIGN(const Settings settings, read_settings(count, arguments));
  const SystemClock clock;
  crypto::SystemRandom random;
  SocketStream stream(kWindow);
  loader::WindowClient window(stream);
  auto prover = make_prover();  // first, so that a loader that waits for its order has measured
  SP_ASSIGN(const api::Start start, window.receive_start());
  if (!prover) {
    api::Finish finish;
    finish.failure = prover.error().message;
    return window.finish(finish);
  }
  const auto finish = loader::run_order(start, window, *prover, settings.loader, clock, random);
  const CrashEffect effect(CrashSite::loader_finish);
  return window.finish(finish);
}

}  // namespace

int main(int count, char** arguments) {
  // A service manager's may be closed (the provider's unit has 0077), and what runc makes in the
  // container by it, such as the way to the workload's folders, is for the container's users.
  ::umask(0022);
  try {
    const Status done = run(count, arguments);
    if (done) return 0;
    log(LogLevel::error, "loader_failed", {{"error", done.error().message}});
  } catch (const std::exception& failure) {
    log(LogLevel::error, "loader_failed", {{"error", failure.what()}});
  }
  return 1;
}
