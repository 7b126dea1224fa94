// Appraisal policies and attestation results as JSON. A policy that is accepted reads the same when
// it is written again, and judges; a JWT is signed anew over whatever the input says, so that what
// lies behind the signature is reached.
#include <nlohmann/json.hpp>

#include "attest/appraisal.hpp"
#include "attest/dev.hpp"
#include "attest/ear.hpp"
#include "attest/verdict.hpp"
#include "base/base64url.hpp"
#include "base/json.hpp"
#include "base/testing/fuzz_input.hpp"

namespace sp::attest {
namespace {

constexpr std::size_t kSizeMax = 1 << 16;

const crypto::EcKey& key() {
  static const crypto::EcKey made =
      crypto::EcKey::from_secret(crypto::Curve::p256, SecretBytes(Bytes(32, 7))).value();
  return made;
}

const Verdict& dev_verdict() {
  static const Verdict made = verify(make_dev_evidence(key(), {}, {}, {}), 0).value();
  return made;
}

void check_policy(std::string_view text) {
  const auto json = parse_json(text, kSizeMax);
  if (!json) return;
  const auto policy = AppraisalPolicy::from_json(*json, "policy");
  if (!policy) return;
  SP_CHECK(AppraisalPolicy::from_json(policy->to_json(), "again").value() == *policy);
  // Dev evidence is accepted by name alone.
  const auto& kinds = policy->kinds;
  const auto& keys = policy->dev_keys;
  const bool named = std::ranges::find(kinds, EvidenceKind::dev) != kinds.end() &&
                     std::ranges::find(keys, dev_verdict().anchor()) != keys.end();
  SP_CHECK(named || !all_allowed(appraise(dev_verdict(), *policy)));
}

void check_jwt(ByteView bytes) {
  SP_CHECK(!read_ear_jwt(as_text(bytes), key().public_key()));
  sp::testing::FuzzInput input(bytes);
  const bool usual = input.flag();
  const std::string header = usual ? R"({"alg":"ES256","typ":"JWT"})" : input.text(80);
  const ByteView claims = input.rest();
  const std::string body = to_base64url(as_bytes(header)) + "." + to_base64url(claims);
  const std::string jwt = body + "." + to_base64url(key().sign_raw(as_bytes(body)));
  const auto read = read_ear_jwt(jwt, key().public_key());
  if (usual) SP_CHECK(read.ok() == parse_json(as_text(claims), kEarSizeMax).ok());
  if (read) SP_CHECK(*read == parse_json(as_text(claims), kEarSizeMax).value());
}

}  // namespace
}  // namespace sp::attest

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const sp::ByteView input(data + 1, size - 1);
  if (data[0] % 4 == 0) {
    sp::attest::check_jwt(input);
  } else {
    sp::attest::check_policy(sp::as_text(input));
  }
  return 0;
}
