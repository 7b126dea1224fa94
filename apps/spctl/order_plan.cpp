#include "spctl/order_plan.hpp"

#include <charconv>

#include "market/pricing.hpp"
#include "spctl/console.hpp"

namespace sp::spctl {
namespace {

constexpr std::uint64_t kSecondsPerHour = 3600;
constexpr std::uint64_t kSecondsPerDay = 24 * kSecondsPerHour;
constexpr std::uint64_t kMibMax = 1 << 24;

std::string short_of(std::string_view what, std::uint64_t wanted, std::uint64_t offered) {
  return std::string(what) + " " + std::to_string(wanted) + " is above its " +
         std::to_string(offered);
}

template <class Value>
bool contains(const std::vector<Value>& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

std::string misfit(const api::Compute& compute, const Resources& resources,
                   const apps::Network& network) {
  if (compute.token != network.token) return "it is paid in another token";
  if (!contains(network.loader_tee.kinds, compute.kind)) {
    return "your network settings don't accept " + std::string(attest::kind_name(compute.kind)) +
           " devices";
  }
  if (!contains(compute.attestors, network.broker.address)) return "it doesn't accept your broker";
  if (resources.seconds < compute.min_seconds || resources.seconds > compute.max_seconds) {
    return "it sells " + std::to_string(compute.min_seconds) + " to " +
           std::to_string(compute.max_seconds) + " s";
  }
  if (resources.cpu_milli > compute.cpu_milli) {
    return short_of("cpu (thousandths)", resources.cpu_milli, compute.cpu_milli);
  }
  if (resources.memory_mib > compute.memory_mib) {
    return short_of("memory (MiB)", resources.memory_mib, compute.memory_mib);
  }
  if (resources.disk_mib > compute.disk_mib) {
    return short_of("disk (MiB)", resources.disk_mib, compute.disk_mib);
  }
  if (resources.pids > compute.pids) return short_of("pids", resources.pids, compute.pids);
  // Terms take these as they are: without a bound, whoever offers for nothing keeps others' money.
  const std::uint64_t settle_by =
      std::max<std::uint64_t>(compute.min_settle_by, compute.min_work_by);
  const std::uint64_t held = settle_by + compute.min_settle_window + compute.min_claim_window;
  if (held > resources.seconds + kHeldSecondsMax) {
    return "it may keep the money of an order that nobody settles for " +
           std::to_string(held / kSecondsPerDay) + " days";
  }
  return {};
}

Result<Amount> compute_price(const api::Compute& compute, std::uint32_t seconds) {
  SP_ASSIGN(const Amount time, compute.price_per_hour.scaled_up(seconds, kSecondsPerHour));
  return compute.base_fee.plus(time);
}

std::vector<api::Compute> fitting_offers(const std::vector<api::Compute>& offers,
                                         const Resources& resources, const apps::Network& network) {
  std::vector<std::pair<Amount, api::Compute>> priced;
  for (const api::Compute& offer : offers) {
    const auto price = compute_price(offer, resources.seconds);
    if (price && misfit(offer, resources, network).empty()) priced.emplace_back(*price, offer);
  }
  std::stable_sort(priced.begin(), priced.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<api::Compute> sorted;
  for (auto& [price, offer] : priced) sorted.push_back(std::move(offer));
  return sorted;
}

std::vector<api::Part> storage_by_price(std::vector<StorageOffer> offers, std::uint32_t seconds) {
  std::vector<std::pair<Amount, api::Part>> priced;
  for (StorageOffer& offer : offers) {
    const std::uint32_t most = offer.part.max_orders;
    const bool left = most == 0 || offer.record.orders < most;
    const auto price = market::part_price(offer.part, seconds);
    if (offer.record.enabled && left && price) priced.emplace_back(*price, std::move(offer.part));
  }
  std::stable_sort(priced.begin(), priced.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<api::Part> sorted;
  for (auto& [price, part] : priced) sorted.push_back(std::move(part));
  return sorted;
}

api::Part own_part(api::PartKind kind, const Digest32& digest, const Address& customer,
                   const apps::Network& network) {
  api::Part part;
  part.kind = kind;
  part.owner = customer;
  part.token = network.token;
  if (kind != api::PartKind::arguments) part.store = network.store.address;
  part.brokers = {network.broker.address};
  part.digest = digest;
  return part;
}

Result<api::Terms> build_terms(const TermsInput& input, const apps::Network& network) {
  api::Terms terms;
  const api::Compute& compute = input.compute;
  terms.ordered_seconds = input.resources.seconds;
  terms.work_by = std::max(compute.min_work_by, kWorkBySeconds);
  const std::uint64_t settle_by =
      std::uint64_t{terms.work_by} + terms.ordered_seconds + kSettleSlackSeconds;
  if (settle_by > 0xffffffff) return Error{Errc::too_large, "the ordered time is too long"};
  terms.settle_by = std::max(compute.min_settle_by, static_cast<std::uint32_t>(settle_by));
  terms.settle_window = compute.min_settle_window;
  terms.claim_window = compute.min_claim_window;
  terms.cpu_milli = input.resources.cpu_milli;
  terms.memory_mib = input.resources.memory_mib;
  terms.disk_mib = input.resources.disk_mib;
  terms.pids = input.resources.pids;
  terms.customer = input.customer;
  terms.token = network.token;
  terms.attestor = network.broker.address;
  terms.result_key = input.result_key;
  terms.salt = input.salt;
  terms.choices = {compute};
  terms.parts.push_back(
      own_part(api::PartKind::arguments, input.argument_commitment, input.customer, network));
  terms.parts.push_back(input.solution);
  terms.parts.insert(terms.parts.end(), input.data.begin(), input.data.end());
  terms.parts.push_back(input.storage);
  SP_TRY(terms.check_version_1());
  return terms;
}

broker::ReleasePolicy own_policy(const api::Terms& terms, const apps::Network& network,
                                 std::int64_t now) {
  broker::ReleasePolicy policy;
  policy.tee = network.loader_tee;
  policy.chains = {{network.market, network.confirmations}};
  policy.solutions.values = {terms.parts[api::Terms::kSolution].digest};
  policy.orders.values = {terms.order_id(network.market)};
  policy.accounts.values = {terms.customer};
  policy.recipients.values = {terms.result_key};
  policy.own_upload = true;
  policy.until = now + terms.settle_by + kPolicySlackSeconds;
  return policy;
}

market::Hints build_hints(const api::Terms& terms, const apps::Network& network) {
  std::map<Address, std::string> known = network.services;
  known[network.broker.address] = network.broker.url;
  known[network.store.address] = network.store.url;
  std::vector<Address> wanted = terms.brokers_in_order();
  for (const api::Part& part : terms.parts) wanted.push_back(part.store);
  for (const api::Compute& choice : terms.choices) wanted.push_back(choice.provider);
  market::Hints hints;
  for (const Address& address : wanted) {
    if (const auto found = known.find(address); found != known.end()) hints.insert(*found);
  }
  return hints;
}

std::uint64_t seconds_until_closable(const api::Terms& terms) {
  return std::uint64_t{terms.settle_by} + terms.settle_window + terms.claim_window;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_environment(
    const std::vector<std::string>& variables) {
  std::map<std::string, std::string> sorted;
  for (const std::string& variable : variables) {
    const std::size_t equals = variable.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return failure(Errc::usage, "--env " + variable + " is refused", "it isn't NAME=VALUE",
                     "Write --env NAME=VALUE");
    }
    const std::string name = variable.substr(0, equals);
    if (!sorted.emplace(name, variable.substr(equals + 1)).second) {
      return failure(Errc::usage, "--env " + name + " is refused", "it comes twice",
                     "Give each name once");
    }
  }
  return std::vector<std::pair<std::string, std::string>>(sorted.begin(), sorted.end());
}

Result<std::uint32_t> parse_mib(const std::string& text) {
  const Error wrong = failure(Errc::usage, "size \"" + text + "\" is refused", "it isn't a size",
                              "Write it as 512M or 2G");
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (code != std::errc() || number > kMibMax) return wrong;
  if (unit == "G" || unit == "g" || unit == "GiB") {
    number *= 1024;
  } else if (!unit.empty() && unit != "M" && unit != "m" && unit != "MiB") {
    return wrong;
  }
  if (number == 0 || number > kMibMax) return wrong;
  return static_cast<std::uint32_t>(number);
}

Result<std::uint32_t> parse_cpus(const std::string& text) {
  constexpr unsigned kPlaces = 3;
  const auto milli = Amount::from_tokens(text, kPlaces);
  if (!milli || milli->units() == 0 || milli->units() > 1'000'000) {
    return failure(Errc::usage, "--cpus " + text + " is refused", "it isn't a number of cores",
                   "Write it as 2 or 0.5");
  }
  if (milli->units() < api::kCpuMilliMin) {
    return failure(Errc::usage, "--cpus " + text + " is refused",
                   "no kernel gives a program so little",
                   "Ask for " + Amount(api::kCpuMilliMin).tokens(kPlaces) + " or more");
  }
  return static_cast<std::uint32_t>(milli->units());
}

}  // namespace sp::spctl
