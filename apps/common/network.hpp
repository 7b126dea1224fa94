// network.json: what clients and daemons know of a deployment; written by `spctl up`, or by hand
// for a public network.
#pragma once

#include <map>

#include "attest/appraisal.hpp"
#include "base/files.hpp"
#include "common/services.hpp"
#include "crypto/eip712.hpp"

namespace sp::apps {

inline constexpr std::size_t kSettingsSizeMax = 1 << 20;
/// Beside network.json, and beside a daemon's settings: PEM of whom they trust.
inline constexpr const char* kCaFile = "ca.pem";
inline constexpr std::size_t kCaFileSizeMax = 256 * 1024;  ///< bytes of it

/// A daemon that clients reach: its URL and the account that it signs with.
struct ServiceAddress {
  std::string url;
  Address address;
};

/// {"version": 1, "rpc", "chainId", "market", "token", "tokenSymbol", "tokenDecimals",
/// "startBlock", "confirmations", "broker":
/// {"url", "address"}, "store": {...},
///  "brokerTee": appraisal policy for brokers, "loaderTee": appraisal policy for loaders,
///  "services": {ADDRESS: URL or [URL]} of providers, and of brokers and stores besides the two
///  (may be absent), "caFile": certificates in PEM of those who may vouch for https services
///  besides the system's, relative to this file (may be absent)}
struct Network {
  std::string rpc;
  crypto::Eip712Domain market;
  Address token;
  std::string token_symbol;      ///< for people
  unsigned token_decimals = 18;  ///< places behind the point, as people write amounts
  std::uint64_t start_block = 0;
  std::uint32_t confirmations = 1;
  ServiceAddress broker;
  ServiceAddress store;
  attest::AppraisalPolicy broker_tee;  ///< which brokers secrets are deposited with
  attest::AppraisalPolicy loader_tee;  ///< which loaders may have own secrets
  Path ca_file;  ///< as read: joined to the folder of network.json; empty: the system's alone
  std::map<Address, std::string> services;  ///< where others are reached: providers by authority
  Mirrors mirrors;                          ///< further places of stores among the services

  /// Errc::not_found, Errc::malformed, Errc::unsupported.
  static Result<Network> load(const Files& files, const Path& path);
  Status save(Files& files, const Path& path) const;
};

}  // namespace sp::apps
