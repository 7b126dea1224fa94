// Building an order: which offer runs it, its terms, the policies of the customer's own uploads,
// the hints. Pure functions of values; safe to call from any thread.
#pragma once

#include "broker/policy.hpp"
#include "common/network.hpp"
#include "market/client.hpp"

namespace sp::spctl {

/// What one order may use.
struct Resources {
  std::uint32_t seconds = 600;
  std::uint32_t cpu_milli = 1000;
  std::uint32_t memory_mib = 512;
  std::uint32_t disk_mib = 512;  ///< image, inputs and output together, in memory
  std::uint32_t pids = 256;
  bool operator==(const Resources&) const = default;
};

/// Windows that are asked for where the compute offer's minimums are lower.
inline constexpr std::uint32_t kWorkBySeconds = 120;
inline constexpr std::uint32_t kSettleSlackSeconds = 60;  ///< beyond work and run time
/// How much longer than its run time an offer's windows may keep the deposit of an order that
/// nobody settles, seconds.
inline constexpr std::uint64_t kHeldSecondsMax = 7 * 24 * 3600;
/// How long own uploads may still be asked for after an order has expired.
inline constexpr std::int64_t kPolicySlackSeconds = 3600;

/// Why a compute offer can't run the order; empty where it can.
std::string misfit(const api::Compute& compute, const Resources& resources,
                   const apps::Network& network);

/// The offers that can run the order, the cheapest first.
std::vector<api::Compute> fitting_offers(const std::vector<api::Compute>& offers,
                                         const Resources& resources, const apps::Network& network);

/// An offer of storage, with whether an order can take it now.
struct StorageOffer {
  api::Part part;
  market::OfferRecord record;
};
/// Those that are enabled and not used up, the cheapest for so many seconds first.
std::vector<api::Part> storage_by_price(std::vector<StorageOffer> offers, std::uint32_t seconds);

/// The price of `seconds` of a compute offer, base fee included. Errc::too_large.
Result<Amount> compute_price(const api::Compute& compute, std::uint32_t seconds);

/// A part that the customer brings along.
api::Part own_part(api::PartKind kind, const Digest32& digest, const Address& customer,
                   const apps::Network& network);

struct TermsInput {
  Resources resources;
  Address customer;
  crypto::X25519Public result_key;
  Digest32 salt;
  Digest32 argument_commitment;
  api::Compute compute;
  api::Part solution;
  std::vector<api::Part> data;
  api::Part storage;
};

/// The terms of a one-shot order under the network's broker as attestor. Errc::refused where
/// version 1 doesn't allow them.
Result<api::Terms> build_terms(const TermsInput& input, const apps::Network& network);

/// The policy under which the customer's own secrets for this order are deposited: this order
/// alone, whatever else.
broker::ReleasePolicy own_policy(const api::Terms& terms, const apps::Network& network,
                                 std::int64_t now);

/// Where the order's stores, brokers and provider are, as far as the network knows.
market::Hints build_hints(const api::Terms& terms, const apps::Network& network);

/// How long from `create` until the money is back if nobody does anything.
std::uint64_t seconds_until_closable(const api::Terms& terms);

/// Variables "NAME=value", sorted. Errc::usage for a text without '=' and a name that comes twice.
Result<std::vector<std::pair<std::string, std::string>>> parse_environment(
    const std::vector<std::string>& variables);

/// Reads "512M", "2G", "300" (MiB). Errc::usage.
Result<std::uint32_t> parse_mib(const std::string& text);
/// Reads "1.5" as thousandths, api::kCpuMilliMin at least. Errc::usage.
Result<std::uint32_t> parse_cpus(const std::string& text);

}  // namespace sp::spctl
