// Runs a workload's container to its end, within its limits.
//
// The container is the OCI runtime's (`runc run`); the loader holds the clock, the log and the
// kill: time, log and cancel end it here, memory and processes by its control group, disk by the
// size of its writable file system.
#pragma once

#include <chrono>
#include <functional>

#include "api/statements.hpp"
#include "base/world.hpp"
#include "loader/container_config.hpp"

namespace sp::loader {

/// Bytes of standard output and error together that are kept; a workload that writes more is
/// killed.
inline constexpr std::size_t kLogSizeMax = 4 << 20;

struct ContainerRun {
  ContainerSpec spec;
  std::string runtime = "runc";  ///< a path, or a name that PATH finds
  Path state;     ///< an empty folder in memory, for bundle and runtime; stays the caller's
  Path writable;  ///< the file system behind output and temporary
  std::chrono::milliseconds time_limit{0};
  int cancel_descriptor = -1;  ///< readable = stop
};

struct ContainerEnd {
  int exit_code = -1;  ///< the program's; 128 + signal where a signal ended it
  bool cancelled = false;
  api::LimitHit limit = api::LimitHit::none;
  std::chrono::nanoseconds duration{0};  ///< monotonic, start and stop of the container included
  Bytes log;                             ///< standard output and error, at most kLogSizeMax
};

/// Errc::unavailable where the runtime couldn't start it (its words are in the message); nothing
/// ran then.
Result<ContainerEnd> run_container(const ContainerRun& run, const Clock& clock);

/// How many files a process of the container may have open: kOpenFilesMax, or this process's own
/// hard limit where that is lower (a container can't go beyond it).
std::uint64_t open_files_limit();
inline constexpr std::uint64_t kOpenFilesMax = 65'536;

/// Whether the kernel bounds memory and swap together.
bool can_limit_swap();

}  // namespace sp::loader
