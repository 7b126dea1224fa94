// far_front: TLS before a chain's plain JSON-RPC endpoint, as an operator's web server gives it.
//
//   far_front --listen ADDRESS:PORT --to URL --certificate FILE --key FILE [--make]
//
// With --make, writes certificate and key for the address first, unless they are there. Prints
// "ready" and serves until it is killed.
#include <charconv>
#include <cstdio>
#include <map>
#include <string>
#include <thread>

#include "base/files.hpp"
#include "chain/rpc.hpp"
#include "crypto/certificate.hpp"
#include "net/http.hpp"

namespace {

using namespace sp;

struct Settings {
  std::string address;
  std::uint16_t port = 0;
  std::string to, certificate, key;
  bool make = false;
};

Result<Settings> read_settings(int count, char** arguments) {
  std::map<std::string, std::string> options;
  Settings settings;
  for (int i = 1; i < count; ++i) {
    const std::string word = arguments[i];
    if (word == "--make") {
      settings.make = true;
    } else if (i + 1 < count) {
      options[word] = arguments[++i];
    }
  }
  const std::string listen = options["--listen"];
  const std::size_t colon = listen.rfind(':');
  const std::string port = colon == std::string::npos ? "" : listen.substr(colon + 1);
  std::from_chars(port.data(), port.data() + port.size(), settings.port);
  settings.address = listen.substr(0, colon);
  settings.to = options["--to"];
  settings.certificate = options["--certificate"];
  settings.key = options["--key"];
  if (settings.port == 0 || settings.to.empty() || settings.key.empty()) {
    return Error{Errc::usage, "--listen, --to, --certificate and --key are needed"};
  }
  return settings;
}

Status make_certificate(const Settings& settings) {
  PosixFiles files;
  if (!settings.make || files.size(settings.certificate)) return {};
  SP_ASSIGN(const auto made,
            crypto::make_server_certificate({settings.address}, SystemClock().unix_seconds()));
  SP_TRY(files.write_atomic(settings.key, made.key.reveal(), FileMode::owner_only));
  return files.write_atomic(settings.certificate, as_bytes(made.certificate), FileMode::everyone);
}

Status run(int count, char** arguments) {
  SP_ASSIGN(const Settings settings, read_settings(count, arguments));
  SP_TRY(make_certificate(settings));
  net::HttpClient client;
  net::HttpServer::Options options;
  options.address = settings.address;
  options.port = settings.port;
  options.certificate_file = settings.certificate;
  options.key_file = settings.key;
  options.body_max = chain::kRpcResponseMax;
  SP_ASSIGN(const auto server,
            net::HttpServer::start(options, [&](const net::HttpRequest& request) {
              auto answer = client.call(request.method, settings.to, request.body,
                                        {{"content-type", "application/json"}});
              if (answer) return std::move(*answer);
              return net::text_response(502, "text/plain", answer.error().message + "\n");
            }));
  std::puts("ready");
  std::fflush(stdout);
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

}  // namespace

int main(int count, char** arguments) {
  const Status ended = run(count, arguments);
  std::fprintf(stderr, "far_front: %s\n", ended.error().message.c_str());
  return ended.error().code == Errc::usage ? 2 : 1;
}
