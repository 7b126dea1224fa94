#include "spctl/leftovers.hpp"

#include <signal.h>
#include <unistd.h>

#include <charconv>

#include "base/durable.hpp"

namespace sp::spctl {
namespace {

constexpr std::string_view kScratchPrefix = "upload-";  // upload-PID-XXXXXX

Path scratch_of(const Home& home) { return home.root() / "tmp"; }

std::vector<Path> folders_in(const Path& folder) {
  std::vector<Path> found;
  std::error_code failure;
  for (std::filesystem::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    std::error_code ignored;
    if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) {
      found.push_back(entry->path());
    }
  }
  return found;
}

bool is_abandoned(const Path& folder) {
  const std::string name = folder.filename();
  if (!name.starts_with(kScratchPrefix)) return false;
  pid_t pid = 0;
  const char* from = name.data() + kScratchPrefix.size();
  const auto [rest, failure] = std::from_chars(from, name.data() + name.size(), pid);
  if (failure != std::errc{} || *rest != '-' || pid <= 0) return false;
  return ::kill(pid, 0) != 0 && errno == ESRCH;
}

}  // namespace

Status sweep_home(const Home& home) {
  std::vector<Path> folders{home.root(), home.keys(), home.content(), home.collateral(),
                            home.root() / "contracts"};
  for (const char* daemon : {"chain", "store", "broker", "provider"}) {
    folders.push_back(home.daemon(daemon));
    folders.push_back(home.daemon(daemon) / "state");
  }
  for (const Path& order : folders_in(home.orders())) folders.push_back(order);
  for (const Path& folder : folders) SP_TRY(sweep_temporaries(folder, SweepDepth::folder));
  for (const Path& scratch : folders_in(scratch_of(home))) {
    if (!is_abandoned(scratch)) continue;
    std::error_code failed;
    std::filesystem::remove_all(scratch, failed);
    if (failed) return Error{Errc::io, "remove " + scratch.string() + ": " + failed.message()};
  }
  return {};
}

Result<Path> make_scratch_folder(Files& files, const Home& home) {
  SP_TRY(files.make_folder(scratch_of(home)));
  const std::string name = std::string(kScratchPrefix) + std::to_string(::getpid()) + "-XXXXXX";
  std::string path = (scratch_of(home) / name).string();
  if (::mkdtemp(path.data()) == nullptr) return errno_error("make", path);
  return Path(path);
}

}  // namespace sp::spctl
