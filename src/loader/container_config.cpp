#include "loader/container_config.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sp::loader {
namespace {

constexpr std::uint64_t kCpuPeriodMicroseconds = 100'000;
constexpr std::uint64_t kOpenFilesSoft = 1024;
constexpr const char* kSharedMemorySize = "size=64m";

Json mount(const char* destination, const char* type, const char* source, Json options) {
  return {{"destination", destination},
          {"type", type},
          {"source", source},
          {"options", std::move(options)}};
}

Json bind_mount(const std::string& destination, const Path& source, const char* access) {
  return {{"destination", destination},
          {"type", "bind"},
          {"source", source.string()},
          {"options", {"bind", access, "nosuid", "nodev", "rprivate"}}};
}

Json mounts_of(const ContainerSpec& spec) {
  Json mounts = Json::array();
  mounts.push_back(mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}));
  mounts.push_back(
      mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=64k"}));
  mounts.push_back(mount("/dev/pts", "devpts", "devpts",
                         {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}));
  mounts.push_back(mount("/dev/shm", "tmpfs", "shm",
                         {"nosuid", "noexec", "nodev", "mode=1777", kSharedMemorySize}));
  mounts.push_back(bind_mount("/tmp", spec.temporary, "rw"));
  mounts.push_back(bind_mount("/sp/output", spec.output, "rw"));
  for (std::size_t i = 0; i < spec.inputs.size(); ++i) {
    mounts.push_back(bind_mount("/sp/inputs/" + std::to_string(i + 1), spec.inputs[i], "ro"));
  }
  return mounts;
}

Json process_of(const ContainerSpec& spec) {
  const Json none = Json::array();
  Json process;
  process["terminal"] = false;
  process["user"] = {{"uid", spec.user.uid}, {"gid", spec.user.gid}};
  process["args"] = spec.arguments;
  process["env"] = spec.environment;
  process["cwd"] = spec.working_dir;
  process["capabilities"] = {{"bounding", none},
                             {"effective", none},
                             {"inheritable", none},
                             {"permitted", none},
                             {"ambient", none}};
  // No RLIMIT_FSIZE: runtimes make files in memory of terabytes that hold next to nothing (.NET's
  // JIT). What the output says that it is counts when it is sealed.
  process["rlimits"] = {{{"type", "RLIMIT_NOFILE"},
                         {"hard", spec.open_files},
                         {"soft", std::min(spec.open_files, kOpenFilesSoft)}},
                        {{"type", "RLIMIT_CORE"}, {"hard", 0}, {"soft", 0}}};
  process["noNewPrivileges"] = true;
  return process;
}

Json resources_of(const ContainerSpec& spec) {
  Json memory = {{"limit", spec.memory_bytes}};
  if (spec.limit_swap) memory["swap"] = spec.memory_bytes;  // memory and swap together
  return {{"devices", Json::array({{{"allow", false}, {"access", "rwm"}}})},
          {"memory", memory},
          {"cpu",
           {{"quota", std::uint64_t{spec.cpu_milli} * kCpuPeriodMicroseconds / 1000},
            {"period", kCpuPeriodMicroseconds}}},
          {"pids", {{"limit", spec.pids}}}};
}

}  // namespace

Json container_config(const ContainerSpec& spec) {
  Json namespaces = Json::array();
  for (const char* type : {"pid", "mount", "ipc", "uts", "network", "cgroup", "user"}) {
    namespaces.push_back({{"type", type}});
  }
  const Json ids = Json::array(
      {{{"containerID", 0}, {"hostID", kContainerIds}, {"size", std::uint32_t{65'536}}}});
  Json linux;
  linux["namespaces"] = namespaces;
  linux["uidMappings"] = ids;
  linux["gidMappings"] = ids;
  linux["cgroupsPath"] = "/" + spec.cgroup;
  linux["resources"] = resources_of(spec);
  linux["seccomp"] = seccomp_profile();
  linux["maskedPaths"] = {"/proc/acpi",       "/proc/asound",      "/proc/kcore",
                          "/proc/keys",       "/proc/key-users",   "/proc/latency_stats",
                          "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
                          "/proc/scsi",       "/proc/interrupts",  "/sys/firmware"};
  linux["readonlyPaths"] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                            "/proc/sysrq-trigger"};
  linux["rootfsPropagation"] = "private";

  Json config;
  config["ociVersion"] = "1.0.2";
  config["process"] = process_of(spec);
  config["root"] = {{"path", spec.rootfs.string()}, {"readonly", true}};
  config["hostname"] = "workload";
  config["mounts"] = mounts_of(spec);
  config["linux"] = std::move(linux);
  return config;
}

}  // namespace sp::loader
