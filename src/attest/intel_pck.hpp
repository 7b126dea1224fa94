// What a PCK certificate says of its platform: the SGX extension 1.2.840.113741.1.13.1 (Intel "SGX
// PCK Certificate and CRL Profile" section 1.3.5). Values; safe from any thread.
#pragma once

#include <array>
#include <optional>

#include "base/bytes.hpp"

namespace sp::attest::intel {

using Ppid = FixedBytes<struct PpidTag, 16>;
using Fmspc = FixedBytes<struct FmspcTag, 6>;
using PceId = FixedBytes<struct PceIdTag, 2>;
using Components = std::array<std::uint8_t, 16>;  ///< SVNs of TCB components
using CpuSvn = FixedBytes<struct CpuSvnTag, 16>;
using PlatformInstanceId = FixedBytes<struct PlatformInstanceIdTag, 16>;

/// What a platform of several packages says of its configuration; absent fields aren't stated.
struct PlatformConfiguration {
  std::optional<bool> dynamic_platform;
  std::optional<bool> cached_keys;
  std::optional<bool> smt_enabled;
};

struct PckFacts {
  Ppid ppid;
  Components components{};
  std::uint16_t pcesvn = 0;
  CpuSvn cpusvn;
  PceId pceid;
  Fmspc fmspc;
  std::uint8_t sgx_type = 0;  ///< 0 standard, 1 scalable, 2 scalable with integrity
  std::optional<PlatformInstanceId> platform_instance;
  std::optional<PlatformConfiguration> configuration;
};

inline constexpr const char* kSgxExtensionOid = "1.2.840.113741.1.13.1";

/// Reads the extension's value. Every field once, no other. Errc::malformed.
Result<PckFacts> read_pck_facts(ByteView extension);

}  // namespace sp::attest::intel
