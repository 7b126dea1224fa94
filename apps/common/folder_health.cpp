#include "common/folder_health.hpp"

namespace sp::apps {
namespace {

constexpr const char* kProbeFile = ".health";

}  // namespace

Result<std::uint64_t> disk_free(const Path& folder) {
  std::error_code failure;
  const auto space = std::filesystem::space(folder, failure);
  if (failure) return Error{Errc::io, "the disk doesn't say its room: " + failure.message()};
  return space.available;
}

Status check_folder(Files& files, const Path& folder) {
  const Path probe = folder / kProbeFile;
  Status written = files.write_atomic(probe, as_bytes("ok\n"), FileMode::owner_only);
  if (written) written = files.remove(probe);
  if (!written) return Error{Errc::io, "the folder can't be written"};
  SP_ASSIGN(const std::uint64_t free, disk_free(folder));
  if (free < kDiskFreeMin) {
    return Error{Errc::io, "the disk has " + std::to_string(free >> 20) + " MiB left"};
  }
  return {};
}

void write_disk_metrics(net::MetricsText& text, const std::string& prefix, const Path& folder) {
  const auto free = disk_free(folder);
  if (!free) return;
  text.single(prefix + "_disk_free_bytes", net::MetricsText::Type::gauge,
              "Bytes that remain on the disk of the daemon's folder.", *free);
}

}  // namespace sp::apps
