#include "common/daemon.hpp"

#include <signal.h>

#include "base/log.hpp"

namespace sp::apps {
namespace {

constexpr unsigned kHttpWorkers = 8;

sigset_t stop_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

Result<crypto::EthKey> load_key(const Files& files, const Path& path) {
  SP_ASSIGN(Bytes bytes, files.read(path, Secret32::kSize));
  auto secret = Secret32::from(bytes);
  wipe(bytes);
  if (!secret) return secret.error().in(path.string());
  return crypto::EthKey::from_secret(std::move(*secret));
}

void block_stop_signals() {
  const sigset_t signals = stop_signals();
  SP_CHECK(::pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0);
  // A peer that is gone is an error of the write, never the end of the process.
  ::signal(SIGPIPE, SIG_IGN);
}

void wait_for_stop() {
  const sigset_t signals = stop_signals();
  int signal = 0;
  while (::sigwait(&signals, &signal) != 0) {
  }
}

Status serve_until_stopped(const char* name, const Listen& listen, std::size_t body_max,
                           net::HttpServer::Handler handler) {
  net::HttpServer::Options options;
  options.address = listen.address;
  options.port = listen.port;
  options.body_max = body_max;
  options.workers = kHttpWorkers;
  options.certificate_file = listen.certificate;
  options.key_file = listen.key;
  SP_ASSIGN(const auto server, net::HttpServer::start(options, std::move(handler)));
  log(LogLevel::info, "listening",
      {{"daemon", name},
       {"address", listen.address},
       {"port", server->port()},
       {"tls", listen.tls() ? "yes" : "no"}});
  wait_for_stop();
  log(LogLevel::info, "stopping", {{"daemon", name}});
  return {};
}

}  // namespace sp::apps
