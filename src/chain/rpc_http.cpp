#include "chain/rpc_http.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>

#include "chain/rpc_json.hpp"

namespace sp::chain {
namespace {

net::HttpClient::Options client_options(const RpcPatience& patience, const std::string& ca_file) {
  net::HttpClient::Options options;
  options.timeout = patience.timeout;
  options.body_max = kRpcResponseMax;
  options.ca_file = ca_file;
  return options;
}

class HttpEndpoint final : public RpcEndpoint {
 public:
  HttpEndpoint(std::unique_ptr<net::HttpCaller> caller, std::string url, const Clock& clock,
               int tries_max)
      : caller_(std::move(caller)), url_(std::move(url)), clock_(clock), tries_max_(tries_max) {}

  Result<Json> call(const std::string& method, const Json& params) override {
    const std::uint64_t id = next_id_++;
    SP_ASSIGN(const Json answer, post(request(id, method, params)));
    return parse_answer(answer, id, method);
  }

  std::vector<Result<Json>> call_many(const std::vector<std::string>& methods,
                                      const Json& params) override {
    SP_CHECK(!methods.empty() && methods.size() <= kRpcBatchMax && params.size() == methods.size());
    const std::uint64_t first = next_id_.fetch_add(methods.size());
    Json batch = Json::array();
    for (std::size_t i = 0; i < methods.size(); ++i) {
      batch.push_back(request(first + i, methods[i], params[i]));
    }
    const auto answers = post(batch);
    std::vector<Result<Json>> results;
    for (std::size_t i = 0; i < methods.size(); ++i) {
      results.push_back(answers ? one_of(*answers, first + i, methods[i]) : answers.error());
    }
    return results;
  }

 private:
  static Json request(std::uint64_t id, const std::string& method, const Json& params) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}};
  }

  // A batch is answered by a list in any order, or by one error for all.
  static Result<Json> one_of(const Json& answers, std::uint64_t id, const std::string& method) {
    if (!answers.is_array()) return parse_answer(answers, id, method);
    for (const Json& answer : answers) {
      if (answer.is_object() && answer.contains("id") && answer["id"] == id) {
        return parse_answer(answer, id, method);
      }
    }
    return Error{Errc::malformed, "the endpoint's answer lacks the result of " + method};
  }

  Result<Json> post(const Json& body) {
    const std::string text = body.dump();
    std::chrono::milliseconds pause = kRpcPauseFirst;
    for (int tries = 1;; ++tries) {
      auto answer = caller_->call("POST", url_, as_bytes(text), kHeaders);
      const bool may_pass = answer ? answer->status == 429 || answer->status / 100 == 5
                                   : answer.error().code == Errc::unavailable ||
                                         answer.error().code == Errc::timed_out;
      if (!may_pass || tries >= tries_max_) return read(answer);
      clock_.sleep_for(std::max(pause, answer ? wanted_pause(*answer) : pause));
      pause *= 2;
    }
  }

  // "Retry-After" in seconds (RFC 9110, 10.2.3), as far as a caller can wait.
  static std::chrono::milliseconds wanted_pause(const net::HttpResponse& answer) {
    const auto header = answer.headers.find("retry-after");
    unsigned seconds = 0;
    if (header != answer.headers.end()) {
      const std::string& text = header->second;
      std::from_chars(text.data(), text.data() + text.size(), seconds);
    }
    return std::min<std::chrono::milliseconds>(std::chrono::seconds(seconds), kRpcRetryAfterMax);
  }

  static Result<Json> read(const Result<net::HttpResponse>& answer) {
    if (!answer) return answer.error().in("RPC endpoint");
    auto json = parse_json(as_text(answer->body), kRpcResponseMax);
    if (answer->status / 100 == 2) {
      if (!json) return json.error().in("RPC endpoint's answer");
      return json;
    }
    // Too many requests is said of the asking, whatever stands beside it.
    if (answer->status == 429) {
      return Error{Errc::unavailable, "the RPC endpoint answers with HTTP status 429"};
    }
    // Some endpoints send JSON-RPC errors with another status; a gateway's own JSON is no answer.
    const bool answered = json && json->is_object() && json->contains("jsonrpc");
    if (answered && json->contains("error")) return json;
    const bool later = answer->status / 100 == 5;
    return Error{later ? Errc::unavailable : Errc::refused,
                 "the RPC endpoint answers with HTTP status " + std::to_string(answer->status)};
  }

  inline static const net::Headers kHeaders{{"content-type", "application/json"},
                                            {"accept", "application/json"}};
  const std::unique_ptr<net::HttpCaller> caller_;
  const std::string url_;
  const Clock& clock_;
  const int tries_max_;
  std::atomic<std::uint64_t> next_id_ = 1;
};

}  // namespace

std::vector<Result<Json>> RpcEndpoint::call_many(const std::vector<std::string>& methods,
                                                 const Json& params) {
  SP_CHECK(!methods.empty() && methods.size() <= kRpcBatchMax && params.size() == methods.size());
  std::vector<Result<Json>> results;
  for (std::size_t i = 0; i < methods.size(); ++i) results.push_back(call(methods[i], params[i]));
  return results;
}

std::unique_ptr<RpcEndpoint> http_endpoint(const std::string& url, const Clock& clock,
                                           RpcPatience patience, const std::string& ca_file) {
  auto client = std::make_unique<net::HttpClient>(client_options(patience, ca_file));
  return endpoint_over(std::move(client), url, clock, patience.tries);
}

std::unique_ptr<RpcEndpoint> endpoint_over(std::unique_ptr<net::HttpCaller> caller,
                                           const std::string& url, const Clock& clock,
                                           int tries_max) {
  return std::make_unique<HttpEndpoint>(std::move(caller), url, clock, tries_max);
}

}  // namespace sp::chain
