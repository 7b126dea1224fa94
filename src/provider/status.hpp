// What the provider tells over HTTP about its orders: for their customers, and for whoever runs it.
//
//   GET /health                  "ok"
//   GET /v1/orders/ID            {"state", "stage", "failure"}
//   GET /v1/orders/ID/finish     the loader's Finish, binary: attestation, receipt, evidence, C;
//                                404 until the order can't run again (Controller::finish_of)
// Nothing here is secret, and nothing is believed by who verifies.
#pragma once

#include "net/http.hpp"
#include "net/metrics.hpp"
#include "provider/controller.hpp"

namespace sp::provider {

inline constexpr std::chrono::seconds kPollAgeMax{60};  ///< of a healthy follower

/// Errc::unavailable where the follower hasn't polled the chain for kPollAgeMax.
Status controller_health(const Controller& controller, const Clock& clock);

/// Families superprotocol_provider_orders, _orders_total, _queue_full and _next_block of
/// controllers, each with the name of its market as a label.
void write_controller_metrics(
    net::MetricsText& text,
    const std::vector<std::pair<std::string, const Controller*>>& controllers);

/// Answers one request for all markets of a provider. Safe to call from any thread.
net::HttpResponse handle_status_request(const std::vector<const Controller*>& controllers,
                                        const net::HttpRequest& request);

}  // namespace sp::provider
