// sim: runs the simulation for seeds.
//
//   sim --seed N [--trace]   one seed; exactly the same every time
//   sim --seeds A..B [--within S]
//                            those from A to B; more than S seconds of processor time are too many
//   sim --seconds T          seeds from the clock for that long
//
// Ends with 1 at the first seed that a checker finds something in, and says how to run it again.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include "base/amount.hpp"
#include "base/log.hpp"
#include "sim/world.hpp"

namespace sp::sim {
namespace {

struct Totals {
  std::size_t seeds = 0, orders = 0, settled = 0, closed = 0, crashes = 0, releases = 0, stale = 0,
              replaced = 0, unhindered = 0, undone = 0;
};

std::optional<std::uint64_t> number_of(std::string_view text) {
  const auto amount = Amount::from_text(text);
  if (!amount) return std::nullopt;
  return static_cast<std::uint64_t>(amount->units());
}

bool run_one(const RunOptions& options, Totals& totals) {
  const RunReport report = run_seed(options);
  ++totals.seeds;
  totals.orders += report.orders;
  totals.settled += report.settled;
  totals.closed += report.closed;
  totals.crashes += report.crashes;
  totals.releases += report.releases;
  totals.stale += report.stale;
  totals.replaced += report.replaced;
  totals.unhindered += report.unhindered;
  totals.undone += report.undone;
  if (options.print) {
    std::printf("seed %llu: trace %016llx, %llu events, %llu switches, %lld simulated seconds\n",
                static_cast<unsigned long long>(options.seed),
                static_cast<unsigned long long>(report.trace),
                static_cast<unsigned long long>(report.events),
                static_cast<unsigned long long>(report.switches),
                static_cast<long long>(report.simulated / std::chrono::seconds(1)));
  }
  for (const std::string& violation : report.violations) {
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(options.seed),
                violation.c_str());
  }
  if (report.violations.empty()) return true;
  std::printf("again: sim --seed %llu --trace\n", static_cast<unsigned long long>(options.seed));
  return false;
}

int usage() {
  std::fprintf(stderr, "sim --seed N [--trace] | --seeds A..B [--within S] | --seconds T\n");
  return 2;
}

// Of this process: what else runs on the machine doesn't count.
double processor_seconds() {
  timespec used{};
  SP_CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

int check_within(std::uint64_t seconds_max) {
  const double used = processor_seconds();
  if (used <= static_cast<double>(seconds_max)) return 0;
  std::printf("%.1f s of processor time, more than %llu\n", used,
              static_cast<unsigned long long>(seconds_max));
  return 1;
}

int run_range(std::uint64_t first, std::uint64_t last, const Nanoseconds* limit, bool print) {
  const SystemClock clock;
  const Nanoseconds begin = clock.monotonic();
  Totals totals;
  bool good = true;
  for (std::uint64_t seed = first; good && seed <= last; ++seed) {
    RunOptions options;
    options.seed = seed;
    options.print = print;
    good = run_one(options, totals);
    if (limit != nullptr && clock.monotonic() - begin > *limit) break;
  }
  std::printf(
      "%zu seeds, %zu orders: %zu settled (%zu unhindered), %zu refunded, %zu undone; %zu crashes, "
      "%zu keys, "
      "%zu refusals for collateral, %zu transactions replaced; %.1f s, %.1f s of processor time\n",
      totals.seeds, totals.orders, totals.settled, totals.unhindered, totals.closed, totals.undone,
      totals.crashes, totals.releases, totals.stale, totals.replaced,
      static_cast<double>((clock.monotonic() - begin).count()) / 1e9, processor_seconds());
  return good ? 0 : 1;
}

int run(int count, char** arguments) {
  const std::string_view mode = count > 1 ? arguments[1] : "";
  const std::string_view value = count > 2 ? arguments[2] : "";
  const std::string_view option = count > 3 ? arguments[3] : "";
  const bool trace = option == "--trace";
  // What daemons log carries the real time; the trace says what happens.
  if (!trace) set_log_level(static_cast<LogLevel>(static_cast<int>(LogLevel::error) + 1));
  if (mode == "--seeds") {
    const std::size_t dots = value.find("..");
    if (dots == std::string_view::npos) return usage();
    const auto first = number_of(value.substr(0, dots));
    const auto last = number_of(value.substr(dots + 2));
    const auto within =
        option == "--within" ? number_of(count > 4 ? arguments[4] : "") : std::nullopt;
    // None would be a test that can't fail.
    if (!first || !last || *first > *last || (!option.empty() && !within)) return usage();
    const int bad = run_range(*first, *last, nullptr, false);
    return bad != 0 || !within ? bad : check_within(*within);
  }
  const auto number = number_of(value);
  if (!number) return usage();
  if (mode == "--seed") return run_range(*number, *number, nullptr, trace);
  if (mode != "--seconds") return usage();
  const Nanoseconds limit = std::chrono::seconds(*number);
  const auto from = static_cast<std::uint64_t>(SystemClock().unix_seconds()) * 1'000;
  return run_range(from, ~std::uint64_t{0}, &limit, false);
}

}  // namespace
}  // namespace sp::sim

int main(int count, char** arguments) { return sp::sim::run(count, arguments); }
