// broker_bench [REQUESTS]: how many keys a broker releases in a second on two threads, as it
// answers requests (decoding and encoding included, the network left out), with evidence of kind
// `dev`; and which share of that processor time is cryptography that the protocol asks for:
// measured alone, in the same run, on the same values. JSON lines on standard output.
#include <ctime>

#include <atomic>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/log.hpp"
#include "base/testing/must.hpp"
#include "base/testing/temporary_folder.hpp"
#include "broker/remote.hpp"
#include "common/dev_policy.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "prove/dev.hpp"

namespace sp::broker {
namespace {

constexpr unsigned kThreads = 2;
constexpr std::size_t kPart = 2;  // data
constexpr std::int64_t kNow = 1010;
constexpr std::int64_t kPolicyEnd = 5'000'000'000;

template <class Fixed>
Fixed filled(std::uint8_t byte) {
  Fixed value;
  value.data.fill(byte);
  return value;
}

double cpu_seconds(clockid_t clock) {
  timespec time{};
  SP_CHECK(::clock_gettime(clock, &time) == 0);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// A chain on which every order id is an order of the same terms.
class AnyOrder final : public ChainView {
 public:
  OrderFacts every;
  Result<OrderFacts> facts(const api::OrderId&) override { return every; }
};

// One broker, one device, one part with its secret.
class Scene {
 public:
  Scene() : vault_(files_, folder_, keys_.vault.clone(), random_) {
    view_.every = facts();
    broker_.emplace(keys_, view_, vault_, prover_, clock_, random_, Broker::Options{tee()});
    deposit();
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  // A new session's request for the key, of an order of its own.
  net::HttpRequest request() {
    const auto session = crypto::EthKey::generate(random_);
    attest::OrderSession context;
    context.session_key = session_hpke_.public_key;
    context.session = session.address();
    context.order = crypto::random_fixed<api::OrderId>(random_);
    const api::Run run{context.order, 0, 0};
    context.nonces = {must(broker_->nonce({run, context.session}))};
    const api::Eip712Domain& market = view_.every.market;
    const api::Acceptance acceptance{run, context.session};
    const api::SessionProof proof{context, must(prover_.evidence(context.report_data())),
                                  action_.sign(acceptance.digest(market))};
    const auto attestation = must(broker_->attest(proof));
    const api::KeyRequest asked{run, kPart, attestation.statement.digest(market)};
    net::HttpRequest request;
    request.method = "POST";
    request.path = "/v1/release";
    request.body = api::ReleaseRequest{proof, attestation,
                                       api::Signed<api::KeyRequest>::make(asked, market, session)}
                       .encode();
    return request;
  }

  net::HttpResponse answer(const net::HttpRequest& request) {
    return handle_broker_request(*broker_, request);
  }

  // What a release can't do without, on the values of this request: the evidence's signature, three
  // signers recovered, one signature made, one key sealed, one secret opened.
  void cryptography(const api::ReleaseRequest& request) {
    const api::Eip712Domain& market = view_.every.market;
    must(attest::verify(request.proof.evidence, kNow));
    const api::Run run = request.request.statement.run;
    const api::Acceptance acceptance{run, request.proof.context.session};
    must(
        crypto::verify_eth(acceptance.digest(market), request.proof.acceptance, action_.address()));
    must(request.attestation.verify(market, keys_.signing.address()));
    must(request.request.verify(market, request.proof.context.session));
    SecretBytes opened(record_.size() - crypto::kGcmTagSize);
    must(crypto::Aes256Gcm(vault_key_).open(nonce_, {}, record_, opened.writable()));
    const Bytes sealed = must(crypto::hpke_seal(random_, request.proof.context.session_key,
                                                api::release_info({}, run, kPart), {}, secret_));
    static_cast<void>(
        keys_.signing.sign(api::Release{run, kPart, {}, crypto::sha256(sealed)}.digest(market)));
  }

 private:
  attest::AppraisalPolicy tee() const { return apps::dev_policy(measurement_, anchor_); }

  OrderFacts facts() const {
    OrderFacts facts;
    facts.market = {31337, filled<Address>(0xaa)};
    api::Terms& terms = facts.terms;
    terms.customer = owner_.address();
    terms.attestor = keys_.signing.address();
    terms.result_key = filled<crypto::X25519Public>(1);
    terms.work_by = 100;
    api::Compute compute;
    compute.kind = attest::EvidenceKind::dev;
    compute.chip = chip_;
    terms.choices = {compute};
    for (std::uint8_t kind = 1; kind <= 4; ++kind) {
      api::Part part;
      part.kind = static_cast<api::PartKind>(kind);
      part.owner = owner_.address();
      part.digest = filled<Digest32>(kind);
      if (part.kind != api::PartKind::storage) part.brokers = {keys_.signing.address()};
      terms.parts.push_back(part);
    }
    facts.created_at = 1000;
    facts.now = kNow;
    facts.confirmations = 1;
    facts.action = action_.address();
    facts.part_enabled.assign(terms.parts.size(), true);
    return facts;
  }

  void deposit() {
    ReleasePolicy policy;
    policy.tee = tee();
    policy.chains = {{view_.every.market, 1}};
    policy.solutions.any = policy.orders.any = policy.recipients.any = true;
    policy.accounts.values = {owner_.address()};
    policy.own_upload = true;
    policy.until = kPolicyEnd;
    const api::PartSecret secret{filled_secret(), {}};
    api::Deposit deposit{keys_.signing.address(),
                         owner_.address(),
                         filled<Digest32>(kPart + 1),
                         static_cast<std::uint64_t>(SystemClock().unix_seconds()),
                         policy.to_json(),
                         {},
                         {}};
    deposit.sealed = must(crypto::hpke_seal(random_, keys_.deposit.public_key, deposit.info(), {},
                                            secret.encode().reveal()));
    deposit.signature = owner_.sign(deposit.digest_to_sign());
    must(broker_->deposit(deposit));
    secret_ = to_bytes(secret.encode().reveal());
    record_.resize(deposit.policy.size() + secret_.size() + crypto::kGcmTagSize);
    crypto::Aes256Gcm(vault_key_)
        .seal(nonce_, {}, Bytes(record_.size() - crypto::kGcmTagSize), record_);
  }

  static Secret32 filled_secret() { return must(Secret32::from(filled<Digest32>(0x5e).view())); }

  PosixFiles files_;
  SystemClock clock_;
  crypto::SystemRandom random_;
  sp::testing::TemporaryFolder folder_;
  BrokerKeys keys_ = BrokerKeys::generate(random_);
  crypto::EthKey owner_ = crypto::EthKey::generate(random_);
  crypto::EthKey action_ = crypto::EthKey::generate(random_);
  crypto::X25519KeyPair session_hpke_ = crypto::X25519KeyPair::generate(random_);
  prove::DevPlatform platform_ = prove::DevPlatform::generate(random_);
  const attest::ChipId chip_ = platform_.chip();
  const Digest48 anchor_ = platform_.anchor();
  const attest::Measurement measurement_ = filled<attest::Measurement>(7);
  prove::DevProver prover_{std::move(platform_), measurement_};
  AnyOrder view_;
  Vault vault_;
  std::optional<Broker> broker_;
  Bytes secret_, record_;
  const crypto::GcmNonce nonce_{};
  const Secret32 vault_key_ = filled_secret();
};

struct Rate {
  double per_second = 0;
  double cpu_us = 0;  // of one
};

// `work` for each of `count` things, on kThreads threads.
Rate measure(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::vector<std::thread> threads;
  const double cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const double begin = cpu_seconds(CLOCK_MONOTONIC);
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = next++; i < count; i = next++) work(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double took = cpu_seconds(CLOCK_MONOTONIC) - begin;
  const double used = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  return {static_cast<double>(count) / took, used * 1e6 / static_cast<double>(count)};
}

void run(std::size_t count) {
  Scene scene;
  std::vector<net::HttpRequest> requests(count);
  measure(count, [&](std::size_t i) { requests[i] = scene.request(); });
  std::atomic<std::size_t> refused = 0;
  const Rate first = measure(count, [&](std::size_t i) {
    if (scene.answer(requests[i]).status != 200) ++refused;
  });
  // The same sessions ask again: nothing new to keep.
  const Rate again = measure(count, [&](std::size_t i) {
    if (scene.answer(requests[i]).status != 200) ++refused;
  });
  if (refused > 0) throw std::runtime_error("a release was refused");
  std::vector<api::ReleaseRequest> decoded;
  for (const auto& request : requests) {
    decoded.push_back(must(api::ReleaseRequest::decode(request.body)));
  }
  const Rate pure = measure(count, [&](std::size_t i) { scene.cryptography(decoded[i]); });
  const auto line = [&](const char* name, const Rate& rate) {
    const Json json{{"bench", name},
                    {"threads", kThreads},
                    {"requests", count},
                    {"perSecond", rate.per_second},
                    {"cpuMicroseconds", rate.cpu_us},
                    {"cryptographyMicroseconds", pure.cpu_us},
                    {"cryptographyShare", pure.cpu_us / rate.cpu_us}};
    std::puts(json.dump().c_str());
  };
  line("broker.release", first);
  line("broker.releaseAgain", again);
}

}  // namespace
}  // namespace sp::broker

int main(int count, char** texts) {
  try {
    sp::set_log_level(sp::LogLevel::error);
    const auto number = sp::broker::must(sp::Amount::from_tokens(count > 1 ? texts[1] : "4000", 0));
    sp::broker::run(static_cast<std::size_t>(number.units()));
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "broker_bench: %s\n", failure.what());
    return 1;
  }
}
