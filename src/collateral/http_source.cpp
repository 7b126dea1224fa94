#include "collateral/http_source.hpp"

#include <algorithm>

#include "collateral/answers.hpp"

namespace sp::collateral {
namespace {

constexpr unsigned kOk = 200;
constexpr unsigned kNotModified = 304;
constexpr unsigned kNotFound = 404;

net::HttpClient::Options client_options(const HttpSource::Options& options) {
  net::HttpClient::Options result;
  result.timeout = options.call_timeout;
  result.body_max = kBodySizeMax;
  result.ca_file = options.ca_file;
  return result;
}

std::string without_slash(std::string base) {
  while (base.ends_with('/')) base.pop_back();
  return base;
}

// The issuer chain of an answer; empty where the thing has none.
Result<std::string> issuer_chain(const Wanted& wanted, const net::Headers& headers) {
  const auto fields = chain_fields(wanted);
  if (fields.empty()) return std::string();
  for (const std::string_view field : fields) {
    const auto found = headers.find(field);
    if (found != headers.end()) return decode_issuer_chain(found->second);
  }
  return Error{Errc::malformed, "the answer has no field " + std::string(fields.front())};
}

std::string tag_of(const net::Headers& headers) {
  const auto found = headers.find("etag");
  return found == headers.end() || found->second.size() > kEtagSizeMax ? "" : found->second;
}

}  // namespace

HttpSource::Options HttpSource::Options::vendors() {
  Options options;
  options.amd = {"https://kdsintf.amd.com"};
  options.intel = {{"https://api.trustedservices.intel.com",
                    "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"}};
  return options;
}

HttpSource::HttpSource(Options options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), client_(client_options(options_)) {
  SP_CHECK(options_.amd.size() <= kServicesMax && options_.intel.size() <= kServicesMax);
}

std::vector<HttpSource::Service> HttpSource::services_of(const Wanted& wanted) const {
  std::vector<Service> services;
  const std::string path = path_of(wanted);
  if (vendor_of(wanted) == attest::Vendor::amd) {
    for (const std::string& base : options_.amd) {
      services.push_back({without_slash(base), without_slash(base) + path});
    }
    return services;
  }
  for (const IntelService& service : options_.intel) {
    const std::string base = without_slash(service.base);
    if (std::holds_alternative<IntelRootCrl>(wanted) && !service.root_crl.empty()) {
      services.push_back({service.root_crl, service.root_crl});
    } else {
      services.push_back({base, base + path});
    }
  }
  return services;
}

std::chrono::nanoseconds HttpSource::ready_at(const Service& service) {
  const std::lock_guard lock(mutex_);
  const auto found = pauses_.find(service.origin);
  return found == pauses_.end() ? std::chrono::nanoseconds(0) : found->second.until;
}

void HttpSource::succeeded(const Service& service) {
  const std::lock_guard lock(mutex_);
  pauses_.erase(service.origin);
}

void HttpSource::failed(const Service& service, std::optional<std::chrono::seconds> retry_after) {
  const std::lock_guard lock(mutex_);
  Pause& pause = pauses_[service.origin];
  constexpr int kDoublingsMax = 16;
  const std::chrono::seconds growing =
      std::min(kPauseMax, kFirstPause * (1 << std::min(pause.failures, kDoublingsMax)));
  ++pause.failures;
  const auto asked = std::min(kRetryAfterMax, retry_after.value_or(std::chrono::seconds(0)));
  pause.until = clock_.monotonic() + std::max(growing, asked);
}

HttpSource::Attempt HttpSource::read(const Service& service, const Wanted& wanted,
                                     net::HttpResponse response) {
  auto chain = issuer_chain(wanted, response.headers);
  if (chain && response.body.empty()) chain = Error{Errc::malformed, "the answer is empty"};
  if (!chain) {
    failed(service, {});
    return {false, chain.error().in(service.origin)};
  }
  succeeded(service);
  Fetched fetched;
  fetched.published = {std::move(response.body), std::move(*chain)};
  fetched.validator = {service.origin, tag_of(response.headers)};
  fetched.lifetime = lifetime_of(response.headers, clock_.unix_seconds());
  return {true, std::move(fetched)};
}

HttpSource::Attempt HttpSource::ask(const Service& service, const Wanted& wanted,
                                    const Validator& kept) {
  net::Headers headers;
  const bool conditional = !kept.etag.empty() && kept.origin == service.origin;
  if (conditional) headers["if-none-match"] = kept.etag;
  auto response = client_.call("GET", service.url, {}, headers);
  if (!response) {
    failed(service, {});
    return {false, response.error().in(service.origin)};
  }
  if (response->status == kOk) return read(service, wanted, std::move(*response));
  if (response->status == kNotModified && conditional) {
    succeeded(service);
    Fetched fetched;
    fetched.unchanged = true;
    fetched.validator = kept;
    fetched.lifetime = lifetime_of(response->headers, clock_.unix_seconds());
    return {true, std::move(fetched)};
  }
  if (response->status == kNotFound) {
    succeeded(service);
    return {true, Error{Errc::not_found, service.origin + " has no " + name_of(wanted)}};
  }
  failed(service, retry_after_of(response->headers, clock_.unix_seconds()));
  return {false, Error{Errc::unavailable,
                       service.origin + " answers " + std::to_string(response->status)}};
}

Result<Fetched> HttpSource::fetch(const Wanted& wanted, const Validator& kept) {
  const auto deadline = clock_.monotonic() + options_.fetch_timeout;
  const std::vector<Service> services = services_of(wanted);
  Error last{Errc::unavailable, "no service to ask for " + name_of(wanted)};
  if (services.empty()) return last;
  last.message = "every service asks to wait: " + name_of(wanted);
  for (;;) {
    auto next = std::chrono::nanoseconds::max();
    for (const Service& service : services) {
      if (clock_.monotonic() >= deadline) return last;
      if (ready_at(service) <= clock_.monotonic()) {
        Attempt attempt = ask(service, wanted, kept);
        if (attempt.final) return std::move(attempt.outcome);
        last = attempt.outcome.error();
      }
      next = std::min(next, ready_at(service));
    }
    if (next >= deadline) return last;
    clock_.sleep_for(std::max(std::chrono::nanoseconds(0), next - clock_.monotonic()));
  }
}

Result<Published> HttpSource::get(const Wanted& wanted) {
  SP_ASSIGN(Fetched fetched, fetch(wanted, {}));
  return std::move(fetched.published);
}

}  // namespace sp::collateral
