#include "attest/ear.hpp"

#include <gtest/gtest.h>

#include "attest/dev.hpp"
#include "attest/testing/amd_vendor.hpp"
#include "base/base64url.hpp"
#include "crypto/random.hpp"

namespace sp::attest {
namespace {

class EarTest : public ::testing::Test {
 protected:
  Verdict verdict(const testing::SnpOptions& options = {}) {
    auto made = verify(amd_.snp({}, options), testing::kVendorNow, amd_.anchors());
    EXPECT_TRUE(made.ok()) << made.error().message;
    return *made;
  }
  AppraisalPolicy policy() {
    AppraisalPolicy policy = AppraisalPolicy::standard();
    policy.roots = amd_.anchors().amd;
    return policy;
  }
  Json tee(const Verdict& of, const AppraisalPolicy& by) {
    return ear_claims(of, by, 1000)["submods"]["tee"];
  }

  crypto::SystemRandom random_;
  testing::AmdVendor amd_{random_};
};

TEST_F(EarTest, ARootThatIsNobodysContraindicates) {
  const Json claims = ear_claims(verdict(), policy(), 1000);
  EXPECT_EQ(claims["iat"], 1000);
  EXPECT_EQ(ear_status(claims), EarStatus::contraindicated);
  const Json& vector = claims["submods"]["tee"]["ear.trustworthiness-vector"];
  EXPECT_EQ(vector["instance-identity"], 97);
  EXPECT_EQ(vector["hardware"], 97);
  EXPECT_EQ(vector["runtime-opaque"], 96);
  EXPECT_EQ(vector["configuration"], 2);
  EXPECT_EQ(claims["submods"]["tee"]["superprotocol.verdict"]["warning"], kForeignAnchorWarning);
}

TEST_F(EarTest, SaysWhetherTheProgramIsKnown) {
  AppraisalPolicy strict = policy();
  strict.any_measurement = false;
  EXPECT_EQ(tee(verdict(), strict)["ear.trustworthiness-vector"]["executables"], 33);
  strict.measurements = {verdict().measurement()};
  EXPECT_EQ(tee(verdict(), strict)["ear.trustworthiness-vector"]["executables"], 3);
  EXPECT_NE(tee(verdict(), strict)["ear.appraisal-policy-id"],
            tee(verdict(), policy())["ear.appraisal-policy-id"]);
}

TEST_F(EarTest, DebugIsUnsupportable) {
  testing::SnpOptions options;
  options.debug = true;
  const Json told = tee(verdict(options), policy());
  EXPECT_EQ(told["ear.trustworthiness-vector"]["configuration"], 96);
  EXPECT_EQ(told["ear.status"], 96);
}

TEST_F(EarTest, AJwtIsReadWithItsKeyAlone) {
  const auto key = crypto::EcKey::generate(crypto::Curve::p256, random_);
  const auto other = crypto::EcKey::generate(crypto::Curve::p256, random_);
  const Json claims = ear_claims(verdict(), policy(), 1000);
  const std::string jwt = ear_jwt(claims, key);
  const auto read = read_ear_jwt(jwt, key.public_key());
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(*read, claims);
  EXPECT_EQ(read_ear_jwt(jwt, other.public_key()).error().code, Errc::bad_signature);
  for (const std::size_t at : {std::size_t{2}, jwt.size() / 2, jwt.size() - 4}) {
    std::string spoilt = jwt;
    spoilt[at] = spoilt[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(read_ear_jwt(spoilt, key.public_key()).ok()) << at;
  }
}

TEST_F(EarTest, OtherAlgorithmsAndFormsAreRefused) {
  const auto key = crypto::EcKey::generate(crypto::Curve::p256, random_);
  const auto jwt_with = [&](std::string_view header) {
    const std::string part = to_base64url(as_bytes(header)) + "." + to_base64url(as_bytes("{}"));
    return part + "." + to_base64url(key.sign_raw(as_bytes(part)));
  };
  const auto code_of = [&](const std::string& jwt) {
    const auto read = read_ear_jwt(jwt, key.public_key());
    return read ? std::optional<Errc>() : read.error().code;
  };
  EXPECT_EQ(code_of(jwt_with(R"({"alg":"ES256"})")), std::nullopt);
  EXPECT_EQ(code_of(jwt_with(R"({"alg":"none"})")), Errc::unsupported);
  EXPECT_EQ(code_of(jwt_with(R"({"alg":"HS256"})")), Errc::unsupported);
  EXPECT_EQ(code_of(jwt_with(R"({"alg":"ES256","crit":["b64"]})")), Errc::unsupported);
  EXPECT_EQ(code_of(jwt_with(R"({"alg":"none","alg":"ES256"})")), Errc::malformed);
  EXPECT_EQ(code_of("a.b"), Errc::malformed);
  EXPECT_EQ(code_of("a.b.c.d"), Errc::malformed);
  EXPECT_EQ(code_of(std::string(kEarSizeMax + 1, 'a')), Errc::too_large);
}

}  // namespace
}  // namespace sp::attest
