#include "collateral/answers.hpp"

#include <gtest/gtest.h>

#include "base/world.hpp"
#include "collateral/testing/test_support.hpp"
#include "net/target.hpp"

namespace sp::collateral {
namespace {

using std::chrono::seconds;
using testing::published;

const std::string kPem = "-----BEGIN CERTIFICATE-----\nMIIB+/==\n-----END CERTIFICATE-----\n";

TEST(IssuerChain, ReadsPercentEncodedPem) {
  EXPECT_EQ(decode_issuer_chain(net::percent_encode(kPem + kPem)).value(), kPem + kPem);
  // A '+' is one of base64, and stays one.
  EXPECT_EQ(decode_issuer_chain("-----BEGIN%20CERTIFICATE-----a+b").value(),
            "-----BEGIN CERTIFICATE-----a+b");
}

TEST(IssuerChain, RefusesTheRest) {
  const std::string begin = "-----BEGIN%20CERTIFICATE-----";
  for (const std::string& field :
       {std::string(), std::string("x"), begin + "%", begin + "%4", begin + "%zz", begin + "%00",
        begin + "%7F", begin + "\xff", std::string("-----BEGIN+CERTIFICATE-----"), " " + begin}) {
    const auto chain = decode_issuer_chain(field);
    ASSERT_FALSE(chain.ok()) << field;
    EXPECT_EQ(chain.error().message, "the issuer chain isn't percent-encoded PEM") << field;
  }
  const std::string most(kIssuerChainSizeMax - kPem.size(), 'a');
  EXPECT_TRUE(decode_issuer_chain(net::percent_encode(kPem + most)));
  EXPECT_EQ(decode_issuer_chain(net::percent_encode(kPem + most + "a")).error().code,
            Errc::too_large);
  EXPECT_EQ(decode_issuer_chain(std::string(3 * kIssuerChainSizeMax + 1, 'a')).error().code,
            Errc::too_large);
}

TEST(CrlDer, ReadsDerAndItsHexadecimal) {
  const Bytes der{0x30, 0x82, 0x00, 0x01, 0x05};
  EXPECT_EQ(crl_der(der).value(), der);
  EXPECT_EQ(crl_der(as_bytes("3082000105")).value(), der);
  for (const std::string_view bad : {"", "0482", "-----BEGIN X509 CRL-----", "{}"}) {
    EXPECT_EQ(crl_der(as_bytes(bad)).error().code, Errc::malformed) << bad;
  }
}

TEST(NextUpdate, IsWhatTheAnswerSays) {
  const IntelTcbInfo tcb{};
  const std::string text = R"({"tcbInfo":{"nextUpdate":"2027-01-15T08:00:00Z"},"signature":""})";
  EXPECT_EQ(next_update_of(tcb, published(text)), from_rfc3339("2027-01-15T08:00:00Z").value());
  const std::string qe = R"({"enclaveIdentity":{"nextUpdate":"2027-01-15T08:00:00Z"}})";
  EXPECT_EQ(next_update_of(IntelQeIdentity{}, published(qe)),
            from_rfc3339("2027-01-15T08:00:00Z").value());
  for (const std::string_view bad :
       {"", "[]", "{}", R"({"tcbInfo":1})", R"({"tcbInfo":{}})", R"({"tcbInfo":{"nextUpdate":1}})",
        R"({"tcbInfo":{"nextUpdate":"tomorrow"}})"}) {
    EXPECT_EQ(next_update_of(tcb, published(bad)), std::nullopt) << bad;
  }
  EXPECT_EQ(next_update_of(IntelRootCrl{}, published("x")), std::nullopt);
  EXPECT_EQ(next_update_of(AmdCrl{}, published("300102")), std::nullopt);
  EXPECT_EQ(next_update_of(AmdCertificateChain{}, published("x")), std::nullopt);
}

TEST(Lifetime, IsMaxAgeThenExpires) {
  constexpr std::int64_t kNow = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT
  const auto lifetime = [](const net::Headers& headers) { return lifetime_of(headers, kNow); };
  EXPECT_EQ(lifetime({}), std::nullopt);
  EXPECT_EQ(lifetime({{"cache-control", "max-age=60"}}), seconds(60));
  EXPECT_EQ(lifetime({{"cache-control", "public, max-age=60 , must-revalidate"}}), seconds(60));
  EXPECT_EQ(lifetime({{"cache-control", "no-cache"}}), seconds(0));
  EXPECT_EQ(lifetime({{"cache-control", "private,no-store"}}), seconds(0));
  EXPECT_EQ(lifetime({{"cache-control", "max-age=99999999999999999999"}}),
            std::chrono::hours(366 * 24));
  const std::string date = "Sun, 06 Nov 1994 08:50:37 GMT";
  EXPECT_EQ(lifetime({{"expires", date}}), seconds(60));
  EXPECT_EQ(lifetime({{"cache-control", "max-age=5"}, {"expires", date}}), seconds(5));
  EXPECT_EQ(lifetime({{"cache-control", "max-age=-5"}, {"expires", date}}), seconds(60));
  EXPECT_EQ(lifetime({{"expires", "Sun, 06 Nov 1990 08:49:37 GMT"}}), seconds(0));
  for (const std::string bad : {"0", "Sun, 06 Xxx 1994 08:49:37 GMT", "06 Nov 1994 08:49:37 GMT",
                                "Sun, 06 anF 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET"}) {
    EXPECT_EQ(lifetime({{"expires", bad}}), std::nullopt) << bad;
  }
  EXPECT_EQ(retry_after_of({{"retry-after", "7"}}, kNow), seconds(7));
  EXPECT_EQ(retry_after_of({{"retry-after", date}}, kNow), seconds(60));
  EXPECT_EQ(retry_after_of({{"retry-after", "soon"}}, kNow), std::nullopt);
  EXPECT_EQ(retry_after_of({}, kNow), std::nullopt);
}

}  // namespace
}  // namespace sp::collateral
