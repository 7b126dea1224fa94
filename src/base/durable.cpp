#include "base/durable.hpp"

#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <optional>

namespace sp {
namespace {

// What this thread is keeping: write_atomic, an interface, doesn't know for whom it writes.
thread_local std::optional<CrashSite> keeping;

// The pid in "FILE.PID-NUMBER.sp-tmp".
std::optional<pid_t> writer_of(std::string_view name) {
  if (!name.ends_with(kTemporarySuffix)) return std::nullopt;
  name.remove_suffix(kTemporarySuffix.size());
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  pid_t pid = 0;
  const char* end = name.data() + name.size();
  const auto [rest, failure] = std::from_chars(name.data() + dot + 1, end, pid);
  if (failure != std::errc{} || rest == end || *rest != '-' || pid <= 0) return std::nullopt;
  return pid;
}

bool is_at_work(pid_t pid) {
  if (pid == ::getpid()) return false;
  return ::kill(pid, 0) == 0 || errno != ESRCH;
}

template <class Iterator>
Status sweep(const Path& folder) {
  std::error_code failure;
  Iterator entry(folder, failure);
  for (const Iterator end; !failure && entry != end; entry.increment(failure)) {
    const auto writer = writer_of(entry->path().filename().string());
    if (!writer || is_at_work(*writer)) continue;
    if (::unlink(entry->path().c_str()) != 0 && errno != ENOENT) {
      return errno_error("remove", entry->path());
    }
  }
  if (!failure || failure == std::errc::no_such_file_or_directory) return {};
  return Error{Errc::io, "sweep " + folder.string() + ": " + failure.message()};
}

}  // namespace

namespace crash_detail {
void temporary_written() {
  if (keeping) crash_point(*keeping, CrashMoment::between);
}
}  // namespace crash_detail

Status keep(Files& files, CrashSite site, const Path& path, ByteView bytes, FileMode mode) {
  crash_point(site, CrashMoment::before);
  keeping = site;
  const Status written = files.write_atomic(path, bytes, mode);
  keeping.reset();
  if (written) crash_point(site, CrashMoment::after);
  return written;
}

Status discard(Files& files, CrashSite site, const Path& path) {
  const CrashEffect effect(site);
  return files.remove(path);
}

Status sweep_temporaries(const Path& folder, SweepDepth depth) {
  if (depth == SweepDepth::folder) return sweep<std::filesystem::directory_iterator>(folder);
  return sweep<std::filesystem::recursive_directory_iterator>(folder);
}

}  // namespace sp
