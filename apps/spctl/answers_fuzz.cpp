// Hostile servers: a broker, a store and a provider whose answers to a client are built of the
// input, right or spoilt. The first byte says which. What a client takes of an honest one is what
// was sent; of any one it is within limits, about what was asked, and fit to be shown.
#include "api/testing/fuzz_terms.hpp"
#include "attest/dev.hpp"
#include "base/testing/fuzz_json.hpp"
#include "broker/remote.hpp"
#include "chain/testing/fake_endpoint.hpp"
#include "crypto/testing/fixed_keys.hpp"
#include "spctl/provider_words.hpp"
#include "store/remote/byte_range.hpp"
#include "store/remote/http_store.hpp"
#include "store/testing/test_support.hpp"

namespace sp::spctl {
namespace {

using chain::testing::FakeClock;
using net::HttpResponse;
using sp::testing::FuzzInput;

constexpr std::array<const char*, 4> kWords{"running", "failed", "", "\u202e\u009b"};
constexpr std::array<unsigned, 12> kStatuses{200, 201, 204, 206, 400, 401,
                                             403, 404, 409, 416, 425, 503};
constexpr unsigned kAnswersMax = 12;  // to one client; then nobody is there
constexpr store::Backoff kBackoff{3, std::chrono::milliseconds(1), std::chrono::milliseconds(9)};

const crypto::EthKey& signer() {
  static const crypto::EthKey key = crypto::testing::eth_key(4);
  return key;
}

/// Answers by a function.
class Server final : public net::HttpCaller {
 public:
  using Answer = std::function<HttpResponse(const std::string& method, const std::string& url,
                                            const net::Headers& headers)>;
  explicit Server(Answer answer) : answer_(std::move(answer)) {}

 private:
  Result<HttpResponse> carry(const std::string& method, const std::string& url, ByteView /*body*/,
                             const net::Headers& headers) override {
    if (++answers_ > kAnswersMax) return Error{Errc::unavailable, "nobody answers"};
    return answer_(method, url, headers);
  }

  const Answer answer_;
  unsigned answers_ = 0;
};

/// An answer of which nothing is right but by chance.
HttpResponse any_answer(FuzzInput& input) {
  HttpResponse answer;
  answer.status = input.one_of(kStatuses);
  if (input.flag()) answer.headers["retry-after"] = std::to_string(input.byte());
  if (input.flag()) answer.headers["content-length"] = input.text(20);
  if (input.flag()) {
    answer.headers["content-range"] =
        store::content_range({input.byte(), input.byte(), input.number<std::uint16_t>()});
  }
  Json problem{{"error", "refused"}, {"message", input.text(300)}};
  if (input.flag()) spoil_json(input, problem, kWords);
  const std::string text = sp::testing::json_text(problem);
  answer.body = input.flag() ? to_bytes(as_bytes(text)) : to_bytes(input.bytes(200));
  return answer;
}

HttpResponse ok(ByteView body) { return {200, {}, to_bytes(body)}; }

template <class Value>
void check_words(const Result<Value>& result) {
  if (result.ok()) return;
  for (const char c : result.error().message) SP_CHECK(c >= ' ' && c <= '~');
}

template <class Fixed>
Fixed query_of(const std::string& url) {
  return Fixed::from_hex(url.substr(url.rfind('=') + 1)).value();
}

// --- a broker ---

void check_requests(FuzzInput& input) {
  std::vector<broker::KeptRequest> kept(input.below(3));
  Json list = Json::array();
  for (auto& [attestation, request] : kept) {
    attestation = api::testing::any_attestation(input);
    request.statement.run = api::testing::any_run(input);
    request.signature = input.fixed<api::EthSignature>();
    list.push_back(
        {{"attestation", to_hex(attestation.encode())}, {"request", to_hex(request.encode())}});
  }
  Json json{{"requests", std::move(list)}};
  const bool honest = input.flag();
  if (!honest) spoil_json(input, json, kWords);
  const std::string text = sp::testing::json_text(json);
  Server server([&](const auto&, const auto&, const auto&) { return ok(as_bytes(text)); });
  const auto read = broker::BrokerClient(server, "http://broker").requests({});
  SP_CHECK(read.ok() || !honest);
  if (!read) return check_words(read);
  SP_CHECK(read->size() <= broker::kClaimsMax && (!honest || read->size() == kept.size()));
  for (std::size_t i = 0; honest && i < kept.size(); ++i) {
    SP_CHECK((*read)[i].attestation == kept[i].attestation);
    SP_CHECK((*read)[i].request == kept[i].request);
  }
}

void check_identity(FuzzInput& input) {
  static const crypto::EcKey key =
      crypto::EcKey::from_secret(crypto::Curve::p256, SecretBytes(Bytes(32, 7))).value();
  attest::AppraisalPolicy policy;
  policy.kinds = {attest::EvidenceKind::dev};
  policy.any_measurement = true;
  policy.tcb_statuses = {attest::TcbStatus::up_to_date};
  policy.dev_keys = {attest::dev_anchor(key.public_key())};
  api::BrokerIdentityAnswer good;
  good.deposit_key = input.fixed<crypto::X25519Public>();
  good.broker = input.fixed<Address>();
  bool honest = true;
  Server server([&](const auto&, const std::string& url, const auto&) {
    const attest::BrokerIdentity context{good.deposit_key, good.broker, query_of<api::Nonce>(url)};
    good.evidence = attest::make_dev_evidence(key, {}, {}, context.report_data());
    const Bytes body = good.encode();
    const Bytes sent = input.spoiled(body);
    honest = sent == body;
    return ok(sent);
  });
  store::testing::CountingRandom random(input.byte());
  const auto known = broker::BrokerClient(server, "http://broker").identify(policy, random, 0);
  SP_CHECK(known.ok() == honest);
  if (!known) return check_words(known);
  SP_CHECK(known->deposit_key == good.deposit_key && known->broker == good.broker);
}

void check_broker(FuzzInput& input) {
  Server server([&](const auto&, const auto&, const auto&) { return any_answer(input); });
  const FakeClock clock;
  store::testing::CountingRandom random;
  broker::BrokerClient client(server, "http://broker", clock, random);
  check_words(client.holds({}, {}));
  check_words(client.requests({}));
  check_words(client.deposit({{.data = {9}}, {}, {}}, signer(), {}, "{}", {}, random));
}

// --- a store ---

/// Of one blob, whose transfer breaks off as the input says.
class BlobServer final : public net::HttpCaller {
 public:
  BlobServer(FuzzInput& input, ByteView blob) : input_(input), blob_(blob) {}

  Result<HttpResponse> download(const std::string& /*url*/, const net::Headers& headers,
                                net::BodyReceiver& receiver) override {
    const auto field = headers.find("range");
    const auto range = field == headers.end()
                           ? std::nullopt
                           : store::parse_byte_range(field->second, blob_.size());
    const bool part = range && input_.flag();  // who has no ranges sends the whole
    if (part && range->size == 0) return HttpResponse{416, {}, {}};
    HttpResponse head{part ? 206U : 200U, {}, {}};
    const std::size_t first = part ? static_cast<std::size_t>(range->first) : 0;
    if (part) {
      head.headers["content-range"] = store::content_range({first, blob_.size() - 1, blob_.size()});
    }
    SP_TRY(receiver.begin(head));
    const ByteView rest = blob_.subspan(first);
    const std::size_t piece = input_.flag() ? input_.below(rest.size() + 1) : rest.size();
    SP_TRY(receiver.take(rest.first(piece)));
    if (piece < rest.size()) return Error{Errc::unavailable, "the answer breaks off"};
    return head;
  }

 private:
  Result<HttpResponse> carry(const std::string& method, const std::string& /*url*/,
                             ByteView /*body*/, const net::Headers& /*headers*/) override {
    SP_CHECK(method == "HEAD");
    return HttpResponse{200, {{"content-length", std::to_string(blob_.size())}}, {}};
  }

  FuzzInput& input_;
  const ByteView blob_;
};

void check_download(FuzzInput& input) {
  const Bytes blob(input.below(3000), input.byte());
  const store::BlobId id = store::blob_id(blob);
  const FakeClock clock;
  store::testing::CountingRandom random;
  const store::StoreAccess access{nullptr, {}, &clock, &random, kBackoff};
  const std::size_t size_max = input.flag() ? blob.size() : input.below(3000);
  Bytes sent = blob;
  if (input.flag()) sent = input.spoiled(std::move(sent));
  BlobServer server(input, sent);
  store::HttpStore client(server, "http://store", access);
  const auto got = client.get(id, size_max);
  check_words(got);
  if (got) {
    SP_CHECK(*got == blob && blob.size() <= size_max);
  } else if (sent == blob) {
    const Errc why = got.error().code;
    SP_CHECK(why == Errc::unavailable || (why == Errc::too_large && blob.size() > size_max));
  }
}

void check_store(FuzzInput& input) {
  Server server([&](const std::string&, const std::string& url, const auto&) {
    const std::string identity = "{\"address\":\"" + signer().address().hex0x() + "\"}";
    const bool asked = url.ends_with("/v1/identity") && input.flag();
    return asked ? ok(as_bytes(identity)) : any_answer(input);
  });
  const FakeClock clock;
  store::testing::CountingRandom random;
  store::HttpStore client(server, "http://store/", {&signer(), {}, &clock, &random, kBackoff});
  const Bytes blob(input.flag() ? store::kAskFirstSize + 1 : 1);
  const store::BlobId id = store::blob_id(blob);
  check_words(client.identity());
  check_words(client.put(id, blob));
  check_words(client.size(id));
  check_words(client.remove(id));
  const auto bytes = client.get_unverified(id, 100);
  check_words(bytes);
  SP_CHECK(!bytes || bytes->size() <= 100);
  check_words(client.get(id, 100));
}

void check_receipt(FuzzInput& input) {
  store::StorageReceipt receipt{input.fixed<store::PackageId>(),
                                input.number<std::uint64_t>(),
                                input.number<std::uint32_t>(),
                                {}};
  receipt.signature = signer().sign(receipt.digest());
  const Bytes sent = input.spoiled(receipt.encode());
  Server server([&](const auto&, const auto&, const auto&) { return ok(sent); });
  const auto got =
      store::HttpStore(server, "http://store").request_receipt(receipt.package, receipt.until);
  check_words(got);
  SP_CHECK(got.ok() || sent != receipt.encode());
  if (got) SP_CHECK(got->package == receipt.package && got->until == receipt.until);
  if (got && got->verify(signer().address())) SP_CHECK(*got == receipt);
}

// --- a provider ---

void check_provider(FuzzInput& input) {
  const std::string state = input.flag() ? "running" : to_hex(input.bytes(5));
  Json json{{"state", state}, {"stage", to_hex(input.bytes(99))}, {"failure", input.text(250)}};
  const std::string stage = state == "running" ? json["stage"].get<std::string>() : state;
  const bool honest = input.flag();
  if (!honest) spoil_json(input, json, kWords);
  const std::string body = honest || input.flag() ? sp::testing::json_text(json) : input.text(250);
  Server server([&](const auto&, const auto&, const auto&) { return ok(as_bytes(body)); });
  const ProviderWords words = ask_provider(server, "http://provider");
  SP_CHECK(!honest || words.stage == stage);
  for (const std::string& text : {words.stage, words.failure}) {
    SP_CHECK(text.size() <= kProviderWordsMax);
    for (const char c : text) SP_CHECK(c >= ' ' && c <= '~');
  }
  static_cast<void>(Json{words.stage, words.failure}.dump());  // throws for half a letter
}

constexpr std::array kChecks{check_requests, check_identity, check_broker,  check_download,
                             check_store,    check_receipt,  check_provider};

}  // namespace
}  // namespace sp::spctl

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  sp::testing::FuzzInput input({data + 1, size - 1});
  sp::spctl::kChecks[data[0] % sp::spctl::kChecks.size()](input);
  return 0;
}
