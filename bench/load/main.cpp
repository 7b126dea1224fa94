// load_bench CUSTOMERS PROVIDERS [BLOCK_SECONDS]: that many customers with an order each, all at
// once, on one broker, store and chain of their own. One JSON line on standard output.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/log.hpp"
#include "base/testing/must.hpp"
#include "customers.hpp"
#include "spctl/programs.hpp"

namespace sp::bench {
namespace {

constexpr std::chrono::seconds kLimit{240};

double to_ms(Time time) { return std::chrono::duration<double, std::milli>(time).count(); }

Json percentiles(std::vector<Time> times) {
  if (times.empty()) return nullptr;
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    const auto index =
        static_cast<std::size_t>(share * static_cast<double>(times.size() - 1) + 0.5);
    return to_ms(times[index]);
  };
  return {{"p50", at(0.5)}, {"p99", at(0.99)}, {"n", times.size()}};
}

Json stages(const std::vector<Course>& courses) {
  Json json = Json::object();
  for (std::size_t m = 1; m < kMoments; ++m) {
    std::vector<Time> took;
    for (const Course& course : courses) took.push_back(course[m] - course[m - 1]);
    json[std::string(moment_name(static_cast<Moment>(m)))] = percentiles(std::move(took));
  }
  std::vector<Time> whole;
  for (const Course& course : courses) whole.push_back(course.back() - course.front());
  json["whole"] = percentiles(std::move(whole));
  return json;
}

Json usage(const std::map<std::string, Usage>& before, const std::map<std::string, Usage>& after) {
  Json json = Json::object();
  for (const auto& [name, used] : after) {
    const double cpu = used.cpu_seconds - before.at(name).cpu_seconds;
    json[name] = {{"cpuSeconds", cpu},
                  {"rssMaxMiB", static_cast<double>(used.rss_max) / (1 << 20)}};
  }
  return json;
}

std::size_t number(const char* text) {
  return must(Amount::from_tokens(text, 0)).units() & 0xfffff;
}

int run(int count, char** texts) {
  if (count < 3) {
    std::fputs("usage: load_bench CUSTOMERS PROVIDERS [BLOCK_SECONDS]\n", stderr);
    return 2;
  }
  set_log_level(LogLevel::error);
  const SystemClock clock;
  crypto::SystemRandom random;
  Moments moments(clock);
  const auto programs = must(spctl::find_programs({}));
  TownOptions options;
  options.anvil = programs.anvil;
  options.spnode = programs.spnode;
  const std::size_t customers = number(texts[1]);
  options.providers = number(texts[2]);
  options.orders = customers;
  options.block_time = count > 3 ? static_cast<unsigned>(number(texts[3])) : 0;
  Town town(options, clock, random, moments);
  const auto before = town.usage();
  const Outcome outcome = run_customers(town, customers, kLimit, clock, random, moments);
  const auto after = town.usage();
  Json calls = Json::object();
  for (auto& [method, took] : moments.calls()) calls[method] = percentiles(took);
  Json line{{"bench", "load"},
            {"customers", customers},
            {"providers", options.providers},
            {"capacity", options.capacity},
            {"blockSeconds", options.block_time},
            {"cores", std::thread::hardware_concurrency()},
            {"opened", outcome.opened},
            {"seconds", to_ms(outcome.took) / 1000},
            {"ordersPerSecond", static_cast<double>(outcome.opened) * 1000 / to_ms(outcome.took)},
            {"stagesMs", stages(moments.whole_courses())},
            {"callsMs", calls},
            {"processes", usage(before, after)}};
  if (!outcome.failures.empty()) line["failures"] = outcome.failures;
  std::puts(line.dump().c_str());
  return outcome.opened == customers ? 0 : 1;
}

}  // namespace
}  // namespace sp::bench

int main(int count, char** texts) {
  try {
    return sp::bench::run(count, texts);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "load_bench: %s\n", failure.what());
    return 1;
  }
}
