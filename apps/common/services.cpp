#include "common/services.hpp"

#include <nlohmann/json.hpp>

#include "net/http.hpp"

namespace sp::apps {

namespace {

Result<std::string> read_url(const Json& value, const std::string& where) {
  if (!value.is_string()) return Error{Errc::malformed, where + " must be a text, or texts"};
  std::string url = value.get<std::string>();
  if (url.size() > kUrlMax) return Error{Errc::too_large, where + " is too long"};
  if (const auto parsed = net::Url::parse(url); !parsed) return parsed.error().in(where);
  return url;
}

Result<std::vector<std::string>> read_places(const Json& value, const std::string& where) {
  std::vector<std::string> urls;
  if (!value.is_array()) {
    SP_ASSIGN(urls.emplace_back(), read_url(value, where));
    return urls;
  }
  if (value.empty() || value.size() > kServiceUrlsMax) {
    return Error{Errc::malformed,
                 where + " must hold 1 to " + std::to_string(kServiceUrlsMax) + " URLs"};
  }
  for (const Json& one : value) {
    SP_ASSIGN(urls.emplace_back(), read_url(one, where));
  }
  return urls;
}

}  // namespace

Result<std::map<Address, std::string>> services_from_json(const Json& json,
                                                          const std::string& where,
                                                          Mirrors& mirrors) {
  if (!json.is_object()) return Error{Errc::malformed, where + " must be an object"};
  if (json.size() > kServicesMax) return Error{Errc::too_large, where + " has too many entries"};
  std::map<Address, std::string> services;
  for (const auto& [key, value] : json.items()) {
    auto address = Address::from_hex(key);
    if (!address) return address.error().in(where + "." + key);
    SP_ASSIGN(std::vector<std::string> urls, read_places(value, where + "." + key));
    services[*address] = std::move(urls.front());
    urls.erase(urls.begin());
    if (!urls.empty()) mirrors[*address] = std::move(urls);
  }
  return services;
}

Json services_to_json(const std::map<Address, std::string>& services, const Mirrors& mirrors) {
  Json json = Json::object();
  for (const auto& [address, url] : services) {
    const auto more = mirrors.find(address);
    if (more == mirrors.end()) {
      json[address.hex0x()] = url;
      continue;
    }
    Json urls = Json::array({url});
    for (const std::string& other : more->second) urls.push_back(other);
    json[address.hex0x()] = std::move(urls);
  }
  return json;
}

}  // namespace sp::apps
