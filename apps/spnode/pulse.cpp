#include "pulse.hpp"

#include <sys/statvfs.h>

#include "base/files.hpp"

namespace sp::apps {

Status ChainPulse::beat() {
  {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.monotonic();
    if (asked_ && now - *asked_ < kPulsePeriod) return said_;
    asked_ = now;
  }
  const auto block = chain_.block();
  const std::lock_guard lock(mutex_);
  if (block) newest_ = *block;
  said_ = block ? Status() : Status(block.error().in("market " + name_));
  return said_;
}

chain::Block ChainPulse::newest() const {
  const std::lock_guard lock(mutex_);
  return newest_;
}

Status all_beat(const std::vector<ChainPulse*>& pulses) {
  Status all;
  for (ChainPulse* pulse : pulses) {
    Status one = pulse->beat();
    if (!one && all) all = std::move(one);
  }
  return all;
}

Status room_on_disk(const std::filesystem::path& folder, std::uint64_t bytes_min) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0) return errno_error("look at the disk of", folder);
  const std::uint64_t room = disk.f_bavail * disk.f_frsize;
  if (room >= bytes_min) return {};
  return Error{Errc::io, "the disk has room for " + std::to_string(room) + " bytes, fewer than " +
                             std::to_string(bytes_min)};
}

}  // namespace sp::apps
