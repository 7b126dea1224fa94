// What `spctl doctor` looks at: each check a small function that says what it finds, and what to do
// about it. A problem keeps the role from working, a warning doesn't.
//
// Checks of the machine read below a root folder, so that a test can play a machine. They change
// nothing. Safe to call from any thread.
#pragma once

#include <functional>
#include <optional>

#include "base/process.hpp"
#include "chain/rpc.hpp"
#include "common/network.hpp"
#include "net/http.hpp"
#include "spctl/key_ring.hpp"

namespace sp::spctl {

/// Whose machine it is.
enum class Role : std::uint8_t { customer, provider, broker, store };
std::optional<Role> role_named(std::string_view name);
std::string_view role_name(Role role);

enum class Health : std::uint8_t { ok, warning, problem };
std::string_view health_name(Health health);

struct Finding {
  std::string check;  ///< "runc"
  Health health = Health::ok;
  std::string says;
  std::string advice;  ///< empty where nothing is to be done
};

inline constexpr std::uint64_t kDiskMin = std::uint64_t{1} << 30;  ///< bytes; below: a problem
inline constexpr std::uint64_t kDiskGood = std::uint64_t{10} << 30;
inline constexpr std::uint64_t kMemoryMin = std::uint64_t{1} << 30;
inline constexpr std::uint64_t kMemoryGood = std::uint64_t{4} << 30;
inline constexpr unsigned kRuncMajorMin = 1;  ///< runc before 1.1 isn't tested
inline constexpr unsigned kRuncMinorMin = 1;
inline constexpr std::int64_t kClockBehindMax = 15;  ///< seconds that a block may be ahead of us
inline constexpr std::int64_t kChainStillMax = 600;  ///< seconds without a block
inline constexpr std::int64_t kCertificateWarning = 30 * 24 * 3600;  ///< seconds before its end

// The machine.
Finding check_root(Role role, unsigned user);
/// The namespaces that a sandbox is made of, and that user namespaces aren't forbidden.
Finding check_namespaces(const Path& root);
/// The controllers that bound an order, in control groups of either version.
Finding check_cgroups(const Path& root);
/// `version` is what `runc --version` prints; empty: there is none.
Finding check_runc(std::string_view version);
/// One line for each source of evidence that is there; one warning where none is.
std::vector<Finding> check_tees(const Path& root);
Finding check_disk(const Path& folder, std::uint64_t free_bytes);
Finding check_memory(Role role, std::uint64_t bytes);
/// Swap goes to no disk in clear: what programs hold in memory, keys among it, would lie there.
Finding check_swap(const Path& root);
/// A program that a role starts or consists of; `path` empty: not found.
Finding check_program(const std::string& name, const Path& path);

// Files.
/// The network, where it can be read, for the checks that need it.
Finding check_network(const Files& files, const Path& file, std::optional<apps::Network>& network);
/// Every file in `folder`, which holds secrets, is its owner's alone; below it at most one level.
Finding check_modes(const std::string& what, const Path& folder);
/// The certificates of a PEM file: when the first of them ends.
Finding check_certificates(const Files& files, const std::string& what, const Path& file,
                           std::int64_t now);
/// A daemon's settings can be read.
Finding check_settings(const Files& files, Role role, const Path& folder);

// What is elsewhere.
/// A secret that stands alone among files for everybody, such as tls/key.pem.
Finding check_private_file(const std::string& what, const Path& file);
/// HOME, or the nearest folder above that is there, can be written.
Finding check_writable(const Path& home);
/// Each key has its result key, and the password is there and opens the first.
Finding check_keys(KeyRing& keys);
/// The endpoint answers, with the network's chain, and market and token have code there.
std::vector<Finding> check_chain(chain::Chain& chain, const apps::Network& network);
/// This clock against the newest block's; a development chain makes blocks only when asked.
Finding check_clock(std::int64_t now, std::int64_t block_time, bool development_chain);
/// A daemon answers at URL/health. `needed`: the role can't do without.
Finding check_service(net::HttpClient& http, const std::string& name, const std::string& url,
                      bool needed);

/// A check's line: "problem  runc: ... Do this."
std::string finding_line(const Finding& finding);
/// Whether one of them is a problem.
bool has_problem(const std::vector<Finding>& findings);

}  // namespace sp::spctl
