// load_bench CUSTOMERS PROVIDERS [SYSTEMS [BLOCK_SECONDS]]: that many customers with an order each,
// all at once, on one broker, store and chain of their own; or, of so many systems, each its share
// of customers and providers. One JSON line on standard output.
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
  for (const Course& course : courses) {
    whole.push_back(course.back() - course[static_cast<std::size_t>(Moment::begun)]);
  }
  json["whole"] = percentiles(std::move(whole));
  return json;
}

using Usages = std::map<std::string, Usage>;

// By name, of all systems together; "bench" is one process for all.
Usages usage(const std::vector<std::unique_ptr<Town>>& towns) {
  Usages sum = towns.front()->usage();
  for (std::size_t i = 1; i < towns.size(); ++i) {
    for (const auto& [name, used] : towns[i]->usage()) {
      if (name == "bench") continue;
      sum[name].cpu_seconds += used.cpu_seconds;
      sum[name].rss_max += used.rss_max;
    }
  }
  return sum;
}

Json used_between(const Usages& before, const Usages& after) {
  Json json = Json::object();
  for (const auto& [name, used] : after) {
    const double cpu = used.cpu_seconds - before.at(name).cpu_seconds;
    json[name] = {{"cpuSeconds", cpu},
                  {"rssMaxMiB", static_cast<double>(used.rss_max) / (1 << 20)}};
  }
  return json;
}

// Each system's share of the customers at the same time.
Outcome run_all(std::vector<std::unique_ptr<Town>>& towns, std::size_t customers,
                const Clock& clock, Random& random, Moments& moments) {
  std::vector<Outcome> outcomes(towns.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < towns.size(); ++i) {
    threads.emplace_back([&, i] {
      outcomes[i] = run_customers(*towns[i], customers, kLimit, clock, random, moments);
    });
  }
  for (std::thread& thread : threads) thread.join();
  Outcome sum;
  for (const Outcome& outcome : outcomes) {
    sum.opened += outcome.opened;
    sum.took = std::max(sum.took, outcome.took);
    for (const auto& [why, times] : outcome.failures) sum.failures[why] += times;
  }
  return sum;
}

std::size_t number(const char* text) {
  return must(Amount::from_tokens(text, 0)).units() & 0xfffff;
}

int run(int count, char** texts) {
  if (count < 3) {
    std::fputs("usage: load_bench CUSTOMERS PROVIDERS [SYSTEMS [BLOCK_SECONDS]]\n", stderr);
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
  const std::size_t systems = count > 3 ? std::max<std::size_t>(number(texts[3]), 1) : 1;
  const std::size_t customers = number(texts[1]) / systems;
  options.providers = number(texts[2]) / systems;
  options.orders = customers;
  options.block_time = count > 4 ? static_cast<unsigned>(number(texts[4])) : 0;
  std::vector<std::unique_ptr<Town>> towns;
  for (std::size_t i = 0; i < systems; ++i) {
    towns.push_back(std::make_unique<Town>(options, clock, random, moments));
  }
  const auto before = usage(towns);
  const Outcome outcome = run_all(towns, customers, clock, random, moments);
  const auto after = usage(towns);
  Json calls = Json::object();
  for (auto& [method, took] : moments.calls()) calls[method] = percentiles(took);
  Json line{{"bench", "load"},
            {"customers", customers * systems},
            {"providers", options.providers * systems},
            {"systems", systems},
            {"capacity", options.capacity},
            {"blockSeconds", options.block_time},
            {"cores", std::thread::hardware_concurrency()},
            {"opened", outcome.opened},
            {"seconds", to_ms(outcome.took) / 1000},
            {"ordersPerSecond", static_cast<double>(outcome.opened) * 1000 / to_ms(outcome.took)},
            {"stagesMs", stages(moments.whole_courses())},
            {"callsMs", calls},
            {"processes", used_between(before, after)}};
  if (!outcome.failures.empty()) line["failures"] = outcome.failures;
  std::puts(line.dump().c_str());
  return outcome.opened == customers * systems ? 0 : 1;
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
