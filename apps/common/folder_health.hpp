// Whether a daemon can keep what it must: its folder takes a write, and its disk has room.
#pragma once

#include "base/files.hpp"
#include "net/metrics.hpp"

namespace sp::apps {

/// Less than this and a daemon is ill before it fails: bytes that remain for everybody.
inline constexpr std::uint64_t kDiskFreeMin = 64ULL << 20;

/// Writes and removes a small file in `folder`, and asks for the room. Errc::io says which.
Status check_folder(Files& files, const Path& folder);

/// Bytes that remain on the folder's disk. Errc::io.
Result<std::uint64_t> disk_free(const Path& folder);

/// Family PREFIX_disk_free_bytes; left out where the disk doesn't say.
void write_disk_metrics(net::MetricsText& text, const std::string& prefix, const Path& folder);

}  // namespace sp::apps
