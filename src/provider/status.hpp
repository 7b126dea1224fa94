// What the provider tells over HTTP about its orders: for their customers, and for whoever runs it.
//
//   GET /health                  "ok"
//   GET /v1/orders               {"orders": [ID]}
//   GET /v1/orders/ID            {"state", "stage", "failure"}
//   GET /v1/orders/ID/finish     the loader's Finish, binary: attestation, receipt, evidence, C
// Nothing here is secret, and nothing is believed by who verifies.
#pragma once

#include "net/http.hpp"
#include "provider/controller.hpp"

namespace sp::provider {

/// Answers one request for all markets of a provider. Safe to call from any thread.
net::HttpResponse handle_status_request(const std::vector<const Controller*>& controllers,
                                        const net::HttpRequest& request);

}  // namespace sp::provider
