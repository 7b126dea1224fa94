// What a workload's container may do: the config.json for an OCI runtime (OCI runtime spec 1.0).
//
// Own pid, mount, ipc, uts, network, cgroup and user namespaces: no network but its own loopback,
// root of the container is nobody outside. Read-only root; writable are /tmp, /dev/shm and
// /sp/output. No capabilities, no new privileges, a list of allowed system calls (anything else
// fails), limits on memory, CPU time and processes. Pure; safe to call from any thread.
#pragma once

#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/json.hpp"
#include "loader/oci_image.hpp"

namespace sp::loader {

/// First user and group id, outside, of a container's 65536 (rootfs.hpp). Nobody else's.
inline constexpr std::uint32_t kContainerIds = 0x53000000;
inline constexpr const char* kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct ContainerSpec {
  std::vector<std::string> arguments;    ///< program first
  std::vector<std::string> environment;  ///< "NAME=value"
  std::string working_dir = "/";
  ImageUser user;

  Path rootfs;
  std::vector<Path> inputs;  ///< shown read-only at /sp/inputs/1, /sp/inputs/2, ...
  Path output;               ///< shown at /sp/output
  Path temporary;            ///< shown at /tmp

  std::uint32_t cpu_milli = 1000;  ///< thousandths of a core
  std::uint64_t memory_bytes = 0;
  bool limit_swap = true;  ///< false only where the kernel has no such limit
  std::uint32_t pids = 0;
  std::uint64_t open_files = 1024;  ///< of one process; at most this process's own hard limit
  std::string cgroup;               ///< relative to the roots of the hierarchies
};

/// config.json.
Json container_config(const ContainerSpec& spec);

/// The seccomp section alone.
Json seccomp_profile();

}  // namespace sp::loader
