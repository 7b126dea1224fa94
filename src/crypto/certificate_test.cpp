#include "crypto/certificate.hpp"

#include <gtest/gtest.h>

#include "crypto/pem.hpp"
#include "crypto/x509.hpp"

namespace sp::crypto {
namespace {

constexpr std::int64_t kNow = 1'790'000'000;

TEST(ServerCertificate, VouchesForItselfAndForItsHosts) {
  const auto made = make_server_certificate({"store.example", "10.9.0.2", "fd00::1"}, kNow);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(made->not_after, kNow + 825LL * 24 * 3600);
  const auto parsed = Certificate::from_pem(made->certificate);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  ASSERT_EQ(parsed->size(), 1U);
  EXPECT_TRUE(as_text(made->key.reveal()).starts_with("-----BEGIN PRIVATE KEY-----"));
  const auto blocks = pem_blocks(made->certificate, "CERTIFICATE", {8192, 1, 4096});
  ASSERT_TRUE(blocks.ok()) << blocks.error().message;
  const std::string der(as_text((*blocks)[0]));
  EXPECT_NE(der.find("store.example"), std::string::npos);
  EXPECT_NE(der.find(std::string("\x0a\x09\x00\x02", 4)), std::string::npos);
}

TEST(ServerCertificate, IsForItsHostsAndNoOther) {
  const auto made = make_server_certificate({"store.example", "10.9.0.2", "fd00::1"}, kNow);
  const Certificate certificate = Certificate::from_pem(made->certificate)->front();
  for (const char* host : {"store.example", "10.9.0.2", "fd00::1"}) {
    EXPECT_TRUE(is_for_host(certificate, host)) << host;
  }
  for (const char* host : {"other.example", "a.store.example", "10.9.0.3", "fd00::2", ""}) {
    EXPECT_FALSE(is_for_host(certificate, host)) << host;
  }
}

TEST(ServerCertificate, TwoAreNeverTheSame) {
  const auto one = make_server_certificate({"a"}, kNow);
  const auto two = make_server_certificate({"a"}, kNow);
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(one->certificate, two->certificate);
  EXPECT_NE(as_text(one->key.reveal()), as_text(two->key.reveal()));
}

TEST(ServerCertificate, WhatIsNoHostIsRefused) {
  for (const char* host : {"", "A.example", "a b", "a,DNS:b", ".a", "a..b", "*.example", "a/b"}) {
    const auto made = make_server_certificate({host}, kNow);
    ASSERT_FALSE(made.ok()) << host;
    EXPECT_EQ(made.error().code, Errc::usage);
    EXPECT_EQ(made.error().message, "\"" + std::string(host) +
                                        "\" is neither a host name in lower case nor a numeric "
                                        "address");
  }
  EXPECT_EQ(make_server_certificate({}, kNow).error().message,
            "a certificate is for 1 to 16 hosts");
  EXPECT_EQ(make_server_certificate(std::vector<std::string>(17, "a"), kNow).error().code,
            Errc::usage);
}

}  // namespace
}  // namespace sp::crypto
