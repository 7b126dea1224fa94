#include "init.hpp"

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

// The work of one init.
class Initializer {
 public:
  explicit Initializer(const InitOptions& options) : options_(options), folder_(options.folder) {}

  Result<Card> run();

 private:
  Status check_options() const;
  Result<bool> has(const char* file) const;
  Status keep_secret(const char* file, const SecretBytes& secret);
  Status make_certificate();
  Status check_hosts(std::string_view pem) const;
  Status init_store();
  Status init_broker();
  Status init_provider();
  Status read_network();
  Result<crypto::EthKey> signing_key();
  Result<prove::DevPlatform> platform();
  [[nodiscard]] FollowedMarket followed() const;
  Result<std::string> keep_network_ca();
  [[nodiscard]] Path settings_file() const { return folder_ / (options_.role + ".json"); }
  Status write_settings(const std::string& json);

  const InitOptions& options_;
  const Path folder_;
  PosixFiles files_;
  SystemClock clock_;
  crypto::SystemRandom random_;
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
  if (!is_ip_address(options_.address)) {
    return Error{Errc::usage, "--listen " + no_ip_address(options_.address)};
  }
  if (options_.role == "provider" && options_.authority.empty()) {
    return Error{Errc::usage, "--authority is missing: the account that registers the provider"};
  }
  return {};
}

Result<bool> Initializer::has(const char* file) const {
  const auto size = files_.size(folder_ / file);
  if (!size && size.error().code != Errc::not_found) return size.error();
  return size.ok();
}

Status Initializer::keep_secret(const char* file, const SecretBytes& secret) {
  SP_ASSIGN(const bool there, has(file));
  if (there) return {};
  return keep(files_, CrashSite::init_secret, folder_ / file, secret.reveal(),
              FileMode::owner_only);
}

Status Initializer::make_certificate() {
  if (!options_.tls) return {};
  listen_.certificate = kCertificate;
  listen_.key = kCertificateKey;
  SP_TRY(files_.make_folder(folder_ / "tls"));
  SP_ASSIGN(const bool there, has(kCertificate));
  if (!there) {
    SP_ASSIGN(const auto made,
              crypto::make_server_certificate(options_.hosts, clock_.unix_seconds()));
    // The key first: a certificate that is there has its key.
    SP_TRY(keep(files_, CrashSite::init_certificate_key, folder_ / kCertificateKey,
                made.key.reveal(), FileMode::owner_only));
    SP_TRY(keep(files_, CrashSite::init_certificate, folder_ / kCertificate,
                as_bytes(made.certificate), FileMode::everyone));
  }
  SP_ASSIGN(const Bytes pem, files_.read(folder_ / kCertificate, kCertificateSizeMax));
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
    return Error{Errc::usage, (folder_ / kCertificate).string() + " isn't for " + host +
                                  ". Remove " + (folder_ / "tls").string() +
                                  " and run this again for a new one, and hand out the new card"};
  }
  return {};
}

Status Initializer::read_network() {
  if (options_.network.empty()) return {};
  SP_ASSIGN(network_, Network::load(files_, options_.network));
  return {};
}

Result<crypto::EthKey> Initializer::signing_key() {
  const auto fresh = crypto::EthKey::generate(random_);
  SP_TRY(keep_secret(kSigningKey, SecretBytes(fresh.secret().reveal())));
  return load_key(files_, folder_ / kSigningKey);
}

Result<prove::DevPlatform> Initializer::platform() {
  SP_TRY(keep_secret(kPlatform, prove::DevPlatform::generate(random_).encode()));
  return load_secret(files_, "platform", folder_ / kPlatform, prove::kDevPlatformSizeMax,
                     prove::DevPlatform::decode);
}

FollowedMarket Initializer::followed() const {
  return {{{network_->rpc}, 1}, network_->market, network_->start_block};
}

// Beside the settings: a service sees nobody's home.
Result<std::string> Initializer::keep_network_ca() {
  const Path from = options_.ca_file.empty() ? network_->ca_file : Path(options_.ca_file);
  if (from.empty()) return std::string();
  SP_ASSIGN(const Bytes pem, files_.read(from, kCaFileSizeMax));
  SP_TRY(keep(files_, CrashSite::init_settings, folder_ / kCaFile, pem, FileMode::everyone));
  return std::string(kCaFile);
}

Status Initializer::write_settings(const std::string& json) {
  return keep(files_, CrashSite::init_settings, settings_file(), as_bytes(json),
              FileMode::everyone);
}

Status Initializer::init_store() {
  SP_ASSIGN(const crypto::EthKey key, signing_key());
  card_.address = key.address();
  StoreSettings settings;
  settings.listen = listen_;
  settings.folder = "state/blobs";
  settings.key = kSigningKey;
  settings.bytes_max = options_.bytes_max;
  settings.accounts.open = true;
  settings.accounts.quota_bytes = options_.quota_bytes;
  return write_settings(settings.to_json());
}

Status Initializer::init_broker() {
  SP_TRY(keep_secret(kBrokerKeys, broker::BrokerKeys::generate(random_).encode()));
  SP_ASSIGN(const broker::BrokerKeys keys,
            load_secret(files_, "keys", folder_ / kBrokerKeys, broker::kBrokerKeysSizeMax,
                        broker::BrokerKeys::decode));
  card_.address = keys.signing.address();
  SP_ASSIGN(const prove::DevPlatform machine, platform());
  SP_ASSIGN(const auto own, prove::measure_program(files_, prove::kOwnProgram));
  card_.tee = dev_policy(own, machine.anchor());
  if (!network_) return {};
  BrokerSettings settings;
  settings.listen = listen_;
  settings.folder = "state/vault";
  settings.keys = kBrokerKeys;
  settings.platform = kPlatform;
  settings.markets = {followed()};
  settings.attests = network_->loader_tee;
  if (!options_.loaders.empty()) {
    SP_ASSIGN(const Json policy, read_settings_json(files_, options_.loaders));
    SP_ASSIGN(settings.attests, attest::AppraisalPolicy::from_json(policy, options_.loaders));
  }
  SP_ASSIGN(settings.ca_file, keep_network_ca());
  return write_settings(settings.to_json());
}

Status Initializer::init_provider() {
  SP_ASSIGN(card_.address, Address::from_hex(options_.authority));
  SP_ASSIGN(const crypto::EthKey action, signing_key());
  card_.action = action.address();
  SP_ASSIGN(const prove::DevPlatform machine, platform());
  card_.chip = machine.chip();
  SP_ASSIGN(const auto loader, prove::measure_program(files_, options_.loader));
  card_.tee = dev_policy(loader, machine.anchor());
  if (!network_) return {};
  ProviderSettings settings;
  settings.listen = listen_;
  settings.folder = "state/orders";
  settings.action_key = kSigningKey;
  settings.authority = card_.address;
  settings.markets = {{followed(), network_->confirmations, options_.capacity, options_.queue}};
  settings.loader = options_.loader;
  settings.runc = options_.runc;
  settings.platform = kPlatform;
  settings.services = network_->services;
  settings.mirrors = network_->mirrors;
  settings.services[network_->broker.address] = network_->broker.url;
  settings.services[network_->store.address] = network_->store.url;
  settings.services.erase(settings.authority);
  SP_ASSIGN(settings.ca_file, keep_network_ca());
  return write_settings(settings.to_json());
}

Result<Card> Initializer::run() {
  SP_TRY(check_options());
  SP_TRY(files_.make_folder(folder_ / "state"));
  SP_TRY(sweep_temporaries(folder_, SweepDepth::below));
  SP_TRY(read_network());
  listen_.address = options_.address;
  listen_.port = options_.port != 0 ? options_.port : default_port(options_.role);
  SP_TRY(make_certificate());
  card_.role = options_.role;
  const std::string& host = options_.hosts.front();
  const bool v6 = host.find(':') != std::string::npos;
  card_.url = std::string(options_.tls ? "https" : "http") + "://" +
              (v6 ? "[" + host + "]" : host) + ":" + std::to_string(listen_.port);
  if (options_.role == "store") SP_TRY(init_store());
  if (options_.role == "broker") SP_TRY(init_broker());
  if (options_.role == "provider") SP_TRY(init_provider());
  SP_TRY(card_.save(files_, folder_ / "card.json"));
  return card_;
}

}  // namespace

Result<Card> init_daemon(const InitOptions& options) { return Initializer(options).run(); }

}  // namespace sp::apps
