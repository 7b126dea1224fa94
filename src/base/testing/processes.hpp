// What /proc shows of this machine's processes, which come and go meanwhile (proc(5)).
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/files.hpp"

namespace sp {

/// Of all processes that are there.
inline std::vector<pid_t> process_ids() {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos) {
      found.push_back(std::stoi(name));
    }
  }
  return found;
}

/// One of a process's files, such as "cmdline"; empty where the process is gone.
inline std::string process_text(pid_t process, const std::string& name) {
  std::ifstream file(Path("/proc") / std::to_string(process) / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The program that a process runs; empty where the process is gone.
inline Path process_program(pid_t process) {
  std::error_code gone;
  return std::filesystem::read_symlink(Path("/proc") / std::to_string(process) / "exe", gone);
}

}  // namespace sp
