#include "spctl/account_turn.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>

#include "base/testing/temporary_folder.hpp"

namespace sp::spctl {
namespace {

TEST(AccountTurn, OneCommandOfAnAccountAtATime) {
  const sp::testing::TemporaryFolder folder;
  GlobalOptions options;
  options.home = (folder / "home").string();
  const auto context = Context::create(options).value();
  const Address mine = Address::from_hex("0x" + std::string(40, '1')).value();
  const Address other = Address::from_hex("0x" + std::string(40, '2')).value();
  std::optional<apps::FolderLock> turn = take_account_turn(*context, mine).value();
  ASSERT_TRUE(take_account_turn(*context, other));
  auto next =
      std::async(std::launch::async, [&] { return take_account_turn(*context, mine).ok(); });
  EXPECT_EQ(next.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  turn.reset();
  EXPECT_TRUE(next.get());
}

}  // namespace
}  // namespace sp::spctl
