#include "attest/check.hpp"

#include <cstdlib>

namespace sp::attest {
namespace {

constexpr CheckInfo kChecks[] = {
#define SP_CHECK_ROW(name, id, code, what) {id, code, what},
    SP_ATTEST_CHECKS(SP_CHECK_ROW)
#undef SP_CHECK_ROW
};

}  // namespace

std::span<const CheckInfo> all_checks() { return kChecks; }

const CheckInfo& check_info(Check check) {
  const auto index = static_cast<std::size_t>(check);
  SP_CHECK(index < std::size(kChecks));
  return kChecks[index];
}

Error check_failed(Check check, std::string_view expected, std::string_view actual) {
  const CheckInfo& info = check_info(check);
  return {info.code, std::string(info.id) + ": expected " + std::string(expected) + ", actual " +
                         std::string(actual)};
}

Error check_failed(Check check, const Error& cause) {
  const CheckInfo& info = check_info(check);
  return {info.code, std::string(info.id) + ": " + cause.message};
}

#ifdef SP_MUTANTS
bool check_left_out(Check check) {
  static const char* const name = std::getenv("SP_MUTANT");
  return name != nullptr && check_info(check).id == name;
}
#endif

}  // namespace sp::attest
