// crash_test: kill -9 at every crash point of every process, of the chain, and of everything at
// once. Needs root, runc, anvil and a C compiler; says so in one line where it is skipped.
#include <gtest/gtest.h>
#include <unistd.h>

#include <iostream>
#include <vector>

#include "cache_child.hpp"
#include "spctl/programs.hpp"
#include "world.hpp"

namespace {

constexpr int kSkipped = 77;  // SKIP_RETURN_CODE in tests/CMakeLists.txt

class EndOfWorld : public testing::Environment {
 public:
  void TearDown() override { sp::crash::World::leave(); }
};

}  // namespace

int main(int count, char** texts) {
  if (count == 3 && std::string_view(texts[1]) == sp::crash::kCacheChild) {
    return sp::crash::keep_one(texts[2]);
  }
  std::vector<char*> arguments(texts, texts + count + 1);
  testing::InitGoogleTest(&count, texts);
  const auto programs = sp::spctl::find_programs({});
  if (::geteuid() != 0 || !programs) {
    std::cout << "SKIPPED: the crash tests need root, runc and anvil\n";
    return kSkipped;
  }
  sp::crash::own_places(arguments.data());
  testing::AddGlobalTestEnvironment(new EndOfWorld);
  return RUN_ALL_TESTS();
}
