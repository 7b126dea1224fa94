// What a provider says of an order, for people. Nobody believes a word of it. Safe to call from any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "net/http.hpp"

namespace sp::spctl {

inline constexpr std::size_t kProviderWordsMax = 200;  ///< bytes of each text that are kept

struct ProviderWords {
  std::string stage;    ///< "pulling", or "failed"; empty where it says nothing
  std::string failure;  ///< why it gave the order up; else empty
};

/// Of the body that a provider answers GET /v1/orders/ID with. What can't be read says nothing.
ProviderWords words_from_json(std::string_view body);

/// The same, asked for at `url`.
ProviderWords ask_provider(net::HttpCaller& http, const std::string& url);

}  // namespace sp::spctl
