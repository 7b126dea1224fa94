#include "common/process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sp::apps {
namespace {

using Type = net::MetricsText::Type;

// The second number of /proc/self/statm: pages in memory (proc(5)).
std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  if (!(file >> all >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t open_descriptors() {
  std::uint64_t count = 0;
  std::error_code failure;
  std::filesystem::directory_iterator entry("/proc/self/fd", failure);
  for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // the iterator's own
}

double cpu_seconds() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

void write_process_metrics(net::MetricsText& text, const std::string& prefix,
                           std::int64_t started_at) {
  text.family(prefix + "_build_info", Type::gauge, "Always 1; the version is its label.");
  text.sample({{"version", SP_VERSION}}, std::uint64_t{1});
  text.single(prefix + "_start_time_seconds", Type::gauge, "Unix time of this process's start.",
              static_cast<std::uint64_t>(std::max<std::int64_t>(0, started_at)));
  text.single(prefix + "_resident_memory_bytes", Type::gauge, "Memory in RAM.", resident_bytes());
  text.single(prefix + "_open_fds", Type::gauge, "Open file descriptors.", open_descriptors());
  text.family(prefix + "_cpu_seconds_total", Type::counter, "Processor time, user and system.");
  text.sample({}, cpu_seconds());
}

}  // namespace sp::apps
