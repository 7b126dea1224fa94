#include "town.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "base/testing/must.hpp"
#include "spctl/deployment.hpp"
#include "spctl/local_system.hpp"
#include "store/package.hpp"
#include "store/remote/http_store.hpp"
#include "store/tree.hpp"

namespace sp::hostile {
namespace {

constexpr std::size_t kOutputMax = 1 << 20;
constexpr std::chrono::seconds kAnswerLimit{20};

std::unique_ptr<Town>& the_town() {
  static std::unique_ptr<Town> town;
  return town;
}

std::unique_ptr<HostileProxy> proxy_to(const std::string& url) {
  return std::make_unique<HostileProxy>(url);
}

}  // namespace

Town& Town::get() {
  if (!the_town()) the_town() = std::make_unique<Town>();
  return *the_town();
}

void Town::leave() { the_town().reset(); }

Town::Town(Roads roads) {
  programs_ = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  std::string pattern = (std::filesystem::temp_directory_path() / "sp-hostile-XXXXXX").string();
  SP_CHECK(::mkdtemp(pattern.data()) != nullptr);
  work_ = pattern;
  home_ = work_ / "home";
  start_guard();
  make_image();
  const CommandOutput up = spctl({"up"});
  if (up.end.exit_code != 0) throw std::runtime_error("spctl up: " + up.text);
  session_ = std::make_unique<spctl::Session>(
      must(apps::Network::load(files_, home_ / "network.json")), clock_);
  must(market().registry());
  customer_ = key("me");
  provider_ = key("provider");
  action_ = key("action");
  // Orders of tests are placed without permits, whatever the chain's time is.
  must(send(*customer_, token().approve(network().market.contract, Amount(~Amount::Number{0}))));
  if (roads == Roads::watched) put_proxies_in();
}

Town::~Town() {
  if (!session_) return;
  for (const char* name : {"provider", "broker", "chain"}) signal_daemon(name, SIGCONT);
  const CommandOutput down = spctl({"down"});
  // The guard ends what is left.
  if (down.end.exit_code == 0 && left_behind().empty()) std::filesystem::remove_all(work_);
}

std::vector<pid_t> Town::left_behind() const {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::error_code gone;
    const Path folder = std::filesystem::read_symlink(entry.path() / "cwd", gone);
    if (!gone && folder.string().starts_with(work_.string())) {
      found.push_back(std::stoi(entry.path().filename()));
    }
  }
  return found;
}

// Waits for this program's end, whatever ends it.
void Town::start_guard() {
  int ends[2];
  SP_CHECK(::pipe2(ends, O_CLOEXEC) == 0);
  const Fd read_end(ends[0]);
  guard_ = Fd(ends[1]);
  ProcessOptions options;
  options.argv = {"setsid",
                  "--fork",
                  "bash",
                  "-c",
                  R"sh(cat >/dev/null
[ -d "$1" ] || exit 0
for name in provider broker chain; do kill -CONT "$(cut -d' ' -f1 "$1/home/$name/$name.pid")"; done
"$2" --home "$1/home" down
for process in /proc/[0-9]*; do
  case $(readlink "$process/cwd") in "$1"/*) kill -KILL "${process#/proc/}" ;; esac
done
rm -rf "$1")sh",
                  "guard",
                  work_.string(),
                  program("spctl").string()};
  options.environment = basic_environment();
  options.descriptors = {{STDIN_FILENO, read_end.get()}};
  options.when_parent_dies = ProcessOptions::WhenParentDies::lives_on;
  Process starter = must(Process::start(options));
  SP_CHECK(starter.wait(std::chrono::seconds(5)).has_value());
}

void Town::make_image() {
  const Path tests = Path(SP_TEST_SOURCE_DIR) / "tests";
  const std::string program = (work_ / "workload").string();
  for (const std::vector<std::string>& argv :
       {std::vector<std::string>{"cc", "-static", "-O1", "-s", "-o", program,
                                 (tests / "hostile" / "workload.c").string()},
        std::vector<std::string>{(tests / "make-image.sh").string(), program, image().string()}}) {
    ProcessOptions options;
    options.argv = argv;
    options.environment = basic_environment();
    const CommandOutput made = must(run_command(options, std::chrono::seconds(30), kOutputMax));
    if (made.end.exit_code != 0) throw std::runtime_error(argv[0] + ": " + made.text);
  }
}

ProcessOptions Town::spctl_options(std::vector<std::string> arguments) const {
  ProcessOptions options;
  options.argv = {program("spctl").string(), "--home", home_.string()};
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.environment = basic_environment();
  return options;
}

CommandOutput Town::spctl(std::vector<std::string> arguments, std::chrono::seconds limit) {
  return must(run_command(spctl_options(std::move(arguments)), limit, kOutputMax));
}

crypto::EthKey Town::key(const std::string& name) {
  return must(spctl::KeyRing(files_, random_, home_ / "keys", "").load(name));
}

void Town::rewrite_settings(const std::string& name, const std::function<void(Json&)>& change) {
  spctl::Daemon changed = daemon(name);
  const Bytes before = must(files_.read(changed.settings(), kOutputMax));
  Json json = must(parse_json(as_text(before), kOutputMax));
  change(json);
  must(changed.write_settings(json.dump(2)));
}

void Town::put_proxies_in() {
  const apps::Network& real = network();
  const std::string provider_url = real.services.at(provider_->address());
  client_rpc = proxy_to(real.rpc);
  client_broker = proxy_to(real.broker.url);
  client_store = proxy_to(real.store.url);
  client_provider = proxy_to(provider_url);
  provider_rpc = proxy_to(real.rpc);
  provider_broker = proxy_to(real.broker.url);
  provider_store = proxy_to(real.store.url);
  broker_rpc = proxy_to(real.rpc);
  apps::Network told = real;
  told.rpc = client_rpc->url();
  told.broker.url = client_broker->url();
  told.store.url = client_store->url();
  told.services[provider_->address()] = client_provider->url();
  must(told.save(files_, home_ / "network.json"));
  must(daemon("broker").stop(SIGTERM));
  stop_provider();
  rewrite_settings("broker", [&](Json& json) { json["markets"][0]["rpc"] = broker_rpc->url(); });
  rewrite_settings("provider", [&](Json& json) {
    json["markets"][0]["rpc"] = provider_rpc->url();
    json["services"] = {{real.broker.address.hex0x(), provider_broker->url()},
                        {real.store.address.hex0x(), provider_store->url()}};
  });
  start_daemon("broker", spctl::kBrokerUser);
  start_provider();
}

std::vector<HostileProxy*> Town::proxies() const {
  return {client_rpc.get(),   client_broker.get(),   client_store.get(),   client_provider.get(),
          provider_rpc.get(), provider_broker.get(), provider_store.get(), broker_rpc.get()};
}

void Town::behave() {
  for (HostileProxy* proxy : proxies()) proxy->behave();
}

spctl::Daemon Town::daemon(const std::string& name) { return {files_, home_ / name, name}; }

void Town::start_daemon(const std::string& name, std::optional<uid_t> user) {
  spctl::Daemon started = daemon(name);
  Process process = must(started.start(
      {program("spnode"), {name, "--config", started.settings().filename().string()}, user}));
  process.detach();
  const std::string url =
      name == "broker" ? network().broker.url : network().services.at(provider_->address());
  const auto deadline = clock_.monotonic() + kAnswerLimit;
  for (;;) {
    const auto health = http_.call("GET", url + "/health");
    // Any answer: with a chain that is away a daemon runs and says that it is unwell.
    if (health) return;
    if (clock_.monotonic() > deadline) throw std::runtime_error(started.log_tail(20));
    clock_.sleep_for(std::chrono::milliseconds(5));
  }
}

void Town::reconfigure(const std::string& name, const std::function<void(Json&)>& change) {
  must(daemon(name).stop(SIGTERM));
  rewrite_settings(name, change);
  start_daemon(name, name == "broker" ? std::optional<uid_t>(spctl::kBrokerUser) : std::nullopt);
}

void Town::signal_daemon(const std::string& name, int signal) {
  if (const auto pid = process_of(name)) ::kill(*pid, signal);
}
void Town::stop_provider() { must(daemon("provider").stop(SIGTERM)); }
void Town::start_provider() {
  if (!daemon("provider").running()) start_daemon("provider", std::nullopt);
}

Result<chain::TxReceipt> Town::send(const crypto::EthKey& key, const chain::TxSender::Call& call) {
  return chain::TxSender(chain(), key, clock_).execute(call);
}

Json Town::rpc(const std::string& method, const Json& params) {
  return must(session_->endpoint->call(method, params));
}

void Town::pass_time(std::int64_t seconds) {
  rpc("evm_increaseTime", Json::array({seconds}));
  rpc("evm_mine", Json::array());
}

std::int64_t Town::chain_time() { return must(chain().block()).time; }

Sealed Town::seal(const Path& folder) {
  const auto tree = must(store::read_tree({{"", folder}}, store::OddEntries::refuse));
  return seal(*tree);
}

Sealed Town::seal(store::ByteSource& stream) {
  const auto writer = crypto::EthKey::generate(random_);
  store::HttpStore blobs(http_, network().store.url,
                         {&writer, network().store.address, &clock_, nullptr, {}});
  auto content_key = crypto::random_secret<32>(random_);
  const auto sealed = must(store::seal_package(stream, content_key, blobs, random_, {}));
  return {{sealed.id.data}, std::move(content_key)};
}

crypto::EthKey Town::settle_in() {
  auto person = crypto::EthKey::generate(random_);
  must(spctl::give_ether(chain(), person.address()));
  must(spctl::give_tokens(*session_, person, clock_));
  must(spctl::ensure_provider(*session_, person, person.address(), clock_));
  return person;
}

}  // namespace sp::hostile
