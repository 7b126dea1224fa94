// What a session refuses before it exists.
#include "loader/session.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"

namespace sp::loader {
namespace {

constexpr std::uint8_t kHighBit = 0x80;

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    api::Terms& terms = start_.terms;
    terms.ordered_seconds = 1;
    terms.cpu_milli = terms.memory_mib = terms.disk_mib = terms.pids = 100;
    terms.result_key = crypto::X25519KeyPair::generate(random_).public_key;
    terms.choices.emplace_back().kind = identity_.kind;
    for (const auto kind :
         {api::PartKind::arguments, api::PartKind::solution, api::PartKind::storage}) {
      api::Part& part = terms.parts.emplace_back();
      part.kind = kind;
      if (kind != api::PartKind::storage) part.brokers.emplace_back();
    }
  }
  Status made() {
    const auto session = Session::make(start_, identity_, random_);
    return session ? Status() : Status(session.error());
  }

  crypto::SystemRandom random_;
  const prove::ProverIdentity identity_{};
  api::Start start_;
};

TEST_F(SessionTest, TakesTermsThatCanBeRun) { EXPECT_TRUE(made().ok()) << made().error().message; }

// The u-coordinates of low order (cr.yp.to/ecdh.html, "validate"), each with and without the bit
// that RFC 7748 section 5 masks: nothing can be sealed to them.
TEST_F(SessionTest, RefusesAResultKeyToWhichNothingCanBeSealed) {
  const std::string f56(56, 'f');
  for (const std::string& text :
       {std::string(64, '0'), "01" + std::string(62, '0'),
        std::string("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        std::string("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        "ecffff" + f56 + "7f", "edffff" + f56 + "7f", "eeffff" + f56 + "7f"}) {
    for (const std::uint8_t high : {std::uint8_t{0}, kHighBit}) {
      start_.terms.result_key = *crypto::X25519Public::from_hex(text);
      start_.terms.result_key.data[31] |= high;
      const Status refused = made();
      ASSERT_FALSE(refused.ok()) << start_.terms.result_key.hex();
      EXPECT_NE(refused.error().message.find("result key"), std::string::npos)
          << refused.error().message;
    }
  }
}

TEST_F(SessionTest, RefusesLessCpuThanAKernelGives) {
  start_.terms.cpu_milli = api::kCpuMilliMin - 1;
  EXPECT_EQ(made().error().message,
            "the terms leave a workload 9 thousandths of a core, at least 10");
  start_.terms.cpu_milli = api::kCpuMilliMin;
  EXPECT_TRUE(made().ok());
}

}  // namespace
}  // namespace sp::loader
