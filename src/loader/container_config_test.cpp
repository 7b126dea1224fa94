#include "loader/container_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sp::loader {
namespace {

ContainerSpec spec() {
  ContainerSpec spec;
  spec.arguments = {"/program", "with \"quotes\""};
  spec.environment = {"A=1"};
  spec.user = {1000, 100};
  spec.rootfs = "/run/content/rootfs";
  spec.inputs = {"/run/content/inputs/1", "/run/content/inputs/2"};
  spec.output = "/run/writable/output";
  spec.temporary = "/run/writable/tmp";
  spec.cpu_milli = 1500;
  spec.memory_bytes = 1 << 26;
  spec.pids = 32;
  spec.cgroup = "a/b/workload";
  return spec;
}

Json mount_at(const Json& config, const std::string& destination) {
  for (const Json& mount : config["mounts"]) {
    if (mount["destination"] == destination) return mount;
  }
  return nullptr;
}

TEST(ContainerConfig, ConfinesTheProgram) {
  const Json config = container_config(spec());
  const Json& process = config["process"];
  EXPECT_EQ(process["args"], Json({"/program", "with \"quotes\""}));
  EXPECT_EQ(process["user"], (Json{{"uid", 1000}, {"gid", 100}}));
  EXPECT_EQ(process["noNewPrivileges"], true);
  EXPECT_EQ(process["capabilities"].size(), 5U);
  for (const Json& set : process["capabilities"]) EXPECT_TRUE(set.is_array() && set.empty());
  EXPECT_EQ(config["root"]["readonly"], true);
  std::vector<std::string> types;
  for (const Json& entry : config["linux"]["namespaces"]) {
    types.push_back(entry["type"]);
    EXPECT_FALSE(entry.contains("path")) << "every namespace is a new one";
  }
  EXPECT_THAT(types, ::testing::UnorderedElementsAre("pid", "mount", "ipc", "uts", "network",
                                                     "cgroup", "user"));
}

TEST(ContainerConfig, ShowsInputsReadOnlyAndOutputWritable) {
  const Json config = container_config(spec());
  EXPECT_THAT(mount_at(config, "/sp/inputs/1")["options"].dump(), ::testing::HasSubstr("\"ro\""));
  EXPECT_EQ(mount_at(config, "/sp/inputs/2")["source"], "/run/content/inputs/2");
  EXPECT_THAT(mount_at(config, "/sp/output")["options"].dump(), ::testing::HasSubstr("\"rw\""));
  EXPECT_TRUE(mount_at(config, "/sys").is_null());
  for (const Json& mount : config["mounts"]) {
    EXPECT_THAT(mount["options"].dump(), ::testing::HasSubstr("nosuid")) << mount.dump();
  }
}

TEST(ContainerConfig, BoundsItsResources) {
  ContainerSpec wanted = spec();
  const Json resources = container_config(wanted)["linux"]["resources"];
  EXPECT_EQ(resources["memory"], (Json{{"limit", 1 << 26}, {"swap", 1 << 26}}));
  EXPECT_EQ(resources["cpu"]["quota"], 150'000);
  EXPECT_EQ(resources["cpu"]["period"], 100'000);
  EXPECT_EQ(resources["pids"]["limit"], 32);
  EXPECT_EQ(container_config(wanted)["linux"]["cgroupsPath"], "/a/b/workload");
  wanted.limit_swap = false;
  EXPECT_FALSE(container_config(wanted)["linux"]["resources"]["memory"].contains("swap"));
}

TEST(SeccompProfile, AllowsByListOnly) {
  const Json profile = seccomp_profile();
  EXPECT_EQ(profile["defaultAction"], "SCMP_ACT_ERRNO");
  std::vector<std::string> free;  // allowed whatever the arguments
  for (const Json& rule : profile["syscalls"]) {
    if (rule["action"] != "SCMP_ACT_ALLOW" || rule.contains("args")) continue;
    for (const Json& name : rule["names"]) free.push_back(name);
  }
  EXPECT_THAT(free, ::testing::IsSupersetOf({"read", "execve", "openat2", "futex", "rseq"}));
  for (const char* name : {"mount",
                           "umount2",
                           "ptrace",
                           "bpf",
                           "keyctl",
                           "add_key",
                           "request_key",
                           "kexec_load",
                           "init_module",
                           "finit_module",
                           "delete_module",
                           "userfaultfd",
                           "perf_event_open",
                           "unshare",
                           "setns",
                           "clone",
                           "clone3",
                           "io_uring_setup",
                           "io_uring_enter",
                           "pivot_root",
                           "chroot",
                           "open_by_handle_at",
                           "name_to_handle_at",
                           "process_vm_readv",
                           "process_vm_writev",
                           "reboot",
                           "swapon",
                           "settimeofday",
                           "clock_settime",
                           "iopl",
                           "ioperm",
                           "personality",
                           "socket",
                           "move_pages",
                           "pidfd_getfd",
                           "fsopen",
                           "fsmount",
                           "move_mount",
                           "open_tree"}) {
    EXPECT_THAT(free, ::testing::Not(::testing::Contains(name)));
  }
}

}  // namespace
}  // namespace sp::loader
