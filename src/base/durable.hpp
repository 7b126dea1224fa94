// Durable writes with a name, and what a killed write leaves.
//
// keep() is how shipped code writes a file that must survive: Files::write_atomic at a crash site,
// so that no write is without its crash points (tests/house_test.cpp). Functions; safe to call from
// any thread.
#pragma once

#include "base/crash_point.hpp"
#include "base/files.hpp"

namespace sp {

/// Behind every temporary name of write_atomic: FILE.PID-NUMBER.sp-tmp.
inline constexpr std::string_view kTemporarySuffix = ".sp-tmp";

/// Files::write_atomic with the crash points of `site` before, inside and after it.
Status keep(Files& files, CrashSite site, const Path& path, ByteView bytes, FileMode mode);

/// Files::remove with the crash points of `site` before and after it.
Status discard(Files& files, CrashSite site, const Path& path);

/// How far below a folder is looked.
enum class SweepDepth : std::uint8_t { folder, below };

/// Removes the temporary files that writes left whose process was killed: those of processes that
/// live no more, and of this pid's earlier owner, so call it before this process writes there.
/// Links are not followed; a folder that isn't there is swept already. Errc::io.
Status sweep_temporaries(const Path& folder, SweepDepth depth);

namespace crash_detail {
/// Told by write_atomic when its temporary file is whole and not yet renamed.
void temporary_written();
}  // namespace crash_detail

}  // namespace sp
