// `spnode init`: what a daemon needs before its first start: keys, a certificate, settings, and the
// card that others are given.
//
// What is there is kept, so it can be run again with more options; settings are written again.
// Belongs to one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "common/card.hpp"

namespace sp::apps {

struct InitOptions {
  std::string role;    ///< store, broker or provider
  std::string folder;  ///< made where it is absent
  std::string address = "0.0.0.0";
  std::uint16_t port = 0;          ///< 0: the role's own (kStorePort, ...)
  std::vector<std::string> hosts;  ///< as others reach it; the first is in its URL
  bool tls = true;
  std::string network;    ///< network.json; broker and provider get their settings from it
  std::string ca_file;    ///< in place of the network's
  std::string authority;  ///< provider: the account that registered it
  std::string loader = "/usr/lib/superprotocol/sploader";
  std::string runc = "/usr/sbin/runc";
  std::string loaders;          ///< broker: file of an appraisal policy, in place of the network's
  std::uint64_t bytes_max = 0;  ///< store: of all blobs; 0: the disk
  std::uint64_t quota_bytes = 10ULL << 30;  ///< store: of an account
  std::uint32_t capacity = 1;
  std::uint32_t queue = 16;
};

inline constexpr std::uint16_t kStorePort = 8301;
inline constexpr std::uint16_t kBrokerPort = 8302;
inline constexpr std::uint16_t kProviderPort = 8303;

/// Errc::usage for options that can't be; Errc::malformed, Errc::io.
Result<Card> init_daemon(const InitOptions& options);

}  // namespace sp::apps
