// The sandbox: a loader in fresh namespaces of this machine, started as it will be in a virtual
// machine. For machines without a TEE: evidence is `dev`, and root of the machine can look inside.
//
// The loader is root of new pid, mount, network, ipc and uts namespaces. It gets the window as
// descriptor 3, the dev platform as descriptor 4 (read-only), the caller's log as standard error,
// and nothing else. Its group PARENT/ID bounds memory and processes of the whole TEE. It dies with
// its window, with the process that started it, and with this object; mounts and processes go with
// their namespaces, groups with wait(), the destructor or the next sweep().
#pragma once

#include "base/files.hpp"
#include "tee/tee_host.hpp"

namespace sp::tee {

/// What the loader itself may use beside the order's memory and processes.
inline constexpr std::uint64_t kLoaderMemoryBytes = std::uint64_t{320} << 20;
inline constexpr std::uint64_t kLoaderPids = 96;

struct SandboxOptions {
  Path loader;          ///< the sploader program
  Path platform;        ///< the dev platform's file (prove/dev.hpp)
  std::string runtime;  ///< the OCI runtime; empty = runc from PATH
  /// Group under which this host makes its own, such as "superprotocol/provider-1": [a-z0-9-/].
  /// Two hosts that live at the same time need different ones, as sweep() empties it.
  std::string cgroup_parent;
  /// "SP_CRASH_POINT=..." for the first loader alone, so that the next one shows what a crash
  /// leaves (base/crash_point.hpp). Loaders get nothing else of this process's environment.
  std::optional<std::string> crash_point = {};
};

/// Errc::unsupported where this isn't root or no control groups can be written; Errc::usage.
Result<std::unique_ptr<TeeHost>> make_sandbox(SandboxOptions options);

}  // namespace sp::tee
