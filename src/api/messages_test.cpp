#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/window.hpp"
#include "crypto/random.hpp"

namespace sp::api {
namespace {

template <class Fixed>
Fixed filled(std::uint8_t byte) {
  Fixed value;
  value.data.fill(byte);
  return value;
}

Run some_run() { return {filled<OrderId>(1), 2, 3}; }

// Every truncation and every appended byte must be refused, without a crash.
template <class Message>
void expect_exact(const Bytes& encoded) {
  ASSERT_TRUE(Message::decode(encoded).ok());
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    EXPECT_FALSE(Message::decode(ByteView(encoded).first(size)).ok()) << size;
  }
  Bytes longer = encoded;
  longer.push_back(0);
  EXPECT_EQ(Message::decode(longer).error().code, Errc::malformed);
}

Terms small_terms() {
  Terms terms;
  Part arguments{PartKind::arguments,
                 PriceType::fixed,
                 0,
                 Amount(0),
                 {},
                 {},
                 {},
                 {filled<Address>(7)},
                 {},
                 {}};
  Part solution = arguments;
  solution.kind = PartKind::solution;
  Part storage = arguments;
  storage.kind = PartKind::storage;
  storage.brokers.clear();
  terms.parts = {arguments, solution, storage};
  terms.result_key = filled<crypto::X25519Public>(9);
  Compute compute;
  compute.kind = EvidenceKind::dev;
  terms.choices = {compute};
  terms.attestor = filled<Address>(8);
  return terms;
}

TEST(Messages, RoundTripExactly) {
  const NonceRequest nonce{some_run(), filled<Address>(4)};
  expect_exact<NonceRequest>(nonce.encode());
  EXPECT_EQ(*NonceRequest::decode(nonce.encode()), nonce);

  SessionProof proof;
  proof.context = {filled<crypto::X25519Public>(1),
                   filled<Address>(2),
                   {filled<Nonce>(3)},
                   filled<OrderId>(4),
                   5,
                   6};
  proof.evidence = {EvidenceKind::dev, Bytes{1, 2, 3}, {}};
  expect_exact<SessionProof>(proof.encode());
  EXPECT_EQ(*SessionProof::decode(proof.encode()), proof);

  const Signed<Refusal> refusal{{some_run(), 1, RefusalReason::policy}, {}};
  expect_exact<Signed<Refusal>>(refusal.encode());
  expect_exact<ReleaseAnswer>(ReleaseAnswer{{}, {}, refusal}.encode());
  expect_exact<ReleaseAnswer>(
      ReleaseAnswer{Bytes{1}, filled<EthSignature>(7), std::nullopt}.encode());

  Deposit deposit;
  deposit.policy = "{}";
  deposit.sealed = {1, 2, 3};
  expect_exact<Deposit>(deposit.encode());

  const Start start{{31337, filled<Address>(1)}, small_terms(), 0, 0};
  expect_exact<Start>(start.encode());
  const Call call{7, ServiceKind::store, filled<Address>(1), "get", Bytes{1, 2}};
  expect_exact<Call>(call.encode());
  EXPECT_EQ(*Call::decode(call.encode()), call);
  const Reply reply{7, Errc::not_found, Bytes{1, 2}};
  expect_exact<Reply>(reply.encode());
  EXPECT_EQ(*Reply::decode(reply.encode()), reply);
  Finish finish;
  finish.proof = proof;
  finish.failure = "because";
  expect_exact<Finish>(finish.encode());
}

TEST(Messages, EnumsOutOfRangeAreRefused) {
  Signed<Receipt> receipt{};
  receipt.statement.run = some_run();
  Bytes encoded = receipt.encode();
  encoded[35] = 5;  // outcome stands behind the run
  EXPECT_EQ(Signed<Receipt>::decode(encoded).error().code, Errc::malformed);
}

TEST(Terms, VersionOneIsStrict) {
  EXPECT_TRUE(small_terms().check_version_1().ok());
  const auto refused = [](auto change) {
    Terms terms = small_terms();
    change(terms);
    return !terms.check_version_1().ok();
  };
  EXPECT_TRUE(refused([](Terms& t) { t.mode = 1; }));
  EXPECT_TRUE(refused([](Terms& t) { t.replicas = 2; }));
  EXPECT_TRUE(refused([](Terms& t) { t.quorum = 0; }));
  EXPECT_TRUE(refused([](Terms& t) { t.egress = {"a:1"}; }));
  EXPECT_TRUE(refused([](Terms& t) { t.options.resize(1); }));
  EXPECT_TRUE(refused([](Terms& t) { t.extensions.data[0] = 1; }));
  EXPECT_TRUE(refused([](Terms& t) { t.choices.clear(); }));
  EXPECT_TRUE(refused([](Terms& t) { t.result_key = {}; }));
  EXPECT_TRUE(refused([](Terms& t) { std::swap(t.parts[0], t.parts[1]); }));
  EXPECT_TRUE(refused([](Terms& t) { t.parts.pop_back(); }));
  EXPECT_TRUE(refused([](Terms& t) { t.parts[1].brokers.clear(); }));
  EXPECT_TRUE(refused([](Terms& t) { t.parts[2].brokers.resize(1); }));
}

TEST(Terms, BrokersComeInOrderWithoutRepeats) {
  Terms terms = small_terms();
  const Address other = filled<Address>(3);
  terms.parts[1].brokers = {other};
  const std::vector<Address> expected{filled<Address>(8), filled<Address>(7), other};
  EXPECT_EQ(terms.brokers_in_order(), expected);
}

TEST(Arguments, AreCanonical) {
  Arguments arguments{{"--fast", ""}, {{"A", "1"}, {"B", "2"}}};
  EXPECT_EQ(*Arguments::decode(arguments.encode()), arguments);
  expect_exact<Arguments>(arguments.encode());
  std::swap(arguments.environment[0], arguments.environment[1]);
  EXPECT_EQ(Arguments::decode(arguments.encode()).error().code, Errc::malformed);
  arguments.environment = {{"A", "1"}, {"A", "1"}};
  EXPECT_FALSE(Arguments::decode(arguments.encode()).ok());
  arguments.environment = {{"A=B", "1"}};
  EXPECT_FALSE(Arguments::decode(arguments.encode()).ok());
  arguments = {{std::string("a\0b", 3)}, {}};
  EXPECT_FALSE(Arguments::decode(arguments.encode()).ok());
}

TEST(Arguments, ConditionsHold) {
  const Arguments arguments{{"report"}, {{"MODE", "fast"}}};
  const auto allowed = [&](const std::string& name, std::vector<std::string> values) {
    return check_arguments(arguments, {{name, std::move(values)}}).ok();
  };
  EXPECT_TRUE(allowed("argv[0]", {"report", "other"}));
  EXPECT_FALSE(allowed("argv[0]", {"other"}));
  EXPECT_TRUE(allowed("argv[1]", {""}));
  EXPECT_FALSE(allowed("argv[1]", {"x"}));
  EXPECT_TRUE(allowed("argv.count", {"1"}));
  EXPECT_FALSE(allowed("argv.count", {"0"}));
  EXPECT_FALSE(allowed("env.count", {"0"}));
  EXPECT_TRUE(allowed("env.MODE", {"fast"}));
  EXPECT_FALSE(allowed("env.MODE", {}));
  const auto error = check_arguments(arguments, {{"env.MODE", {"slow"}}}).error();
  EXPECT_EQ(error.code, Errc::refused);
  EXPECT_EQ(error.message.find("fast"), std::string::npos) << "tells the customer's secret";
}

TEST(Arguments, SecretsRoundTrip) {
  crypto::SystemRandom random;
  ReleasedSecret released{{crypto::random_secret<32>(random), SecretBytes(Bytes{1, 2, 3})},
                          {{"argv[0]", {"a"}}}};
  const SecretBytes encoded = released.encode();
  const auto again = ReleasedSecret::decode(encoded.reveal());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->conditions, released.conditions);
  EXPECT_TRUE(std::ranges::equal(again->secret.key.reveal(), released.secret.key.reveal()));
  EXPECT_TRUE(
      std::ranges::equal(again->secret.arguments.reveal(), released.secret.arguments.reveal()));
  EXPECT_FALSE(ReleasedSecret::decode(encoded.reveal().first(encoded.size() - 1)).ok());
}

TEST(FrameParser, CutsWhateverThePieces) {
  const Frame first{FrameType::call, Bytes(1000, 7)};
  const Frame second{FrameType::cancel, {}};
  Bytes stream = first.encode();
  append(stream, second.encode());
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{3}, std::size_t{999}, stream.size()}) {
    FrameParser parser;
    std::vector<Frame> frames;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      parser.feed(ByteView(stream).subspan(at, std::min(piece, stream.size() - at)));
      for (;;) {
        auto frame = parser.next();
        ASSERT_TRUE(frame.ok());
        if (!*frame) break;
        frames.push_back(**frame);
      }
    }
    EXPECT_EQ(frames, (std::vector<Frame>{first, second})) << piece;
  }
}

TEST(FrameParser, RefusesLies) {
  const auto error_of = [](Bytes bytes) {
    FrameParser parser;
    parser.feed(bytes);
    const auto frame = parser.next();
    return frame.ok() ? std::optional<Errc>() : frame.error().code;
  };
  EXPECT_EQ(error_of({0, 0, 0, 0}), Errc::malformed);
  EXPECT_EQ(error_of({0xff, 0xff, 0xff, 0xff}), Errc::too_large);  // before anything is kept
  EXPECT_EQ(error_of({0, 0, 0, 1, 7}), Errc::unsupported);
  EXPECT_EQ(error_of({0, 0, 0, 1, 0}), Errc::unsupported);
}

TEST(Commitment, DependsOnEverything) {
  const auto base = commitment_of(some_run(), filled<Address>(1), filled<Digest32>(2));
  EXPECT_NE(base,
            commitment_of({filled<OrderId>(9), 2, 3}, filled<Address>(1), filled<Digest32>(2)));
  EXPECT_NE(base, commitment_of(some_run(), filled<Address>(3), filled<Digest32>(2)));
  EXPECT_NE(base, commitment_of(some_run(), filled<Address>(1), filled<Digest32>(3)));
}

}  // namespace
}  // namespace sp::api
