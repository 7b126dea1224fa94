#include "spctl/home.hpp"

#include "common/environment.hpp"

namespace sp::spctl {
namespace {

// Read once at the start, before any thread.
std::string variable(const char* name) { return apps::environment_variable(name).value_or(""); }

}  // namespace

Result<Home> Home::find(const std::string& chosen) {
  Path root = chosen.empty() ? variable("SP_HOME") : chosen;
  if (root.empty()) {
    const std::string user_home = variable("HOME");
    if (user_home.empty()) {
      return Error{Errc::usage, "no home folder: neither --home nor SP_HOME nor HOME is set"};
    }
    root = Path(user_home) / ".superprotocol";
  }
  std::error_code failure;
  const Path absolute = std::filesystem::absolute(root, failure);
  if (failure) return Error{Errc::io, "home folder " + root.string() + ": " + failure.message()};
  return Home(absolute.lexically_normal());
}

}  // namespace sp::spctl
