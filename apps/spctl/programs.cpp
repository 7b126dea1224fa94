#include "spctl/programs.hpp"

#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "spctl/console.hpp"

namespace sp::spctl {
namespace {

constexpr const char* kAnvilInModules = "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";

bool is_program(const Path& path) { return ::access(path.c_str(), X_OK) == 0; }

Path in_path(const std::string& name) {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): before any thread
  // Debian leaves the folders of administrators' programs out of people's PATH.
  std::istringstream folders(std::string(path == nullptr ? "" : path) + ":/usr/sbin:/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (!folder.empty() && is_program(Path(folder) / name)) return Path(folder) / name;
  }
  return {};
}

Path find_anvil(const Path& chosen, const Path& own_folder) {
  if (!chosen.empty()) return is_program(chosen) ? chosen : Path();
  if (const Path found = in_path("anvil"); !found.empty()) return found;
  for (Path folder = own_folder;; folder = folder.parent_path()) {
    if (is_program(folder / kAnvilInModules)) return folder / kAnvilInModules;
    if (!folder.has_relative_path()) return {};
  }
}

}  // namespace

Result<Programs> find_programs(const Path& chosen_anvil) {
  std::error_code failed;
  const Path own = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) return Error{Errc::io, "spctl doesn't find itself: " + failed.message()};
  Programs programs;
  programs.anvil = find_anvil(chosen_anvil, own.parent_path());
  programs.spnode = own.parent_path() / "spnode";
  programs.sploader = own.parent_path() / "sploader";
  programs.runc = in_path("runc");
  if (programs.anvil.empty()) {
    return failure(Errc::not_found, "anvil isn't there", "no such program is found",
                   "Run 'npm ci' in the project's folder, or name it with --anvil");
  }
  for (const Path& program : {programs.spnode, programs.sploader}) {
    if (is_program(program)) continue;
    return failure(Errc::not_found, program.string() + " isn't there",
                   "it is built together with spctl", "Build it: make build");
  }
  if (programs.runc.empty()) {
    return failure(Errc::not_found, "runc isn't there", "it runs workloads in the sandbox",
                   "Install it: apt-get install runc");
  }
  programs.anvil = std::filesystem::absolute(programs.anvil, failed);
  return programs;
}

}  // namespace sp::spctl
