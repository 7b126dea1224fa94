#include "tee/cgroups.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <set>
#include <thread>

namespace sp::tee {
namespace {

constexpr auto kRemoveWait = std::chrono::milliseconds(5);
constexpr int kRemoveTriesMax = 400;  // two seconds in all
constexpr int kMoveTriesMax = 16;     // what has forked meanwhile is moved the next time

// 0, or why not (errno).
int try_write(const Path& file, const std::string& value) {
  const Fd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid() || ::write(fd.get(), value.data(), value.size()) < 0) return errno;
  return 0;
}

Status write_value(const Path& file, const std::string& value) {
  errno = try_write(file, value);
  if (errno != 0) return errno_error("write " + value + " to", file);
  return {};
}

std::vector<pid_t> processes_of(const Path& group) {
  std::vector<pid_t> processes;
  std::ifstream file(group / "cgroup.procs");
  for (pid_t pid = 0; file >> pid;) processes.push_back(pid);
  return processes;
}

// A group of version 2 that has processes of its own hands nothing down, but for the true root. In
// a container (Docker's, with a namespace of control groups) the root of the mount is such a group:
// its processes move to a leaf of it.
Status move_to_leaf(const Path& group) {
  const Path leaf = group / kRootLeaf;
  if (::mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) return errno_error("mkdir", leaf);
  Status moved;
  for (int tries = 0; tries < kMoveTriesMax; ++tries) {
    const std::vector<pid_t> left = processes_of(group);
    if (left.empty()) return {};
    for (const pid_t pid : left) {
      moved = write_value(leaf / "cgroup.procs", std::to_string(pid));  // it may have ended
    }
  }
  return moved ? Error{Errc::io, "processes keep coming to " + group.string()} : moved.error();
}

bool is_there(const Path& path) { return ::access(path.c_str(), F_OK) == 0; }

// Folders directly below; none where it can't be read.
std::vector<Path> folders_below(const Path& folder) {
  std::vector<Path> folders;
  std::error_code failure;
  for (std::filesystem::directory_iterator at(folder, failure), end; !failure && at != end;
       at.increment(failure)) {
    std::error_code ignored;
    if (at->is_directory(ignored) && !at->is_symlink(ignored)) folders.push_back(at->path());
  }
  return folders;
}

// Removes a group and all below it, leaves first. False where something stays.
bool remove_below(const Path& folder) {
  bool gone = true;
  for (const Path& child : folders_below(folder)) gone = remove_below(child) && gone;
  return (::rmdir(folder.c_str()) == 0 || errno == ENOENT) && gone;
}

void kill_below(const Path& folder) {
  for (const Path& child : folders_below(folder)) kill_below(child);
  // A process of another pid namespace reads as 0, which would mean our own group.
  for (const pid_t pid : processes_of(folder)) {
    if (pid > 1) ::kill(pid, SIGKILL);
  }
}

// The parents of a name and the name itself: a, a/b, a/b/c.
std::vector<std::string> steps_of(const std::string& name) {
  std::vector<std::string> steps;
  for (std::size_t at = name.find('/'); at != std::string::npos; at = name.find('/', at + 1)) {
    steps.push_back(name.substr(0, at));
  }
  steps.push_back(name);
  return steps;
}

}  // namespace

Result<Cgroups> Cgroups::detect(const Path& mount) {
  struct statfs info {};
  if (::statfs(mount.c_str(), &info) != 0) {
    return Error{Errc::unsupported, errno_error("control groups", mount).message};
  }
  const bool unified = info.f_type == CGROUP2_SUPER_MAGIC;
  Cgroups cgroups(unified ? Version::v2 : Version::v1, mount);
  for (const char* controller : {"memory", "pids"}) {
    const Path root = cgroups.folder(controller, "");
    if (unified) {
      std::ifstream file(root / "cgroup.controllers");
      std::set<std::string> available;
      for (std::string name; file >> name;) available.insert(name);
      if (!available.contains(controller)) {
        return Error{Errc::unsupported,
                     "no control group limits " + std::string(controller) + " at " + root.string()};
      }
    }
    if (::access(root.c_str(), W_OK) != 0) {
      return Error{Errc::unsupported,
                   errno_error("control groups aren't writable:", root).message +
                       "; limits can't be enforced here, so no loader is started"};
    }
  }
  return cgroups;
}

Path Cgroups::folder(const std::string& controller, const std::string& name) const {
  return version_ == Version::v2 ? mount_ / name : mount_ / controller / name;
}

std::vector<Path> Cgroups::hierarchies() const {
  if (version_ == Version::v2) return {mount_};
  return folders_below(mount_);
}

Status Cgroups::hand_down(const Path& group) const {
  const Path control = group / "cgroup.subtree_control";
  const std::string controllers = "+memory +pids +cpu";
  if (group == mount_ && try_write(control, controllers) == EBUSY) SP_TRY(move_to_leaf(group));
  return write_value(control, controllers);
}

Status Cgroups::make_below(const Path& root, const std::string& name) const {
  for (const std::string& step : steps_of(name)) {
    // In version 2 a group limits only what its parent hands down.
    if (version_ == Version::v2) SP_TRY(hand_down((root / step).parent_path()));
    if (::mkdir((root / step).c_str(), 0755) == 0) continue;
    if (errno != EEXIST) return errno_error("mkdir", root / step);
    if (step == name) {
      return Error{Errc::conflict, "the control group " + name + " exists already"};
    }
  }
  return {};
}

Status Cgroups::create(const std::string& name, const CgroupLimits& limits) const {
  const Path memory = folder("memory", name);
  const Path pids = folder("pids", name);
  SP_TRY(make_below(folder("memory", ""), name));
  if (version_ == Version::v1) SP_TRY(make_below(folder("pids", ""), name));
  SP_TRY(write_value(pids / "pids.max", std::to_string(limits.pids)));
  const std::string bytes = std::to_string(limits.memory_bytes);
  if (version_ == Version::v2) {
    SP_TRY(write_value(memory / "memory.max", bytes));
    if (is_there(memory / "memory.swap.max")) SP_TRY(write_value(memory / "memory.swap.max", "0"));
  } else {
    SP_TRY(write_value(memory / "memory.limit_in_bytes", bytes));
    if (is_there(memory / "memory.memsw.limit_in_bytes")) {
      SP_TRY(write_value(memory / "memory.memsw.limit_in_bytes", bytes));
    }
  }
  const std::string leaf = name + "/" + kLoaderLeaf;
  SP_TRY(make_below(folder("memory", ""), leaf));
  if (version_ == Version::v1) SP_TRY(make_below(folder("pids", ""), leaf));
  return {};
}

// The calling thread's groups of memory and pids (version 1).
std::vector<Path> Cgroups::own_groups() const {
  std::vector<Path> groups;
  std::ifstream file("/proc/thread-self/cgroup");
  for (std::string line; std::getline(file, line);) {  // "4:memory:/some/group"
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    for (const char* controller : {"memory", "pids"}) {
      if (controllers.find("," + std::string(controller) + ",") == std::string::npos) continue;
      groups.push_back(folder(controller, line.substr(second + 2)));
    }
  }
  return groups;
}

Result<Process> Cgroups::start_in_loader(const std::string& name,
                                         const ProcessOptions& options) const {
  const std::string leaf = name + "/" + kLoaderLeaf;
  if (version_ == Version::v2) {
    SP_ASSIGN(Process process, Process::start(options));
    SP_TRY(write_value(folder("memory", leaf) / "cgroup.procs", std::to_string(process.pid())));
    return process;
  }
  const std::vector<Path> home = own_groups();
  Status status;
  for (const char* controller : {"memory", "pids"}) {
    if (status) status = write_value(folder(controller, leaf) / "tasks", "0");
  }
  Result<Process> process = status ? Process::start(options) : status.error();
  for (const Path& group : home) {
    if (const Status back = write_value(group / "tasks", "0"); !back) return back.error();
  }
  return process;
}

void Cgroups::kill_all(const std::string& name) const {
  for (const Path& root : hierarchies()) kill_below(root / name);
}

Status Cgroups::remove(const std::string& name) const {
  std::string left;
  for (int i = 0; i < kRemoveTriesMax; ++i) {
    left.clear();
    for (const Path& root : hierarchies()) {
      if (is_there(root / name) && !remove_below(root / name)) left = (root / name).string();
    }
    if (left.empty()) return {};
    std::this_thread::sleep_for(kRemoveWait);
  }
  return Error{Errc::io, "the control group " + left + " can't be removed"};
}

void Cgroups::remove_empty(const std::string& name) const {
  std::vector<std::string> steps = steps_of(name);
  std::reverse(steps.begin(), steps.end());
  for (const Path& root : hierarchies()) {
    for (const std::string& step : steps) {
      if (::rmdir((root / step).c_str()) != 0) break;
    }
  }
}

std::vector<std::string> Cgroups::children(const std::string& parent) const {
  std::set<std::string> names;
  for (const Path& root : hierarchies()) {
    for (const Path& child : folders_below(root / parent)) names.insert(child.filename().string());
  }
  return {names.begin(), names.end()};
}

}  // namespace sp::tee
