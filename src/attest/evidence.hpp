// Evidence (RFC 9334): what a platform signs about a program that it runs, and the closed list of
// what a program binds into it.
//
// Evidence carries 64 bytes of report data. In this protocol they are always SHA-512 of a domain
// tag and the canonical encoding of one binding context (FORMATS.md section 3); nothing else is
// ever compared with report data. Values; safe to call from any thread.
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "crypto/hpke.hpp"

namespace sp::attest {

/// The values are those of attestations and offers (contracts/src/types/Types.sol).
enum class EvidenceKind : std::uint8_t {
  none = 0,
  dev = 1,
  sev_snp = 2,
  tdx = 3,
  sgx = 4,
  tpm = 5
};
enum class Vendor : std::uint8_t { amd = 1, intel = 2, dev = 255 };
/// TCB statuses in Intel's words; AMD and dev evidence know the first and out_of_date only.
enum class TcbStatus : std::uint8_t {
  up_to_date = 1,
  sw_hardening_needed = 2,
  configuration_needed = 3,
  configuration_and_sw_hardening_needed = 4,
  out_of_date = 5,
  out_of_date_configuration_needed = 6,
  revoked = 7,
};

/// Names as policies and outputs write them: "dev", "snp", "tdx", "sgx", "tpm"; "UpToDate", ...
std::string_view kind_name(EvidenceKind kind);
std::string_view tcb_name(TcbStatus status);
Result<EvidenceKind> kind_from_name(std::string_view name);
Result<TcbStatus> tcb_from_name(std::string_view name);

using ReportData = FixedBytes<struct ReportDataTag, 64>;
using Measurement = Digest48;                                           ///< a launch measurement
using MeasurementDigest = FixedBytes<struct MeasurementDigestTag, 32>;  ///< of kind and measurement
using ChipId = FixedBytes<struct ChipIdTag, 32>;  ///< of vendor and hardware id
using Nonce = FixedBytes<struct NonceTag, 32>;
using OrderId = FixedBytes<struct OrderIdTag, 32>;

inline constexpr std::size_t kEvidenceBodyMax = 64 * 1024;
inline constexpr std::size_t kCollateralMax = 512 * 1024;
inline constexpr std::size_t kNoncesMax = 32;

/// Evidence as it travels: the kind, the platform's bytes, and what is needed to verify them where
/// it is sent along.
struct Evidence {
  EvidenceKind kind = EvidenceKind::none;
  Bytes body;
  Bytes collateral;  ///< empty for dev

  [[nodiscard]] Bytes encode() const;
  /// Errc::malformed, Errc::too_large, Errc::unsupported.
  static Result<Evidence> decode(ByteView bytes);
  bool operator==(const Evidence&) const = default;
};

/// Context "order session": a loader's session for one order.
struct OrderSession {
  crypto::X25519Public session_key;  ///< keys are sealed to it (HPKE)
  Address session;                   ///< signs key requests and the receipt
  std::vector<Nonce> nonces;         ///< the attestor's, then each other broker's in part order
  OrderId order;
  std::uint16_t attempt = 0;
  std::uint8_t replica = 0;

  [[nodiscard]] Bytes encode() const;
  static Result<OrderSession> decode(ByteView bytes);
  [[nodiscard]] ReportData report_data() const;
  bool operator==(const OrderSession&) const = default;
};

/// Context "broker identity": a key broker's keys, for whoever deposits a secret.
struct BrokerIdentity {
  crypto::X25519Public deposit_key;  ///< secrets are sealed to it (HPKE)
  Address broker;                    ///< signs attestations and refusals
  Nonce nonce;                       ///< the asker's

  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] ReportData report_data() const;
  bool operator==(const BrokerIdentity&) const = default;
};

ChipId chip_id(Vendor vendor, ByteView hardware_id);
MeasurementDigest measurement_digest(EvidenceKind kind, const Measurement& measurement);

}  // namespace sp::attest
