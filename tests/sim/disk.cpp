#include "sim/disk.hpp"

#include <set>

namespace sp::sim {
namespace {

constexpr Nanoseconds kForgetful = std::chrono::seconds(60);

}  // namespace

void Disk::put(const std::string& name, ByteView bytes, Nanoseconds now) {
  if (forgets_) {
    const auto found = files_.find(name);
    newest_.push_back(
        {now, name, found == files_.end() ? std::nullopt : std::optional<Bytes>(found->second)});
  }
  files_[name] = to_bytes(bytes);
}

void Disk::crash(Nanoseconds now) {
  for (; !newest_.empty(); newest_.pop_back()) {
    const Write& write = newest_.back();
    if (write.at + kForgetful < now || write.name.find("/orders/") == std::string::npos) continue;
    if (write.before) {
      files_[write.name] = *write.before;
    } else {
      files_.erase(write.name);
    }
  }
}

Result<Bytes> SimFiles::read(const Path& path, std::size_t size_max) const {
  const auto found = disk_.files_.find(path.string());
  if (found == disk_.files_.end()) return Error{Errc::not_found, "no file " + path.string()};
  if (found->second.size() > size_max) return Error{Errc::too_large, path.string()};
  return found->second;
}

Result<Bytes> SimFiles::read_range(const Path& path, std::uint64_t offset, std::size_t size) const {
  SP_ASSIGN(const Bytes all, read(path, ~std::size_t{0}));
  if (offset > all.size() || size > all.size() - offset) {
    return Error{Errc::malformed, path.string() + " ends before"};
  }
  return to_bytes(ByteView(all).subspan(offset, size));
}

Result<std::uint64_t> SimFiles::size(const Path& path) const {
  const auto found = disk_.files_.find(path.string());
  if (found == disk_.files_.end()) return Error{Errc::not_found, "no file " + path.string()};
  return std::uint64_t{found->second.size()};
}

Status SimFiles::write_atomic(const Path& path, ByteView bytes, FileMode /*mode*/) {
  tasks_.live_or_end();
  if (!tasks_.alive(process_)) return Error{Errc::io, "the process is dead"};
  const auto moment = faults_.crash_while_writing(process_);
  if (moment == Faults::WriteCrash::after) disk_.put(path.string(), bytes, tasks_.now());
  if (moment != Faults::WriteCrash::none) {
    tasks_.kill(process_);
    tasks_.live_or_end();
    return Error{Errc::io, "the process is dead"};
  }
  // What takes time is before the rename: a crash meanwhile leaves the old file.
  tasks_.sleep(faults_.disk_delay());
  if (!tasks_.alive(process_)) return Error{Errc::io, "the process is dead"};
  disk_.put(path.string(), bytes, tasks_.now());
  return {};
}

// What a killed process had appended is the kernel's, and stays; a crash may cut what it appends.
class SimFiles::Appended final : public AppendFile {
 public:
  Appended(SimFiles& files, std::string name) : files_(files), name_(std::move(name)) {}
  Status append(ByteView bytes) override {
    files_.tasks_.live_or_end();
    const ProcessId process = files_.process_;
    if (!files_.tasks_.alive(process)) return Error{Errc::io, "the process is dead"};
    if (files_.faults_.crash_while_writing(process) == Faults::WriteCrash::none) {
      files_.disk_.append(name_, bytes);
      return {};
    }
    files_.disk_.append(name_, bytes.first(files_.faults_.dice().below(bytes.size() + 1)));
    files_.tasks_.kill(process);
    files_.tasks_.live_or_end();
    return Error{Errc::io, "the process is dead"};
  }
  Status cut(std::uint64_t size) override {
    if (!files_.tasks_.alive(files_.process_)) return Error{Errc::io, "the process is dead"};
    files_.disk_.files_[name_].resize(size);
    return {};
  }
  Status sync() override {
    files_.tasks_.sleep(files_.faults_.disk_delay());
    return files_.tasks_.alive(files_.process_) ? Status{}
                                                : Status(Error{Errc::io, "the process is dead"});
  }
  [[nodiscard]] bool is_still_there() const override { return true; }

 private:
  SimFiles& files_;
  const std::string name_;
};

Result<std::unique_ptr<AppendFile>> SimFiles::append_to(const Path& path) {
  if (!disk_.files_.contains(path.string())) {
    return Error{Errc::not_found, "no file " + path.string()};
  }
  return std::unique_ptr<AppendFile>(std::make_unique<Appended>(*this, path.string()));
}

Status SimFiles::make_folder(const Path& /*path*/) { return {}; }

Status SimFiles::remove(const Path& path) {
  if (tasks_.alive(process_)) disk_.files_.erase(path.string());
  return {};
}

Result<std::vector<std::string>> SimFiles::list(const Path& folder) const {
  const std::string prefix = folder.string() + "/";
  std::set<std::string> names;
  for (auto file = disk_.files_.lower_bound(prefix);
       file != disk_.files_.end() && file->first.starts_with(prefix); ++file) {
    names.insert(
        file->first.substr(prefix.size(), file->first.find('/', prefix.size()) - prefix.size()));
  }
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace sp::sim
