#include "common/services.hpp"

#include <nlohmann/json.hpp>

namespace sp::apps {

Result<std::map<Address, std::string>> services_from_json(const Json& json,
                                                          const std::string& where) {
  if (!json.is_object()) return Error{Errc::malformed, where + " must be an object"};
  if (json.size() > kServicesMax) return Error{Errc::too_large, where + " has too many entries"};
  std::map<Address, std::string> services;
  for (const auto& [key, value] : json.items()) {
    auto address = Address::from_hex(key);
    if (!address) return address.error().in(where + "." + key);
    if (!value.is_string()) return Error{Errc::malformed, where + "." + key + " must be a text"};
    std::string url = value.get<std::string>();
    if (url.size() > kUrlMax) return Error{Errc::too_large, where + "." + key + " is too long"};
    services[*address] = std::move(url);
  }
  return services;
}

Json services_to_json(const std::map<Address, std::string>& services) {
  Json json = Json::object();
  for (const auto& [address, url] : services) json[address.hex0x()] = url;
  return json;
}

}  // namespace sp::apps
