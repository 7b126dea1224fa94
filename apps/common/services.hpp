// Where services are reached, by the account that they sign with: {"0x...":
// "http://127.0.0.1:8301"}; a store may have several places: {"0x...": [URL, URL]}.
#pragma once

#include <map>
#include <vector>

#include "base/json.hpp"

namespace sp::apps {

inline constexpr std::size_t kServicesMax = 1024;
inline constexpr std::size_t kUrlMax = 512;

inline constexpr std::size_t kServiceUrlsMax = 8;  ///< of one service

/// The places of services beyond their first.
using Mirrors = std::map<Address, std::vector<std::string>>;

/// The first place of each; the others go to `mirrors`. Errc::malformed, Errc::too_large.
Result<std::map<Address, std::string>> services_from_json(const Json& json,
                                                          const std::string& where,
                                                          Mirrors& mirrors);
Json services_to_json(const std::map<Address, std::string>& services, const Mirrors& mirrors);

}  // namespace sp::apps
