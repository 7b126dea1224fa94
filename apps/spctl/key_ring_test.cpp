#include "spctl/key_ring.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/testing/temporary_folder.hpp"
#include "crypto/random.hpp"

namespace sp::spctl {
namespace {

class KeyRingTest : public ::testing::Test {
 protected:
  sp::testing::TemporaryFolder folder_;
  PosixFiles files_;
  crypto::SystemRandom random_;
};

TEST_F(KeyRingTest, MakesKeysThatOpenAgain) {
  KeyRing keys(files_, random_, folder_, {});
  ASSERT_TRUE(keys.create("me"));
  const auto info = keys.info("me");
  ASSERT_TRUE(info);
  EXPECT_TRUE(info->has_result_key);
  const auto key = keys.load("me");
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->address(), info->address);
  ASSERT_TRUE(keys.load_result_key("me"));
  EXPECT_EQ(keys.list()->size(), 1U);
  for (const char* file : {"me.json", "me.x25519", "password"}) {
    struct stat status {};
    ASSERT_EQ(::stat((folder_ / file).c_str(), &status), 0) << file;
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << file;
  }
}

TEST_F(KeyRingTest, NeverOverwritesAndRefusesNamesThatAreNoNames) {
  KeyRing keys(files_, random_, folder_, {});
  ASSERT_TRUE(keys.create("me"));
  EXPECT_EQ(keys.create("me").error().code, Errc::conflict);
  for (const char* name : {"", "..", "a/b", "password", "a b"}) {
    EXPECT_EQ(keys.create(name).error().code, Errc::usage) << name;
  }
  EXPECT_EQ(keys.load("you").error().code, Errc::not_found);
}

TEST_F(KeyRingTest, RefusesAWrongPassword) {
  KeyRing keys(files_, random_, folder_, {});
  ASSERT_TRUE(keys.create("me"));
  const Path other = folder_ / "other";
  ASSERT_TRUE(files_.write_atomic(other, as_bytes("wrong\n"), FileMode::owner_only));
  KeyRing wrong(files_, random_, folder_, other);
  EXPECT_EQ(wrong.load("me").error().code, Errc::unauthorised);
}

}  // namespace
}  // namespace sp::spctl
