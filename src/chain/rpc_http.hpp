// JSON-RPC over HTTP by whatever carries the calls. Safe to call from any thread.
#pragma once

#include "chain/rpc.hpp"
#include "net/http.hpp"

namespace sp::chain {

/// As http_endpoint, over a caller of one's own; `tries_max` of each call.
std::unique_ptr<RpcEndpoint> endpoint_over(std::unique_ptr<net::HttpCaller> caller,
                                           const std::string& url, const Clock& clock,
                                           int tries_max);

}  // namespace sp::chain
