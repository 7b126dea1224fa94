// A machine's disk: it outlives the processes that write to it, and a crash in the middle of a
// write leaves the old file or the new one, as a rename does.
#pragma once

#include <map>

#include "base/files.hpp"
#include "sim/faults.hpp"
#include "sim/scheduler.hpp"

namespace sp::sim {

class Disk {
 public:
  /// `forgets` plants a bug: what was written in the last seconds before a crash is lost, although
  /// the write had returned.
  explicit Disk(bool forgets) : forgets_(forgets) {}
  /// To be called when the process that writes here was killed.
  void crash(Nanoseconds now);

 private:
  friend class SimFiles;
  struct Write {
    Nanoseconds at;
    std::string name;
    std::optional<Bytes> before;
  };
  void put(const std::string& name, ByteView bytes, Nanoseconds now);
  void append(const std::string& name, ByteView bytes) { sp::append(files_[name], bytes); }

  bool forgets_;
  std::map<std::string, Bytes> files_;
  std::vector<Write> newest_;  // where it forgets
};

/// A process's view of its disk. When the process is killed nothing reaches the disk any more.
class SimFiles final : public Files {
 public:
  SimFiles(Disk& disk, Tasks& tasks, ProcessId process, Faults& faults)
      : disk_(disk), tasks_(tasks), process_(process), faults_(faults) {}

  Result<Bytes> read(const Path& path, std::size_t size_max) const override;
  Result<Bytes> read_range(const Path& path, std::uint64_t offset, std::size_t size) const override;
  Result<std::uint64_t> size(const Path& path) const override;
  Status write_atomic(const Path& path, ByteView bytes, FileMode mode) override;
  Result<std::unique_ptr<AppendFile>> append_to(const Path& path) override;
  Status make_folder(const Path& path) override;
  Status remove(const Path& path) override;
  Result<std::vector<std::string>> list(const Path& folder) const override;

 private:
  class Appended;
  Disk& disk_;
  Tasks& tasks_;
  ProcessId process_;
  Faults& faults_;
};

}  // namespace sp::sim
