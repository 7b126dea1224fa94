// Control groups of either version: a folder per TEE that bounds all its processes together.
//
// Version 1 (or hybrid) has one hierarchy per controller below /sys/fs/cgroup, version 2 a single
// one. A group's name is a relative path, the same in every hierarchy. In a group, "loader" holds
// the loader and "workload" is left to the container runtime (in version 2 only leaves hold
// processes). Safe to call from any thread for different groups.
#pragma once

#include <string>
#include <vector>

#include "base/process.hpp"

namespace sp::tee {

inline constexpr const char* kCgroupMount = "/sys/fs/cgroup";
inline constexpr const char* kLoaderLeaf = "loader";
inline constexpr const char* kWorkloadLeaf = "workload";
inline constexpr const char* kRootLeaf = "init";  ///< below the mount's root, see create()

struct CgroupLimits {
  std::uint64_t memory_bytes = 0;  ///< swap is not allowed on top
  std::uint64_t pids = 0;
};

class Cgroups {
 public:
  enum class Version : std::uint8_t { v1 = 1, v2 = 2 };

  /// Looks for writable memory and pids controllers. Errc::unsupported says which are missing or
  /// can't be written.
  static Result<Cgroups> detect(const Path& mount = kCgroupMount);

  [[nodiscard]] Version version() const { return version_; }

  /// Makes NAME with its limits and NAME/loader. In a container whose root group of version 2 has
  /// processes, these move to its leaf kRootLeaf first. Errc::conflict where NAME exists, Errc::io.
  Status create(const std::string& name, const CgroupLimits& limits) const;
  /// Starts a process that is in NAME/loader from its first instruction or soon after it. To be
  /// called from one thread at a time: in version 1 the calling thread itself goes there and back,
  /// since moving another process makes the kernel wait for all CPUs (some 15 ms). Errc::io.
  Result<Process> start_in_loader(const std::string& name, const ProcessOptions& options) const;
  /// Sends SIGKILL to every process in NAME and below it.
  void kill_all(const std::string& name) const;
  /// Removes NAME and all below it in every hierarchy; no error where there is none. Waits up to
  /// two seconds for dying processes. Errc::io names what stays.
  Status remove(const std::string& name) const;
  /// Removes NAME and its parents as far as nothing else is in them.
  void remove_empty(const std::string& name) const;
  /// The names of the groups directly below `parent` in any hierarchy.
  [[nodiscard]] std::vector<std::string> children(const std::string& parent) const;

 private:
  Cgroups(Version version, Path mount) : version_(version), mount_(std::move(mount)) {}
  /// Folder of `name` in the hierarchy that limits by `controller`.
  [[nodiscard]] Path folder(const std::string& controller, const std::string& name) const;
  /// Roots of all hierarchies.
  [[nodiscard]] std::vector<Path> hierarchies() const;
  [[nodiscard]] std::vector<Path> own_groups() const;
  /// Version 2: what is below the group may limit by our controllers.
  [[nodiscard]] Status hand_down(const Path& group) const;
  Status make_below(const Path& root, const std::string& name) const;

  Version version_;
  Path mount_;
};

}  // namespace sp::tee
