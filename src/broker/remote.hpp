// A broker over HTTP: the routes that `spnode broker` answers, and the client of depositors and
// owners.
//
// clang-format off
//   POST /v1/nonce, /v1/attest, /v1/release   the loader's calls, binary (FORMATS.md 6)
//   GET  /v1/identity?nonce=HEX               keys and evidence, binary
//   POST /v1/deposits                         a Deposit, binary; 429 where the account, 507 where
//                                             the vault is full
//   GET  /v1/deposits/OWNER/DIGEST            200 held, 404 not
//   GET  /v1/requests/ORDER                   {"requests": [{"attestation": HEX, "request": HEX}]}
//   GET  /health                              "ok"
// /metrics is the daemon's: Broker::metrics() is part of what it tells.
// clang-format on
//
// Errors have a JSON body {"error": code, "message": text}; 429, 503 and 507 say in Retry-After,
// and in the text, in how many seconds to try again.
#pragma once

#include "broker/service.hpp"
#include "net/http.hpp"

namespace sp::broker {

inline constexpr std::size_t kBrokerBodyMax = 2 << 20;
/// When a depositor may find room again in a full vault.
inline constexpr std::chrono::seconds kFullRetryAfter{3600};

/// Answers one request. Safe to call from any thread.
net::HttpResponse handle_broker_request(Broker& broker, const net::HttpRequest& request);

/// Calls a broker; waits for a busy one as it says, within net::Patience. Safe to call from any
/// thread.
class BrokerClient {
 public:
  BrokerClient(net::HttpCaller& client, std::string base_url);
  /// Waits by another clock than the system's: for simulations. What is passed outlives it.
  BrokerClient(net::HttpCaller& client, std::string base_url, const Clock& clock, Random& random);

  /// Asks who the broker is, verifies the evidence for a fresh nonce and appraises it.
  /// Errc::refused, Errc::bad_signature.
  Result<api::BrokerIdentityAnswer> identify(const attest::AppraisalPolicy& policy, Random& random,
                                             std::int64_t now);
  /// Seals a secret to an identified broker and hands it over, signed for now. Two of one digest in
  /// one second: the later waits for the next second.
  Status deposit(const api::BrokerIdentityAnswer& broker, const crypto::EthKey& owner,
                 const Digest32& digest, const std::string& policy, const api::PartSecret& secret,
                 Random& random);
  Result<bool> holds(const Address& owner, const Digest32& digest);
  Result<std::vector<KeptRequest>> requests(const api::OrderId& order);

 private:
  Result<net::HttpResponse> call(const std::string& method, const std::string& url,
                                 ByteView body = {});

  net::HttpCaller& client_;
  std::string base_url_;
  const Clock* clock_ = nullptr;  // the system's
  Random* random_ = nullptr;
};

}  // namespace sp::broker
