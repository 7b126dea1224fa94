#include "init.hpp"

#include <algorithm>
#include <array>

#include "base/durable.hpp"
#include "broker/service.hpp"
#include "common/broker_settings.hpp"
#include "common/daemon.hpp"
#include "common/dev_policy.hpp"
#include "common/network.hpp"
#include "common/provider_settings.hpp"
#include "common/secret_files.hpp"
#include "common/store_settings.hpp"
#include "crypto/certificate.hpp"
#include "crypto/random.hpp"
#include "crypto/x509.hpp"
#include "prove/dev.hpp"

namespace sp::apps {
namespace {

// Names in the daemon's folder; settings name them relative to it.
constexpr const char* kSigningKey = "state/signing.key";
constexpr const char* kBrokerKeys = "state/broker.keys";
constexpr const char* kPlatform = "state/platform";
constexpr const char* kCertificate = "tls/certificate.pem";
constexpr const char* kCertificateKey = "tls/key.pem";

// What fresh settings say where no option does.
constexpr const char* kEverywhere = "0.0.0.0";
constexpr std::uint32_t kCapacity = 1;
constexpr std::uint32_t kQueue = 16;

// The work of one init.
class Initializer {
 public:
  explicit Initializer(const InitOptions& options) : options_(options), folder_(options.folder) {}

  Result<Initialised> run();

 private:
  Status check_options() const;
  template <class Settings>
  Result<Settings> settings_or(Settings fresh);
  Status reach_at(const Listen& there);
  Status write(const std::string& settings);
  Result<bool> has(const Path& file) const;
  Status keep_secret(const Path& file, const SecretBytes& secret);
  Status make_certificate();
  Status check_hosts(std::string_view pem) const;
  Status init_store();
  Status init_broker();
  Status init_provider();
  Status join_as_broker(BrokerSettings& settings);
  Status join_as_provider(ProviderSettings& settings);
  Status read_network();
  Result<crypto::EthKey> signing_key(const Path& file);
  Result<prove::DevPlatform> platform(const Path& file);
  [[nodiscard]] FollowedMarket followed() const;
  Status keep_network_ca(std::string& ca_file);
  [[nodiscard]] Path settings_file() const { return folder_ / (options_.role + ".json"); }

  const InitOptions& options_;
  const Path folder_;
  PosixFiles files_;
  SystemClock clock_;
  crypto::SystemRandom random_;
  std::string settings_there_;  // as this program writes them; empty: there are none
  Listen listen_;
  std::optional<Network> network_;
  Card card_;
};

std::uint16_t default_port(const std::string& role) {
  if (role == "store") return kStorePort;
  return role == "broker" ? kBrokerPort : kProviderPort;
}

Status Initializer::check_options() const {
  if (options_.hosts.empty()) {
    return Error{Errc::usage, "--host is missing: the name or address by which others reach it"};
  }
  if (options_.address && !is_ip_address(*options_.address)) {
    return Error{Errc::usage, "--listen " + no_ip_address(*options_.address)};
  }
  if (options_.role == "provider" && options_.authority.empty()) {
    return Error{Errc::usage, "--authority is missing: the account that registers the provider"};
  }
  return {};
}

Result<bool> Initializer::has(const Path& file) const {
  const auto size = files_.size(folder_ / file);
  if (!size && size.error().code != Errc::not_found) return size.error();
  return size.ok();
}

Status Initializer::keep_secret(const Path& file, const SecretBytes& secret) {
  SP_ASSIGN(const bool there, has(file));
  if (there) return {};
  // Settings are written last: who has them had his keys, and others would make him somebody else.
  if (!settings_there_.empty()) {
    return Error{Errc::not_found,
                 (folder_ / file).string() + " isn't there, which " + settings_file().string() +
                     " names. Put it back, or remove the settings for a new identity"};
  }
  return keep(files_, CrashSite::init_secret, folder_ / file, secret.reveal(),
              FileMode::owner_only);
}

// Settings that were made by hand are worth more than what this makes: it starts from them.
template <class Settings>
Result<Settings> Initializer::settings_or(Settings fresh) {
  SP_ASSIGN(const bool there, has(settings_file()));
  if (!there) return fresh;
  SP_ASSIGN(Settings settings, Settings::load(files_, settings_file()));
  settings_there_ = settings.to_json();
  return settings;
}

Status Initializer::write(const std::string& settings) {
  if (settings == settings_there_) return {};
  return keep(files_, CrashSite::init_settings, settings_file(), as_bytes(settings),
              FileMode::everyone);
}

// Where it listens and what its card says of that.
Status Initializer::reach_at(const Listen& there) {
  listen_ = there;
  if (options_.address) listen_.address = *options_.address;
  if (options_.port != 0) listen_.port = options_.port;
  if (options_.plain) listen_.certificate = listen_.key = Path();
  SP_TRY(make_certificate());
  const std::string& host = options_.hosts.front();
  const bool v6 = host.find(':') != std::string::npos;
  card_.url = std::string(listen_.certificate.empty() ? "http" : "https") + "://" +
              (v6 ? "[" + host + "]" : host) + ":" + std::to_string(listen_.port);
  return {};
}

Status Initializer::make_certificate() {
  if (listen_.certificate.empty()) return {};
  SP_ASSIGN(const bool there, has(listen_.certificate));
  if (!there && listen_.certificate == kCertificate) {
    SP_TRY(files_.make_folder(folder_ / "tls"));
    SP_ASSIGN(const auto made,
              crypto::make_server_certificate(options_.hosts, clock_.unix_seconds()));
    // The key first: a certificate that is there has its key.
    SP_TRY(keep(files_, CrashSite::init_certificate_key, folder_ / kCertificateKey,
                made.key.reveal(), FileMode::owner_only));
    SP_TRY(keep(files_, CrashSite::init_certificate, folder_ / kCertificate,
                as_bytes(made.certificate), FileMode::everyone));
  }
  SP_ASSIGN(const Bytes pem, files_.read(folder_ / listen_.certificate, kCertificateSizeMax));
  SP_TRY(check_hosts(as_text(pem)));
  card_.certificate = as_text(pem);
  return {};
}

// A card whose URL the certificate isn't for is one that no client can use.
Status Initializer::check_hosts(std::string_view pem) const {
  const auto kept = crypto::Certificate::from_pem(pem);
  if (!kept || kept->empty()) return {};  // what the daemon makes of it, `spnode check` says
  for (const std::string& host : options_.hosts) {
    if (crypto::is_for_host(kept->front(), host)) continue;
    const bool made_here = listen_.certificate == kCertificate;
    return Error{Errc::usage, (folder_ / listen_.certificate).string() + " isn't for " + host +
                                  (made_here ? ". Remove " + (folder_ / "tls").string() +
                                                   " and run this again for a new one, and hand "
                                                   "out the new card"
                                             : ". Put one that is in its place")};
  }
  return {};
}

Status Initializer::read_network() {
  if (options_.network.empty()) return {};
  SP_ASSIGN(network_, Network::load(files_, options_.network));
  return {};
}

Result<crypto::EthKey> Initializer::signing_key(const Path& file) {
  const auto fresh = crypto::EthKey::generate(random_);
  SP_TRY(keep_secret(file, SecretBytes(fresh.secret().reveal())));
  return load_key(files_, folder_ / file);
}

Result<prove::DevPlatform> Initializer::platform(const Path& file) {
  SP_TRY(keep_secret(file, prove::DevPlatform::generate(random_).encode()));
  return load_secret(files_, "platform", folder_ / file, prove::kDevPlatformSizeMax,
                     prove::DevPlatform::decode);
}

FollowedMarket Initializer::followed() const {
  return {{{network_->rpc}, 1}, network_->market, network_->start_block};
}

// Beside the settings: a service sees nobody's home. Another file that the settings name stays.
Status Initializer::keep_network_ca(std::string& ca_file) {
  Path from = options_.ca_file;
  if (from.empty() && (ca_file.empty() || ca_file == kCaFile)) from = network_->ca_file;
  if (from.empty()) return {};
  SP_ASSIGN(const Bytes pem, files_.read(from, kCaFileSizeMax));
  SP_TRY(keep(files_, CrashSite::init_settings, folder_ / kCaFile, pem, FileMode::everyone));
  ca_file = kCaFile;
  return {};
}

Status Initializer::init_store() {
  StoreSettings fresh;
  fresh.listen = listen_;
  fresh.folder = "state/blobs";
  fresh.key = kSigningKey;
  fresh.accounts.open = true;
  SP_ASSIGN(StoreSettings settings, settings_or(std::move(fresh)));
  SP_TRY(reach_at(settings.listen));
  settings.listen = listen_;
  SP_ASSIGN(const crypto::EthKey key, signing_key(settings.key));
  card_.address = key.address();
  if (options_.bytes_max) settings.bytes_max = *options_.bytes_max;
  if (options_.quota_bytes) settings.accounts.quota_bytes = *options_.quota_bytes;
  return write(settings.to_json());
}

Status Initializer::init_broker() {
  BrokerSettings fresh;
  fresh.listen = listen_;
  fresh.folder = "state/vault";
  fresh.keys = kBrokerKeys;
  fresh.platform = kPlatform;
  SP_ASSIGN(BrokerSettings settings, settings_or(std::move(fresh)));
  SP_TRY(reach_at(settings.listen));
  settings.listen = listen_;
  SP_TRY(keep_secret(settings.keys, broker::BrokerKeys::generate(random_).encode()));
  SP_ASSIGN(const broker::BrokerKeys keys,
            load_secret(files_, "keys", folder_ / settings.keys, broker::kBrokerKeysSizeMax,
                        broker::BrokerKeys::decode));
  card_.address = keys.signing.address();
  SP_ASSIGN(const prove::DevPlatform machine, platform(settings.platform));
  SP_ASSIGN(const auto own, prove::measure_program(files_, prove::kOwnProgram));
  card_.tee = dev_policy(own, machine.anchor());
  if (network_) SP_TRY(join_as_broker(settings));
  return settings.markets.empty() ? Status() : write(settings.to_json());
}

// Endpoints of a market that is followed already stay: k of n of them is the operator's choice.
Status Initializer::join_as_broker(BrokerSettings& settings) {
  const auto same = [&](const FollowedMarket& one) { return one.market == network_->market; };
  if (std::none_of(settings.markets.begin(), settings.markets.end(), same)) {
    settings.markets.push_back(followed());
  }
  settings.attests = network_->loader_tee;
  if (!options_.loaders.empty()) {
    SP_ASSIGN(const Json policy, read_settings_json(files_, options_.loaders));
    SP_ASSIGN(settings.attests, attest::AppraisalPolicy::from_json(policy, options_.loaders));
  }
  return keep_network_ca(settings.ca_file);
}

Status Initializer::init_provider() {
  ProviderSettings fresh;
  fresh.listen = listen_;
  fresh.folder = "state/orders";
  fresh.action_key = kSigningKey;
  fresh.loader = kInstalledLoader;
  fresh.runc = kInstalledRunc;
  fresh.platform = kPlatform;
  SP_ASSIGN(ProviderSettings settings, settings_or(std::move(fresh)));
  SP_TRY(reach_at(settings.listen));
  settings.listen = listen_;
  if (options_.loader) settings.loader = std::filesystem::absolute(*options_.loader);
  if (options_.runc) settings.runc = *options_.runc;
  SP_ASSIGN(settings.authority, Address::from_hex(options_.authority));
  card_.address = settings.authority;
  SP_ASSIGN(const crypto::EthKey action, signing_key(settings.action_key));
  card_.action = action.address();
  SP_ASSIGN(const prove::DevPlatform machine, platform(settings.platform));
  card_.chip = machine.chip();
  SP_ASSIGN(const auto loader, prove::measure_program(files_, folder_ / settings.loader));
  card_.tee = dev_policy(loader, machine.anchor());
  if (network_) SP_TRY(join_as_provider(settings));
  return settings.markets.empty() ? Status() : write(settings.to_json());
}

Status Initializer::join_as_provider(ProviderSettings& settings) {
  const auto same = [&](const ServedMarket& one) { return one.follows.market == network_->market; };
  auto market = std::find_if(settings.markets.begin(), settings.markets.end(), same);
  if (market == settings.markets.end()) {
    settings.markets.push_back({followed(), network_->confirmations, kCapacity, kQueue});
    market = std::prev(settings.markets.end());
  }
  if (options_.capacity) market->capacity = *options_.capacity;
  if (options_.queue) market->queue = *options_.queue;
  for (const auto& [who, url] : network_->services) settings.services[who] = url;
  for (const auto& [who, places] : network_->mirrors) settings.mirrors[who] = places;
  settings.services[network_->broker.address] = network_->broker.url;
  settings.services[network_->store.address] = network_->store.url;
  settings.services.erase(settings.authority);
  return keep_network_ca(settings.ca_file);
}

Result<Initialised> Initializer::run() {
  SP_TRY(check_options());
  SP_TRY(files_.make_folder(folder_ / "state"));
  SP_TRY(sweep_temporaries(folder_, SweepDepth::below));
  SP_TRY(read_network());
  listen_ = {kEverywhere, default_port(options_.role), kCertificate, kCertificateKey};
  card_.role = options_.role;
  if (options_.role == "store") SP_TRY(init_store());
  if (options_.role == "broker") SP_TRY(init_broker());
  if (options_.role == "provider") SP_TRY(init_provider());
  SP_TRY(card_.save(files_, folder_ / "card.json"));
  return Initialised{card_, !settings_there_.empty()};
}

}  // namespace

Result<Initialised> init_daemon(const InitOptions& options) { return Initializer(options).run(); }

}  // namespace sp::apps
