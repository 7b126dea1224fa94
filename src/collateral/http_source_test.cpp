#include "collateral/http_source.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "collateral/testing/test_support.hpp"
#include "net/target.hpp"

namespace sp::collateral {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ManualClock;

const std::string kPem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const Wanted kCrl = AmdCrl{AmdKey::vcek, AmdProduct::milan};

net::HttpResponse answer(unsigned status, std::string_view body, net::Headers headers = {}) {
  net::HttpResponse response;
  response.status = status;
  response.headers = std::move(headers);
  response.body = to_bytes(as_bytes(body));
  return response;
}

// A vendor's service that gives the answers of a script, the last one for ever.
class Service {
 public:
  explicit Service(std::deque<net::HttpResponse> script) : script_(std::move(script)) {
    net::HttpServer::Options options;
    options.body_max = 1024;
    server_ = net::HttpServer::start(options, [this](const net::HttpRequest& request) {
                const std::lock_guard lock(mutex_);
                requests_.push_back(request);
                const net::HttpResponse response = script_.front();
                if (script_.size() > 1) script_.pop_front();
                return response;
              }).value();
  }
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server_->port());
  }
  std::vector<net::HttpRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::size_t count() { return requests().size(); }

 private:
  std::mutex mutex_;
  std::deque<net::HttpResponse> script_;    // under mutex_
  std::vector<net::HttpRequest> requests_;  // under mutex_
  std::unique_ptr<net::HttpServer> server_;
};

HttpSource::Options amd(std::vector<std::string> bases) {
  HttpSource::Options options;
  options.amd = std::move(bases);
  return options;
}

HttpSource::Options intel(std::vector<IntelService> services) {
  HttpSource::Options options;
  options.intel = std::move(services);
  return options;
}

TEST(HttpSource, AsksAsTheVendorsAreAsked) {
  Service service({answer(200, "certificate")});
  ManualClock clock;
  HttpSource source(amd({service.url() + "/kds/"}), clock);
  const Bytes hwid(kTurinHwidSize, 0x0a);
  const auto got = source.get(AmdChipCertificate{AmdProduct::turin, hwid, {1, 2, 3, 4, 5}});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(as_text(got->body), "certificate");
  EXPECT_EQ(got->issuer_chain, "");
  const auto request = service.requests().at(0);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/kds/vcek/v1/Turin/0a0a0a0a0a0a0a0a");
  EXPECT_EQ(request.query.at("fmcSPL"), "05");
  EXPECT_EQ(request.query.at("ucodeSPL"), "04");
}

TEST(HttpSource, TakesIssuerChainsFromFields) {
  const std::string encoded = net::percent_encode(kPem);
  struct Row {
    Wanted wanted;
    std::string field;
  };
  for (const Row& row : {Row{IntelPckCrl{}, "SGX-PCK-CRL-Issuer-Chain"},
                         Row{IntelTcbInfo{}, "TCB-Info-Issuer-Chain"},
                         Row{IntelTcbInfo{}, "SGX-TCB-Info-Issuer-Chain"},
                         Row{IntelQeIdentity{}, "SGX-Enclave-Identity-Issuer-Chain"}}) {
    Service service({answer(200, "{}", {{row.field, encoded}})});
    ManualClock clock;
    HttpSource source(intel({{service.url(), ""}}), clock);
    const auto got = source.get(row.wanted);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->issuer_chain, kPem) << row.field;
  }
}

TEST(HttpSource, TheRootsListHasAPlaceOfItsOwn) {
  Service vendor({answer(200, "at the vendor")});
  ManualClock clock;
  HttpSource direct(intel({{"http://127.0.0.1:1", vendor.url() + "/IntelSGXRootCA.der"}}), clock);
  EXPECT_EQ(as_text(direct.get(IntelRootCrl{})->body), "at the vendor");
  EXPECT_EQ(vendor.requests().at(0).path, "/IntelSGXRootCA.der");
  Service cache({answer(200, "in a cache")});
  HttpSource cached(intel({{cache.url(), ""}}), clock);
  EXPECT_EQ(as_text(cached.get(IntelRootCrl{})->body), "in a cache");
  EXPECT_EQ(cache.requests().at(0).path, "/sgx/certification/v4/rootcacrl");
}

TEST(HttpSource, TheFirstThatAnswersCounts) {
  Service first({answer(200, "first")});
  Service second({answer(200, "second")});
  ManualClock clock;
  HttpSource source(amd({first.url(), second.url()}), clock);
  EXPECT_EQ(as_text(source.get(kCrl)->body), "first");
  EXPECT_EQ(second.count(), 0U);

  Service broken({answer(500, "")});
  HttpSource other(amd({"http://127.0.0.1:1", broken.url(), second.url()}), clock);
  EXPECT_EQ(as_text(other.get(kCrl)->body), "second");
  EXPECT_EQ(broken.count(), 1U);
  // The broken one is left alone for a while.
  EXPECT_EQ(as_text(other.get(kCrl)->body), "second");
  EXPECT_EQ(broken.count(), 1U);
  EXPECT_EQ(clock.slept(), milliseconds(0));
}

TEST(HttpSource, ThatAThingIsntThereIsAnAnswer) {
  Service first({answer(404, "")});
  Service second({answer(200, "second")});
  ManualClock clock;
  HttpSource source(amd({first.url(), second.url()}), clock);
  const auto got = source.get(kCrl);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error(), (Error{Errc::not_found, first.url() + " has no vcek CRL of Milan"}));
  EXPECT_EQ(first.count(), 1U);
  EXPECT_EQ(second.count(), 0U);
}

TEST(HttpSource, WaitsAsLongAsItIsAsked) {
  Service service({answer(429, "", {{"retry-after", "5"}}), answer(503, ""), answer(200, "ok")});
  ManualClock clock;
  HttpSource source(amd({service.url()}), clock);
  const auto got = source.get(kCrl);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(service.count(), 3U);
  EXPECT_EQ(clock.slept(), seconds(5) + 2 * kFirstPause);
}

TEST(HttpSource, DoesntWaitBeyondItsTime) {
  Service service({answer(429, "", {{"retry-after", "100000"}}), answer(200, "ok")});
  ManualClock clock;
  HttpSource source(amd({service.url()}), clock);
  EXPECT_EQ(source.get(kCrl).error(), (Error{Errc::unavailable, service.url() + " answers 429"}));
  EXPECT_EQ(source.get(kCrl).error(),
            (Error{Errc::unavailable, "every service asks to wait: vcek CRL of Milan"}));
  EXPECT_EQ(service.count(), 1U);
  EXPECT_EQ(clock.slept(), milliseconds(0));
  // A service can't have itself be left alone for ever.
  clock.advance(kRetryAfterMax);
  EXPECT_TRUE(source.get(kCrl).ok());
}

TEST(HttpSource, GivesUpWhereNothingHelps) {
  Service service({answer(500, "")});
  ManualClock clock;
  HttpSource source(amd({service.url()}), clock);
  EXPECT_EQ(source.get(kCrl).error(), (Error{Errc::unavailable, service.url() + " answers 500"}));
  EXPECT_EQ(service.count(), 5U);  // at 0, 1, 3, 7 and 15 seconds
  HttpSource nobody(amd({}), clock);
  EXPECT_EQ(nobody.get(kCrl).error().message, "no service to ask for vcek CRL of Milan");
}

TEST(HttpSource, AsksConditionallyTheOneThatGaveTheTag) {
  Service service({answer(200, "list", {{"etag", "\"1\""}, {"cache-control", "max-age=60"}}),
                   answer(304, "", {{"cache-control", "max-age=30"}})});
  ManualClock clock;
  HttpSource source(amd({service.url()}), clock);
  const auto first = source.fetch(kCrl, {});
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->validator.etag, "\"1\"");
  EXPECT_EQ(first->validator.origin, service.url());
  EXPECT_EQ(first->lifetime, seconds(60));
  const auto second = source.fetch(kCrl, first->validator);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_TRUE(second->unchanged);
  EXPECT_EQ(second->lifetime, seconds(30));
  EXPECT_EQ(service.requests().at(1).headers.at("if-none-match"), "\"1\"");
  // Somebody else's tag isn't sent, so "unchanged" is no answer.
  const auto other = source.fetch(kCrl, {"http://elsewhere", "\"1\""});
  EXPECT_EQ(other.error().message, service.url() + " answers 304");
  EXPECT_FALSE(service.requests().at(2).headers.contains("if-none-match"));
}

TEST(HttpSource, AnswersOfAnotherFormAreNoAnswers) {
  const std::string large(kBodySizeMax + 1, 'x');
  const auto code = [](net::HttpResponse response) {
    Service service({std::move(response)});
    ManualClock clock;
    HttpSource source(intel({{service.url(), ""}}), clock);
    const auto got = source.get(IntelTcbInfo{});
    return got ? "answered" : std::string(errc_name(got.error().code));
  };
  const std::string field = "TCB-Info-Issuer-Chain";
  EXPECT_EQ(code(answer(200, "{}", {{field, net::percent_encode(kPem)}})), "answered");
  EXPECT_EQ(code(answer(200, "{}")), "malformed");
  EXPECT_EQ(code(answer(200, "{}", {{field, "no%20chain"}})), "malformed");
  EXPECT_EQ(code(answer(200, "", {{field, net::percent_encode(kPem)}})), "malformed");
  EXPECT_EQ(code(answer(200, large, {{field, net::percent_encode(kPem)}})), "too_large");
  EXPECT_EQ(code(answer(302, "", {{"location", "http://127.0.0.1:1/"}})), "unavailable");
  EXPECT_EQ(code(answer(403, "")), "unavailable");
}

TEST(HttpSource, TheVendorsServicesAreAskedOverTls) {
  const auto options = HttpSource::Options::vendors();
  EXPECT_EQ(options.amd.at(0), "https://kdsintf.amd.com");
  EXPECT_EQ(options.intel.at(0).base, "https://api.trustedservices.intel.com");
  EXPECT_TRUE(options.intel.at(0).root_crl.starts_with("https://certificates."));
}

}  // namespace
}  // namespace sp::collateral
