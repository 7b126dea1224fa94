// Terms and statements against the vectors that the contracts wrote: both must hash and sign alike.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "api/statements.hpp"

namespace sp::api {
namespace {

using nlohmann::json;

json load() {
  std::ifstream file(SP_TEST_SOURCE_DIR "/contracts/test/vectors/eip712.json");
  return json::parse(file);
}

template <class Fixed>
Fixed fixed(const json& value) {
  return Fixed::from_hex(value.get<std::string>()).value();
}

// Integers above 64 bits are texts in the vectors.
Amount amount(const json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  return Amount::from_text(text).value();
}

std::vector<Address> addresses(const json& list) {
  std::vector<Address> result;
  for (const json& entry : list) result.push_back(fixed<Address>(entry));
  return result;
}

Part part_of(const json& v) {
  return {v["kind"].get<PartKind>(),           v["priceType"].get<PriceType>(),
          v["maxOrders"].get<std::uint32_t>(), amount(v["price"]),
          fixed<Address>(v["owner"]),          fixed<Address>(v["token"]),
          fixed<Address>(v["store"]),          addresses(v["brokers"]),
          fixed<Digest32>(v["digest"]),        fixed<Digest32>(v["info"])};
}

Compute compute_of(const json& v) {
  Compute c;
  c.kind = v["kind"].get<EvidenceKind>();
  c.min_seconds = v["minSeconds"];
  c.max_seconds = v["maxSeconds"];
  c.min_work_by = v["minWorkBy"];
  c.min_settle_by = v["minSettleBy"];
  c.min_settle_window = v["minSettleWindow"];
  c.min_claim_window = v["minClaimWindow"];
  c.cpu_milli = v["cpuMilli"];
  c.memory_mib = v["memoryMiB"];
  c.disk_mib = v["diskMiB"];
  c.pids = v["pids"];
  c.price_per_hour = amount(v["pricePerHour"]);
  c.base_fee = amount(v["baseFee"]);
  c.max_exposure = amount(v["maxExposure"]);
  c.provider = fixed<Address>(v["provider"]);
  c.token = fixed<Address>(v["token"]);
  c.attestors = addresses(v["attestors"]);
  c.chip = fixed<ChipId>(v["chip"]);
  c.info = fixed<Digest32>(v["info"]);
  return c;
}

Terms terms_of(const json& v) {
  Terms t;
  t.mode = v["mode"];
  t.replicas = v["replicas"];
  t.quorum = v["quorum"];
  t.ordered_seconds = v["orderedSeconds"];
  t.work_by = v["workBy"];
  t.settle_by = v["settleBy"];
  t.settle_window = v["settleWindow"];
  t.claim_window = v["claimWindow"];
  t.cpu_milli = v["cpuMilli"];
  t.memory_mib = v["memoryMiB"];
  t.disk_mib = v["diskMiB"];
  t.pids = v["pids"];
  t.customer = fixed<Address>(v["customer"]);
  t.token = fixed<Address>(v["token"]);
  t.attestor = fixed<Address>(v["attestor"]);
  t.result_key = fixed<crypto::X25519Public>(v["resultKey"]);
  t.salt = fixed<Digest32>(v["salt"]);
  t.extensions = fixed<Digest32>(v["extensions"]);
  t.egress = v["egress"].get<std::vector<std::string>>();
  for (const json& option : v["options"]) t.options.push_back(fixed<Digest32>(option));
  for (const json& choice : v["choices"]) t.choices.push_back(compute_of(choice));
  for (const json& part : v["parts"]) t.parts.push_back(part_of(part));
  return t;
}

Run run_of(const json& v) {
  return {fixed<OrderId>(v["order"]), v["attempt"].get<std::uint16_t>(),
          v["replica"].get<std::uint8_t>()};
}

class Vectors : public testing::Test {
 protected:
  // The digest and the signature of one statement are those of the contracts' vectors.
  template <class Statement>
  void expect_statement(const Statement& statement, const json& vector) {
    const Digest32 digest = statement.digest(domain_);
    EXPECT_EQ(digest.hex0x(), vector["digest"]);
    const auto signature = fixed<EthSignature>(vector["signature"]);
    EXPECT_TRUE(crypto::verify_eth(digest, signature, signer_).ok());
    auto secret = Secret32::from(from_hex(all_["signer"]["key"].get<std::string>()).value());
    const auto key = crypto::EthKey::from_secret(std::move(*secret)).value();
    EXPECT_EQ(key.sign(digest), signature);  // RFC 6979: both sides sign alike
  }

  const json all_ = load();
  const Eip712Domain domain_{all_["domain"]["chainId"].get<std::uint64_t>(),
                             fixed<Address>(all_["domain"]["verifyingContract"])};
  const Address signer_ = fixed<Address>(all_["signer"]["address"]);
};

TEST_F(Vectors, Domain) { EXPECT_EQ(domain_.separator().hex0x(), all_["domainSeparator"]); }

TEST_F(Vectors, TermsHashToTheOrderId) {
  ASSERT_GE(all_["terms"].size(), 3U);
  for (const json& vector : all_["terms"]) {
    const Terms terms = terms_of(vector["value"]);
    EXPECT_EQ(terms.struct_hash().hex0x(), vector["structHash"]);
    EXPECT_EQ(terms.order_id(domain_).hex0x(), vector["digest"]);
    const auto again = Terms::decode(terms.encode());
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(*again, terms);
  }
}

TEST_F(Vectors, Acceptance) {
  for (const json& vector : all_["acceptance"]) {
    const json& v = vector["value"];
    expect_statement(Acceptance{run_of(v), fixed<Address>(v["session"])}, vector);
  }
}

TEST_F(Vectors, Attestation) {
  int checked = 0;
  for (const json& vector : all_["attestation"]) {
    const json& v = vector["value"];
    // The contract hashes any bytes as an acceptance; ours are always 65.
    if (v["acceptance"].get<std::string>().size() != 2 + 2 * 65) continue;
    ++checked;
    Attestation a;
    a.kind = v["kind"].get<EvidenceKind>();
    a.vendor = v["vendor"].get<attest::Vendor>();
    a.tcb_status = v["tcbStatus"].get<attest::TcbStatus>();
    a.chip = fixed<ChipId>(v["chip"]);
    a.measurement = fixed<attest::MeasurementDigest>(v["measurement"]);
    a.run = run_of(v);
    a.session = fixed<Address>(v["session"]);
    a.time = v["time"];
    a.acceptance = fixed<EthSignature>(v["acceptance"]);
    expect_statement(a, vector);
  }
  EXPECT_GE(checked, 1);
}

TEST_F(Vectors, KeyRequestAndRefusal) {
  for (const json& vector : all_["keyRequest"]) {
    const json& v = vector["value"];
    const KeyRequest request{run_of(v), v["part"].get<std::uint8_t>(),
                             fixed<Digest32>(v["attestation"])};
    expect_statement(request, vector);
  }
  for (const json& vector : all_["refusal"]) {
    const json& v = vector["value"];
    const Refusal refusal{run_of(v), v["part"].get<std::uint8_t>(),
                          v["reason"].get<RefusalReason>()};
    expect_statement(refusal, vector);
  }
}

TEST_F(Vectors, Receipt) {
  ASSERT_GE(all_["receipt"].size(), 2U);
  for (const json& vector : all_["receipt"]) {
    const json& v = vector["value"];
    Receipt r;
    r.run = run_of(v);
    r.outcome = v["outcome"].get<Outcome>();
    r.started = v["started"];
    r.limit = v["limit"].get<LimitHit>();
    r.fault_part = v["faultPart"];
    r.exit_code = v["exitCode"];
    r.opened = v["opened"];
    const json& duration = v["durationMs"];
    r.duration_ms = duration.is_string() ? std::stoull(duration.get<std::string>())
                                         : duration.get<std::uint64_t>();
    r.result = fixed<Digest32>(v["result"]);
    r.commitment = fixed<Digest32>(v["commitment"]);
    expect_statement(r, vector);
  }
}

}  // namespace
}  // namespace sp::api
