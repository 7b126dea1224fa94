#include "base/crash_point.hpp"

#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "base/check.hpp"

namespace sp {
namespace {

constexpr int kKilled = 128 + SIGKILL;

constexpr CrashSiteInfo kSites[] = {
#define SP_CRASH_SITE_ROW(id, name, kind, programs, what) {name, CrashKind::kind, programs, what},
    SP_CRASH_SITES(SP_CRASH_SITE_ROW)
#undef SP_CRASH_SITE_ROW
};

constexpr CrashMoment kAllMoments[] = {CrashMoment::before, CrashMoment::between,
                                       CrashMoment::after};
constexpr CrashMoment kTwoMoments[] = {CrashMoment::before, CrashMoment::after};

// What the process is armed for. Written once, before the flag is set.
struct Armed {
  std::string text;
  std::size_t site = 0;
  CrashMoment moment = CrashMoment::before;
  std::atomic<std::uint64_t> passes_left = 1;
};

Armed& the_armed() {
  static Armed armed;
  return armed;
}

Error bad_point(std::string_view text) {
  return {Errc::usage, std::string(kCrashVariable) + " names no crash point: \"" +
                           std::string(text) + "\" (docs/CRASHES.md)"};
}

bool has_program(const CrashSiteInfo& site, std::string_view program) {
  const std::string programs = " " + std::string(site.programs) + " ";
  return programs.find(" " + std::string(program) + " ") != std::string::npos;
}

}  // namespace

namespace crash_detail {

std::atomic<bool> armed = false;

void pass(CrashSite site, CrashMoment moment) {
  Armed& point = the_armed();
  if (static_cast<std::size_t>(site) != point.site || moment != point.moment) return;
  if (point.passes_left.fetch_sub(1) != 1) return;
  ::kill(::getpid(), SIGKILL);
  // The first process of a pid namespace can't kill itself; this ends it without a last word, too.
  ::_exit(kKilled);
}

}  // namespace crash_detail

const CrashSiteInfo& crash_site_info(CrashSite site) {
  const auto index = static_cast<std::size_t>(site);
  SP_CHECK(index < std::size(kSites));
  return kSites[index];
}

std::span<const CrashSiteInfo> all_crash_sites() { return kSites; }

std::string_view crash_kind_name(CrashKind kind) {
  switch (kind) {
    case CrashKind::write:
      return "write";
    case CrashKind::transaction:
      return "transaction";
    case CrashKind::effect:
      return "effect";
  }
  return "unknown";
}

std::string_view crash_moment_name(CrashMoment moment) {
  switch (moment) {
    case CrashMoment::before:
      return "before";
    case CrashMoment::between:
      return "between";
    case CrashMoment::after:
      return "after";
  }
  return "unknown";
}

std::span<const CrashMoment> crash_moments(CrashKind kind) {
  if (kind == CrashKind::effect) return kTwoMoments;
  return kAllMoments;
}

Status arm_crash_point(std::string_view text) {
  Armed& point = the_armed();
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return bad_point(text);
  const std::string_view name = text.substr(0, colon);
  std::string_view moment = text.substr(colon + 1);
  std::uint64_t pass = 1;
  if (const std::size_t second = moment.find(':'); second != std::string_view::npos) {
    const std::string_view number = moment.substr(second + 1);
    const char* end = number.data() + number.size();
    const auto [rest, failure] = std::from_chars(number.data(), end, pass);
    if (failure != std::errc{} || rest != end || pass == 0) return bad_point(text);
    moment = moment.substr(0, second);
  }
  for (std::size_t i = 0; i < std::size(kSites); ++i) {
    if (kSites[i].name != name) continue;
    for (const CrashMoment known : crash_moments(kSites[i].kind)) {
      if (crash_moment_name(known) != moment) continue;
      point.text = text;
      point.site = i;
      point.moment = known;
      point.passes_left = pass;
      crash_detail::armed = true;
      return {};
    }
  }
  return bad_point(text);
}

Status arm_crash_point_from_environment() {
  const char* text = std::getenv(kCrashVariable);  // NOLINT(concurrency-mt-unsafe): before threads
  if (text == nullptr) return {};
  return arm_crash_point(text);
}

std::optional<std::string> crash_variable_for(std::string_view program) {
  if (!crash_detail::armed || !has_program(kSites[the_armed().site], program)) return std::nullopt;
  return std::string(kCrashVariable) + "=" + the_armed().text;
}

}  // namespace sp
