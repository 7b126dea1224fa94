#include "crypto/pem.hpp"

#include <gtest/gtest.h>

namespace sp::crypto {
namespace {

std::string decoded(std::string_view text) {
  const auto bytes = from_base64(text);
  return bytes ? "[" + std::string(as_text(*bytes)) + "]" : bytes.error().message;
}

TEST(Base64, OneTextPerValue) {
  // RFC 4648 section 10.
  EXPECT_EQ(decoded(""), "[]");
  EXPECT_EQ(decoded("Zg=="), "[f]");
  EXPECT_EQ(decoded("Zm8="), "[fo]");
  EXPECT_EQ(decoded("Zm9v"), "[foo]");
  EXPECT_EQ(decoded("Zm9vYg=="), "[foob]");
  EXPECT_EQ(decoded("Zm9v\r\nYmFy\n"), "[foobar]");
  EXPECT_EQ(decoded("Zg==\n"), "[f]");
  for (const char* bad : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zg=a",
                          "Zm9v!", "Zm9-", "Zg== =", "=Zg="}) {
    EXPECT_EQ(decoded(bad), "not base64") << bad;
  }
}

constexpr std::string_view kBlock = "-----BEGIN THING-----\nZm9v\n-----END THING-----\n";

std::string blocks(std::string_view text) {
  const auto read = pem_blocks(text, "THING", {200, 2, 3});
  if (!read) return read.error().message;
  std::string all;
  for (const Bytes& block : *read) all += "[" + std::string(as_text(block)) + "]";
  return all;
}

TEST(Pem, BlocksAreReadInOrder) {
  const std::string one(kBlock);
  EXPECT_EQ(blocks(one), "[foo]");
  EXPECT_EQ(blocks("a remark\n" + one + "another\n" + one), "[foo][foo]");
  EXPECT_EQ(blocks(one + one + one), "PEM of more than 2 blocks");
  EXPECT_EQ(blocks(""), "PEM: no block of the kind THING");
  EXPECT_EQ(blocks("x-----BEGIN THING-----"), "PEM: no block of the kind THING");
  EXPECT_EQ(blocks("-----BEGIN OTHER-----\nZm9v\n-----END OTHER-----\n"),
            "PEM: a block that isn't a THING");
  EXPECT_EQ(blocks("-----BEGIN THING-----\nZm9v\n-----END OTHER-----\n"),
            "PEM: a block that doesn't end");
  EXPECT_EQ(blocks("-----BEGIN THING-----\nA: b\n\nZm9v\n-----END THING-----\n"),
            "PEM: a block that isn't base64");
  EXPECT_EQ(blocks("-----BEGIN THING-----\n-----END THING-----\n"),
            "PEM: a block that isn't base64");
  EXPECT_EQ(blocks("-----BEGIN THING-----\nZm9vYg==\n-----END THING-----\n"),
            "PEM: a block of 4 bytes, at most 3");
  EXPECT_EQ(blocks(std::string(201, ' ')), "PEM of 201 bytes, at most 200");
}

}  // namespace
}  // namespace sp::crypto
