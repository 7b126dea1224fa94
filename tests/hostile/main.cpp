// hostile_test and chain_days_test: what bad people do between, in and around the real processes of
// a system, and what a chain does to them. Need
// root, runc, anvil and a C compiler; says so in one line where it is skipped.
#include <gtest/gtest.h>
#include <unistd.h>

#include <iostream>

#include "orders.hpp"
#include "spctl/programs.hpp"

namespace {

constexpr int kSkipped = 77;  // SKIP_RETURN_CODE in tests/CMakeLists.txt

class EndOfTown : public testing::Environment {
 public:
  void TearDown() override { sp::hostile::Shop::leave(); }
};

}  // namespace

int main(int count, char** texts) {
  testing::InitGoogleTest(&count, texts);
  const auto programs = sp::spctl::find_programs({});
  if (::geteuid() != 0 || !programs) {
    std::cout << "SKIPPED: the tests of the town need root, runc and anvil\n";
    return kSkipped;
  }
  testing::AddGlobalTestEnvironment(new EndOfTown);
  return RUN_ALL_TESTS();
}
