// What can be asked of vendors, as a closed set, and where each thing lies at a vendor's service:
// AMD's key distribution service (AMD 57230 "VCEK certificate and KDS interface", chapter 4),
// Intel's provisioning certification service and its caches (Intel "PCS API v4", "PCCS design
// guide").
//
// Values; pure functions; safe to call from any thread.
#pragma once

#include <span>
#include <string>
#include <variant>

#include "attest/evidence.hpp"

namespace sp::collateral {

/// The numbers are of the encoding; never reuse one.
enum class AmdProduct : std::uint8_t { milan = 1, genoa = 2, turin = 3 };
enum class AmdKey : std::uint8_t { vcek = 1, vlek = 2 };
enum class IntelCa : std::uint8_t { platform = 1, processor = 2 };
enum class IntelTee : std::uint8_t { sgx = 1, tdx = 2 };
using Fmspc = FixedBytes<struct FmspcTag, 6>;

/// "Milan", "Genoa", "Turin": as AMD writes them.
std::string_view product_name(AmdProduct product);
/// Errc::unsupported.
Result<AmdProduct> product_from_name(std::string_view name);

/// Security version numbers of a chip's parts.
struct AmdTcb {
  std::uint8_t bootloader = 0, tee = 0, snp = 0, microcode = 0;
  std::uint8_t fmc = 0;  ///< Turin's alone; zero elsewhere
  bool operator==(const AmdTcb&) const = default;
};

inline constexpr std::size_t kHwidSize = 64;
inline constexpr std::size_t kTurinHwidSize = 8;

/// The certificate of one chip's VCEK at one TCB.
struct AmdChipCertificate {
  AmdProduct product = AmdProduct::milan;
  Bytes hwid;  ///< kTurinHwidSize bytes on Turin, kHwidSize elsewhere
  AmdTcb tcb;
  bool operator==(const AmdChipCertificate&) const = default;
};
/// Intermediate and root certificate.
struct AmdCertificateChain {
  AmdKey key = AmdKey::vcek;
  AmdProduct product = AmdProduct::milan;
  bool operator==(const AmdCertificateChain&) const = default;
};
struct AmdCrl {
  AmdKey key = AmdKey::vcek;
  AmdProduct product = AmdProduct::milan;
  bool operator==(const AmdCrl&) const = default;
};
struct IntelPckCrl {
  IntelCa ca = IntelCa::platform;
  bool operator==(const IntelPckCrl&) const = default;
};
struct IntelRootCrl {
  bool operator==(const IntelRootCrl&) const = default;
};
struct IntelTcbInfo {
  IntelTee tee = IntelTee::tdx;
  Fmspc fmspc;
  bool operator==(const IntelTcbInfo&) const = default;
};
struct IntelQeIdentity {
  IntelTee tee = IntelTee::tdx;
  bool operator==(const IntelQeIdentity&) const = default;
};

using Wanted = std::variant<AmdChipCertificate, AmdCertificateChain, AmdCrl, IntelPckCrl,
                            IntelRootCrl, IntelTcbInfo, IntelQeIdentity>;

inline constexpr std::size_t kWantedSizeMax = 128;  ///< of an encoding

attest::Vendor vendor_of(const Wanted& wanted);
/// For people: "VCEK of Milan chip 0123456789abcdef...".
std::string name_of(const Wanted& wanted);
/// Path and query below the base URL of a vendor's service.
std::string path_of(const Wanted& wanted);
/// The response fields that may hold the issuer chain, in lower case; empty where the thing has
/// none.
std::span<const std::string_view> chain_fields(const Wanted& wanted);

/// FORMATS.md section "Collateral". A hwid of another size is a bug (CHECK).
Bytes encode(const Wanted& wanted);
/// Errc::malformed.
Result<Wanted> decode_wanted(ByteView bytes);
/// SHA-256 of the encoding: the name in caches.
Digest32 key_of(const Wanted& wanted);

}  // namespace sp::collateral
