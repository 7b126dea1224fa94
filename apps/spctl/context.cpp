#include "spctl/context.hpp"

#include <fcntl.h>

#include "base/durable.hpp"
#include "spctl/leftovers.hpp"
#include "spctl/reverts.hpp"
#include "store/mirror_store.hpp"

namespace sp::spctl {
namespace {

Status write_through(const Path& path, ByteView bytes) {
  const CrashEffect effect(CrashSite::client_output);
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file.valid()) return errno_error("open", path);
  return write_fully(file.get(), bytes, path);
}

}  // namespace

Result<std::string> Session::url_of(const Address& service) const {
  if (service == network.broker.address) return network.broker.url;
  if (service == network.store.address) return network.store.url;
  const auto found = network.services.find(service);
  if (found != network.services.end()) return found->second;
  return failure(Errc::not_found, "service " + service.hex0x() + " can't be reached",
                 "network.json doesn't say where it is", "Add it under \"services\"");
}

std::vector<std::string> Session::urls_of(const Address& service) const {
  std::vector<std::string> urls;
  if (const auto first = url_of(service)) urls.push_back(*first);
  const auto add = [&](const std::string& url) {
    if (urls.size() == store::kMirrorsMax) return;
    if (std::find(urls.begin(), urls.end(), url) == urls.end()) urls.push_back(url);
  };
  const auto listed = network.services.find(service);
  if (listed != network.services.end()) add(listed->second);
  const auto more = network.mirrors.find(service);
  if (more != network.mirrors.end()) std::for_each(more->second.begin(), more->second.end(), add);
  return urls;
}

Context::Context(Home home, const GlobalOptions& options)
    : home_(std::move(home)),
      console_(options.json),
      keys_(files_, random_, home_.keys(), options.password_file) {}

Result<std::unique_ptr<Context>> Context::create(const GlobalOptions& options) {
  SP_ASSIGN(Home home, Home::find(options.home));
  SP_TRY(sweep_home(home));
  return std::unique_ptr<Context>(new Context(std::move(home), options));
}

net::HttpClient& Context::http() {
  const std::lock_guard lock(http_mutex_);
  if (http_) return *http_;
  net::HttpClient::Options options;
  options.slowest = net::kSlowestLine;
  // Where there is no network yet, nobody is asked but this machine's own daemons.
  if (const auto network = apps::Network::load(files_, home_.network())) {
    options.ca_file = network->ca_file;
  }
  http_ = std::make_unique<net::HttpClient>(options);
  return *http_;
}

Result<std::shared_ptr<Session>> Context::session() {
  if (session_) return session_;
  auto network = apps::Network::load(files_, home_.network());
  if (!network && network.error().code == Errc::not_found) {
    return failure(Errc::not_found, "no network is set up",
                   home_.network().string() + " doesn't exist",
                   "Start a local one with 'spctl up', or put a network.json there");
  }
  if (!network) return network.error();
  session_ = std::make_shared<Session>(std::move(*network), clock_);
  return session_;
}

Result<chain::TxReceipt> execute(chain::TxSender& sender, const chain::TxSender::Call& call,
                                 std::string_view what) {
  auto receipt = sender.execute(call);
  if (!receipt) return explained(receipt.error(), what);
  return receipt;
}

Status write_output(Context& context, const Path& path, ByteView bytes) {
  // A rename would put a file in the place of a device (/dev/null), a pipe or a link (/dev/stdout).
  std::error_code failed;
  const auto there = std::filesystem::symlink_status(path, failed);
  if (std::filesystem::exists(there) && !std::filesystem::is_regular_file(there)) {
    return write_through(path, bytes);
  }
  const Path folder = path.has_parent_path() ? path.parent_path() : Path(".");
  SP_TRY(sweep_temporaries(folder, SweepDepth::folder));
  return keep(context.files(), CrashSite::client_output, path, bytes, FileMode::everyone);
}

std::string money(const apps::Network& network, Amount amount) {
  return amount.tokens(network.token_decimals) + " " + network.token_symbol;
}

Result<Amount> parse_money(const apps::Network& network, const std::string& text) {
  auto amount = Amount::from_tokens(text, network.token_decimals);
  if (amount) return amount;
  return failure(Errc::usage, "\"" + text + "\" isn't an amount", amount.error().message,
                 "Write it as 1.5");
}

}  // namespace sp::spctl
