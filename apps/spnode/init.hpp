// `spnode init`: what a daemon needs before its first start: keys, a certificate, settings, and the
// card that others are given.
//
// What is there is kept, settings too: run again, it writes into them what the options name and
// what the network's file says of others (services, loaders, a market that isn't followed yet).
// Belongs to one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "common/card.hpp"
#include "common/provider_settings.hpp"

namespace sp::apps {

struct InitOptions {
  std::string role;                ///< store, broker or provider
  std::string folder;              ///< made where it is absent
  std::vector<std::string> hosts;  ///< as others reach it; the first is in its URL
  bool plain = false;              ///< without TLS
  // Absent: as in the settings that are there, else as said here.
  std::optional<std::string> address;        ///< to listen on; 0.0.0.0
  std::uint16_t port = 0;                    ///< 0 as absent: the role's own (kStorePort, ...)
  std::optional<std::string> loader;         ///< provider; kInstalledLoader
  std::optional<std::string> runc;           ///< provider; kInstalledRunc
  std::optional<std::uint32_t> capacity;     ///< provider: orders at once; 1
  std::optional<std::uint32_t> queue;        ///< provider: orders that wait; 16
  std::optional<std::uint64_t> bytes_max;    ///< store: of all blobs; 0 = as much as the disk has
  std::optional<std::uint64_t> quota_bytes;  ///< store: of an account; 10 GiB
  std::string network;    ///< network.json; broker and provider get their settings from it
  std::string ca_file;    ///< in place of the network's
  std::string authority;  ///< provider: the account that registered it
  std::string loaders;    ///< broker: file of an appraisal policy, in place of the network's
};

inline constexpr std::uint16_t kStorePort = 8301;
inline constexpr std::uint16_t kBrokerPort = 8302;
inline constexpr std::uint16_t kProviderPort = 8303;
inline constexpr const char* kInstalledRunc = "/usr/sbin/runc";

struct Initialised {
  Card card;
  bool kept_settings = false;  ///< settings were there: what they say stands, but for the above
};

/// Errc::usage for options that can't be; Errc::malformed, also of settings that are there;
/// Errc::io.
Result<Initialised> init_daemon(const InitOptions& options);

}  // namespace sp::apps
