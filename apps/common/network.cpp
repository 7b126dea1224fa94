#include "common/network.hpp"

#include <nlohmann/json.hpp>

#include "base/durable.hpp"
#include "base/json.hpp"
#include "common/services.hpp"
#include "common/settings.hpp"

namespace sp::apps {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kSymbolMax = 64;
constexpr std::uint64_t kDecimalsMax = 38;  // more places don't fit an amount

Result<ServiceAddress> read_service(const Json& json, const std::string& where) {
  JsonObject object(json, where);
  ServiceAddress service;
  service.url = read_url(object, "url");
  service.address = object.fixed<Address>("address");
  SP_TRY(object.finish());
  return service;
}

Json service_json(const ServiceAddress& service) {
  return {{"url", service.url}, {"address", service.address.hex0x()}};
}

}  // namespace

Result<Network> Network::load(const Files& files, const Path& path) {
  SP_ASSIGN(const Bytes bytes, files.read(path, kSettingsSizeMax));
  SP_ASSIGN(const Json json, parse_json(as_text(bytes), kSettingsSizeMax));
  JsonObject object(json, path.filename().string());
  if (object.number("version", 0xffff) != kVersion) {
    return Error{Errc::unsupported, path.string() + " isn't of version 1"};
  }
  Network network;
  network.rpc = read_url(object, "rpc");
  network.market.chain_id = object.number("chainId", ~std::uint64_t{0} >> 1);
  network.market.contract = object.fixed<Address>("market");
  network.token = object.fixed<Address>("token");
  network.token_symbol = object.text("tokenSymbol", kSymbolMax);
  network.token_decimals = static_cast<unsigned>(object.number("tokenDecimals", kDecimalsMax));
  network.start_block = object.number("startBlock", ~std::uint64_t{0} >> 1);
  network.confirmations = static_cast<std::uint32_t>(object.number("confirmations", 10'000));
  SP_ASSIGN(network.broker, read_service(object.any("broker"), "broker"));
  SP_ASSIGN(network.store, read_service(object.any("store"), "store"));
  SP_ASSIGN(network.broker_tee,
            attest::AppraisalPolicy::from_json(object.any("brokerTee"), "brokerTee"));
  SP_ASSIGN(network.loader_tee,
            attest::AppraisalPolicy::from_json(object.any("loaderTee"), "loaderTee"));
  if (object.has("services")) {
    SP_ASSIGN(network.services,
              services_from_json(object.any("services"), "services", network.mirrors));
  }
  if (object.has("caFile")) {
    const std::string file = object.text("caFile", kPathMax);
    if (file.empty()) object.fail("caFile", "must name a file");
    network.ca_file = path.parent_path() / file;
  }
  SP_TRY(object.finish());
  return network;
}

Status Network::save(Files& files, const Path& path) const {
  Json json{{"version", kVersion},
            {"rpc", rpc},
            {"chainId", market.chain_id},
            {"market", market.contract.hex0x()},
            {"token", token.hex0x()},
            {"tokenSymbol", token_symbol},
            {"tokenDecimals", token_decimals},
            {"startBlock", start_block},
            {"confirmations", confirmations},
            {"broker", service_json(broker)},
            {"store", service_json(store)},
            {"brokerTee", broker_tee.to_json()},
            {"loaderTee", loader_tee.to_json()},
            {"services", services_to_json(services, mirrors)}};
  if (!ca_file.empty()) {
    // Beside the network where it is there, so that both can be moved.
    const Path beside = ca_file.lexically_relative(path.parent_path());
    const bool elsewhere = beside.empty() || (ca_file.is_absolute() && *beside.begin() == "..");
    json["caFile"] = (elsewhere ? ca_file : beside).string();
  }
  return keep(files, CrashSite::client_network, path, as_bytes(json.dump(2) + "\n"),
              FileMode::everyone);
}

}  // namespace sp::apps
