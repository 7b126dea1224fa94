#include "broker/remote.hpp"

#include <nlohmann/json.hpp>

#include "crypto/random.hpp"
#include "net/patience.hpp"
#include "net/problem.hpp"

namespace sp::broker {
namespace {

using net::HttpRequest;
using net::HttpResponse;

constexpr std::string_view kBinary = "application/octet-stream";
constexpr std::string_view kJsonType = "application/json";
constexpr std::size_t kRequestsBodyMax = 2 << 20;

HttpResponse binary_response(ByteView body) {
  return net::text_response(200, kBinary, as_text(body));
}

// Decodes, calls and encodes one of the loader's calls.
template <class Request, class Call>
HttpResponse answer(const HttpRequest& http, Call call) {
  auto request = Request::decode(http.body);
  if (!request) return net::problem_response(request.error());
  auto result = call(*request);
  if (!result) return net::problem_response(result.error());
  return binary_response(result->encode());
}

HttpResponse answer_nonce(Broker& broker, const HttpRequest& http) {
  auto request = api::NonceRequest::decode(http.body);
  if (!request) return net::problem_response(request.error());
  auto nonce = broker.nonce(*request);
  return nonce ? binary_response(nonce->view()) : net::problem_response(nonce.error());
}

HttpResponse answer_identity(Broker& broker, const HttpRequest& http) {
  const auto text = http.query.find("nonce");
  auto nonce = api::Nonce::from_hex(text == http.query.end() ? "" : text->second);
  if (!nonce) return net::problem_response(nonce.error().in("the query needs nonce"));
  auto identity = broker.identity(*nonce);
  return identity ? binary_response(identity->encode()) : net::problem_response(identity.error());
}

HttpResponse answer_deposit(Broker& broker, const HttpRequest& http) {
  auto deposit = api::Deposit::decode(http.body);
  if (!deposit) return net::problem_response(deposit.error());
  const Status kept = broker.deposit(*deposit);
  if (!kept && kept.error().code == Errc::conflict) {
    return net::retry_response(429, kept.error(), kFullRetryAfter);
  }
  if (!kept && kept.error().code == Errc::io) {
    return net::retry_response(507, kept.error(), kFullRetryAfter);
  }
  return kept ? net::text_response(201, kJsonType, "{}") : net::problem_response(kept.error());
}

HttpResponse answer_holds(Broker& broker, std::string_view rest) {
  const std::size_t slash = rest.find('/');
  auto owner = Address::from_hex(rest.substr(0, slash));
  auto digest = Digest32::from_hex(slash == std::string_view::npos ? "" : rest.substr(slash + 1));
  if (!owner) return net::problem_response(owner.error());
  if (!digest) return net::problem_response(digest.error());
  if (broker.holds(*owner, *digest)) return net::text_response(200, kJsonType, "{}");
  return net::problem_response({Errc::not_found, "no secret of this owner and digest"});
}

HttpResponse answer_requests(Broker& broker, std::string_view rest) {
  auto order = api::OrderId::from_hex(rest);
  if (!order) return net::problem_response(order.error());
  auto kept = broker.requests(*order);
  if (!kept) return net::problem_response(kept.error());
  Json list = Json::array();
  for (const KeptRequest& entry : *kept) {
    list.push_back({{"attestation", to_hex(entry.attestation.encode())},
                    {"request", to_hex(entry.request.encode())}});
  }
  return net::text_response(200, kJsonType, Json{{"requests", std::move(list)}}.dump());
}

HttpResponse handle_get(Broker& broker, const HttpRequest& request) {
  constexpr std::string_view kDeposits = "/v1/deposits/";
  constexpr std::string_view kRequests = "/v1/requests/";
  const std::string_view path = request.path;
  if (path == "/health") return net::text_response(200, "text/plain", "ok");
  if (path == "/v1/identity") return answer_identity(broker, request);
  if (path.starts_with(kDeposits)) return answer_holds(broker, path.substr(kDeposits.size()));
  if (path.starts_with(kRequests)) return answer_requests(broker, path.substr(kRequests.size()));
  return net::problem_response({Errc::not_found, "no such resource"});
}

HttpResponse handle_post(Broker& broker, const HttpRequest& request) {
  if (request.path == "/v1/nonce") return answer_nonce(broker, request);
  if (request.path == "/v1/attest") {
    return answer<api::SessionProof>(request, [&](const auto& p) { return broker.attest(p); });
  }
  if (request.path == "/v1/release") {
    return answer<api::ReleaseRequest>(request, [&](const auto& r) { return broker.release(r); });
  }
  if (request.path == "/v1/deposits") return answer_deposit(broker, request);
  return net::problem_response({Errc::not_found, "no such resource"});
}

Result<KeptRequest> kept_from_json(const Json& json) {
  JsonObject object(json, "requests[]");
  const std::string attestation = object.text("attestation", 2 * api::kStatementSizeMax);
  const std::string request = object.text("request", 2 * api::kStatementSizeMax);
  SP_TRY(object.finish());
  SP_ASSIGN(const Bytes attestation_bytes, from_hex(attestation));
  SP_ASSIGN(const Bytes request_bytes, from_hex(request));
  KeptRequest kept;
  SP_ASSIGN(kept.attestation, api::Signed<api::Attestation>::decode(attestation_bytes));
  SP_ASSIGN(kept.request, api::Signed<api::KeyRequest>::decode(request_bytes));
  return kept;
}

}  // namespace

HttpResponse handle_broker_request(Broker& broker, const HttpRequest& request) {
  if (request.method == "GET") return handle_get(broker, request);
  if (request.method == "POST") return handle_post(broker, request);
  return net::text_response(405, kJsonType, R"({"error":"unsupported","message":"GET or POST"})");
}

BrokerClient::BrokerClient(net::HttpCaller& client, std::string base_url)
    : client_(client), base_url_(std::move(base_url)) {}

BrokerClient::BrokerClient(net::HttpCaller& client, std::string base_url, const Clock& clock,
                           Random& random)
    : client_(client), base_url_(std::move(base_url)), clock_(&clock), random_(&random) {}

Result<HttpResponse> BrokerClient::call(const std::string& method, const std::string& url,
                                        ByteView body) {
  const SystemClock system;
  crypto::SystemRandom random;
  return net::call_patiently(client_, clock_ ? *clock_ : system, random_ ? *random_ : random, {},
                             method, url, body);
}

Result<api::BrokerIdentityAnswer> BrokerClient::identify(const attest::AppraisalPolicy& policy,
                                                         Random& random, std::int64_t now) {
  const auto nonce = crypto::random_fixed<api::Nonce>(random);
  SP_ASSIGN(const HttpResponse response,
            call("GET", base_url_ + "/v1/identity?nonce=" + nonce.hex()));
  if (response.status != 200) return net::problem_from(response, "the broker at " + base_url_);
  SP_ASSIGN(api::BrokerIdentityAnswer answer, api::BrokerIdentityAnswer::decode(response.body));
  SP_ASSIGN(const attest::Verdict verdict, attest::verify(answer.evidence, now));
  const attest::BrokerIdentity context{answer.deposit_key, answer.broker, nonce};
  SP_TRY(verdict.binds(context.report_data()));
  SP_TRY(attest::all_allowed(attest::appraise(verdict, policy)));
  return answer;
}

Status BrokerClient::deposit(const api::BrokerIdentityAnswer& broker, const crypto::EthKey& owner,
                             const Digest32& digest, const std::string& policy,
                             const api::PartSecret& secret, Random& random) {
  const SystemClock system;
  const Clock& clock = clock_ ? *clock_ : system;
  api::Deposit deposit{broker.broker, owner.address(), digest, 0, policy, {}, {}};
  SP_ASSIGN(deposit.sealed, crypto::hpke_seal(random, broker.deposit_key, deposit.info(), {},
                                              secret.encode().reveal()));
  for (bool again = false;; again = true) {
    deposit.time = static_cast<std::uint64_t>(clock.unix_seconds());
    deposit.signature = owner.sign(deposit.digest_to_sign());
    SP_ASSIGN(const HttpResponse response,
              call("POST", base_url_ + "/v1/deposits", deposit.encode()));
    if (response.status == 201) return {};
    const Error problem = net::problem_from(response, "the broker at " + base_url_);
    if (again || problem.code != Errc::expired) return problem;
    clock.sleep_for(std::chrono::seconds(1));
  }
}

Result<bool> BrokerClient::holds(const Address& owner, const Digest32& digest) {
  SP_ASSIGN(const HttpResponse response,
            call("GET", base_url_ + "/v1/deposits/" + owner.hex() + "/" + digest.hex()));
  if (response.status == 200) return true;
  if (response.status == 404) return false;
  return net::problem_from(response, "the broker at " + base_url_);
}

Result<std::vector<KeptRequest>> BrokerClient::requests(const api::OrderId& order) {
  SP_ASSIGN(const HttpResponse response, call("GET", base_url_ + "/v1/requests/" + order.hex()));
  if (response.status != 200) return net::problem_from(response, "the broker at " + base_url_);
  SP_ASSIGN(const Json json, parse_json(as_text(response.body), kRequestsBodyMax));
  JsonObject object(json, "answer");
  const Json& list = object.any("requests");
  SP_TRY(object.finish());
  if (!list.is_array() || list.size() > kClaimsMax) {
    return Error{Errc::malformed, "requests must be a list"};
  }
  std::vector<KeptRequest> kept;
  for (const Json& entry : list) {
    SP_ASSIGN(KeptRequest request, kept_from_json(entry));
    kept.push_back(std::move(request));
  }
  return kept;
}

}  // namespace sp::broker
