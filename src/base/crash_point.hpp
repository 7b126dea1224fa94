// Crash points: the closed list of moments at which a process may die with something half done.
//
// Every durable write and every external effect (a transaction, an upload, a key that goes out) is
// a site of this list with the moments before, between and after it. The crash test
// (tests/crash) kills a process at each of them and looks at what a restart makes of it;
// docs/CRASHES.md is this list for people.
//
// The environment variable SP_CRASH_POINT ("provider.ledger.finished:between", or with ":3" behind
// it for the third time) makes a program die there as kill -9 would end it. Every build holds this:
// what is tested is what is shipped. It is harmless, because whoever sets a daemon's environment
// can kill it anyway: the variable stops a program, and never changes what one does. Without it
// crash_point() is one relaxed load.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/crash_sites.hpp"
#include "base/result.hpp"

namespace sp {

enum class CrashSite : std::uint8_t {
#define SP_CRASH_SITE_NAME(id, name, kind, programs, what) id,
  SP_CRASH_SITES(SP_CRASH_SITE_NAME)
#undef SP_CRASH_SITE_NAME
};

/// What a site is, and so which moments it has.
enum class CrashKind : std::uint8_t {
  write,        ///< before; between: the temporary file is written, not renamed; after
  transaction,  ///< before: signed; between: sent, not seen in a block; after
  effect,       ///< before; after
};

enum class CrashMoment : std::uint8_t { before, between, after };

struct CrashSiteInfo {
  std::string_view name;      ///< "provider.ledger.finished"
  CrashKind kind;             ///< which moments it has
  std::string_view programs;  ///< that pass it: "provider spctl"
  std::string_view what;      ///< what is done there, and what a restart makes of it; a sentence
};

const CrashSiteInfo& crash_site_info(CrashSite site);
std::span<const CrashSiteInfo> all_crash_sites();
std::string_view crash_kind_name(CrashKind kind);
std::string_view crash_moment_name(CrashMoment moment);
/// The moments of a kind, in their order.
std::span<const CrashMoment> crash_moments(CrashKind kind);

/// The variable, and a program's way to be armed by it: main() passes what it found. Errc::usage
/// where the text names no point: a test that kills nowhere must not pass.
inline constexpr const char* kCrashVariable = "SP_CRASH_POINT";
Status arm_crash_point(std::string_view text);
/// The same from this process's environment; no error where the variable isn't set.
Status arm_crash_point_from_environment();
/// "SP_CRASH_POINT=..." where a point of this program is armed: for a child whose environment is
/// exact.
std::optional<std::string> crash_variable_for(std::string_view program);

namespace crash_detail {
extern std::atomic<bool> armed;
void pass(CrashSite site, CrashMoment moment);
}  // namespace crash_detail

/// The process dies here, where it is armed for this point. Safe to call from any thread.
inline void crash_point(CrashSite site, CrashMoment moment) {
  if (crash_detail::armed.load(std::memory_order_relaxed)) crash_detail::pass(site, moment);
}

/// Passes `before` now and `after` at its end, on success and failure alike.
class CrashEffect {
 public:
  explicit CrashEffect(CrashSite site) : site_(site) { crash_point(site, CrashMoment::before); }
  CrashEffect(const CrashEffect&) = delete;
  CrashEffect& operator=(const CrashEffect&) = delete;
  ~CrashEffect() { crash_point(site_, CrashMoment::after); }

 private:
  const CrashSite site_;
};

}  // namespace sp
