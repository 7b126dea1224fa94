// The cache with the services behind it, as settings and command lines name them.
#include "collateral/cached_services.hpp"

#include <gtest/gtest.h>

#include "collateral/testing/test_support.hpp"

namespace sp::collateral {
namespace {

using testing::ManualClock;
using testing::TemporaryFolder;

class CachedServicesTest : public ::testing::Test {
 protected:
  ServicesSettings settings() {
    ServicesSettings made;
    made.folder = folder_.path();
    made.offline = true;
    return made;
  }
  PosixFiles files_;
  ManualClock clock_;
  TemporaryFolder folder_;
};

TEST_F(CachedServicesTest, AsksNobodyOffline) {
  ServicesSettings offline = settings();
  offline.intel.assign(kServicesMax, "http://127.0.0.1:1");
  const auto opened = CachedServices::open(offline, files_, clock_);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_FALSE((*opened)->source().get(Wanted(AmdCrl{})).ok());
}

TEST_F(CachedServicesTest, RefusesTooManyServices) {
  for (const auto urls : {&ServicesSettings::amd, &ServicesSettings::intel}) {
    ServicesSettings many = settings();
    (many.*urls).assign(kServicesMax + 1, "http://127.0.0.1:1");
    const auto opened = CachedServices::open(many, files_, clock_);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Errc::usage);
    EXPECT_EQ(opened.error().message, "at most 8 services of a vendor are asked");
  }
}

}  // namespace
}  // namespace sp::collateral
