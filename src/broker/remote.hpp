// A broker over HTTP: the routes that `spnode broker` answers, and the client of depositors and
// owners.
//
// clang-format off
//   POST /v1/nonce, /v1/attest, /v1/release   the loader's calls, binary (FORMATS.md 6)
//   GET  /v1/identity?nonce=HEX               keys and evidence, binary
//   POST /v1/deposits                         a Deposit, binary
//   GET  /v1/deposits/OWNER/DIGEST            200 held, 404 not
//   GET  /v1/requests/ORDER                   {"requests": [{"attestation": HEX, "request": HEX}]}
//   GET  /health                              "ok"
//   GET  /metrics                             for Prometheus: counts, until when evidence holds
// clang-format on
//
// Errors have a JSON body {"error": code, "message": text}.
#pragma once

#include "broker/service.hpp"
#include "net/http.hpp"

namespace sp::broker {

inline constexpr std::size_t kBrokerBodyMax = 2 << 20;

/// Answers one request. Safe to call from any thread.
net::HttpResponse handle_broker_request(Broker& broker, const net::HttpRequest& request);

/// Calls a broker. Safe to call from any thread.
class BrokerClient {
 public:
  BrokerClient(net::HttpCaller& client, std::string base_url);

  /// Asks who the broker is, verifies the evidence for a fresh nonce and appraises it.
  /// Errc::refused, Errc::bad_signature.
  Result<api::BrokerIdentityAnswer> identify(const attest::AppraisalPolicy& policy, Random& random,
                                             std::int64_t now);
  /// Seals a secret to an identified broker and hands it over.
  Status deposit(const api::BrokerIdentityAnswer& broker, const crypto::EthKey& owner,
                 const Digest32& digest, const std::string& policy, const api::PartSecret& secret,
                 Random& random);
  Result<bool> holds(const Address& owner, const Digest32& digest);
  Result<std::vector<KeptRequest>> requests(const api::OrderId& order);

 private:
  net::HttpCaller& client_;
  std::string base_url_;
};

}  // namespace sp::broker
