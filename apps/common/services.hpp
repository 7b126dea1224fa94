// Where services are reached, by the account that they sign with: {"0x...":
// "http://127.0.0.1:8301"}.
#pragma once

#include <map>

#include "base/json.hpp"

namespace sp::apps {

inline constexpr std::size_t kServicesMax = 1024;
inline constexpr std::size_t kUrlMax = 512;

/// Errc::malformed, Errc::too_large.
Result<std::map<Address, std::string>> services_from_json(const Json& json,
                                                          const std::string& where);
Json services_to_json(const std::map<Address, std::string>& services);

}  // namespace sp::apps
