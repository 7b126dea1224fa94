// A vendor of SEV-SNP processors for tests: a root, intermediates and chips of its own, which sign
// reports with whatever fields a test wants. Believed only by whoever takes anchors() for Anchors.
//
//   AmdVendor vendor(random);
//   Evidence evidence = vendor.snp(report_data);
//   verify_snp(evidence.body, ..., vendor.anchors(), now)
#pragma once

#include <functional>

#include "attest/anchors.hpp"
#include "attest/collateral.hpp"
#include "attest/snp_report.hpp"
#include "crypto/testing/issuer.hpp"

namespace sp::attest::testing {

/// The time in which all of a test vendor's certificates and CRLs count: 2020 to 2049.
inline constexpr std::int64_t kVendorFrom = 1'577'836'800;
inline constexpr std::int64_t kVendorUntil = 2'493'072'000;
inline constexpr std::int64_t kVendorNow = 1'800'000'000;

/// What a report says and what lies around it. The defaults make evidence that is good in every
/// way: up to date, no debug, revocation checked. The functions change what has been made so far;
/// change_report does so before the report is signed.
struct SnpOptions {
  std::uint32_t version = 3;
  SnpFamily family = SnpFamily::genoa;
  SnpKey key = SnpKey::vcek;
  Measurement measurement{.data = {0x5a}};
  bool debug = false;
  SnpTcbParts reported{.fmc = 1, .bootloader = 9, .tee = 2, .snp = 21, .microcode = 72};
  std::optional<SnpTcbParts> committed;  ///< absent: the reported ones
  bool masked_chip_id = false;
  bool crl = true;
  std::optional<Bytes> chip_key_info;  ///< of the chip certificate, in place of the chip's own

  std::function<void(MutableByteView)> change_report, change_signed_report;
  std::function<void(crypto::testing::CertificateRecipe&)> change_chip, change_intermediate,
      change_root;
  std::function<void(crypto::testing::CrlRecipe&)> change_crl;
  std::function<void(Collateral&)> change_collateral;
};

class AmdVendor {
 public:
  /// The chip's key and id are of `random`. All vendors of a program share root and intermediate
  /// keys, which are slow to make.
  explicit AmdVendor(Random& random);

  /// A signed report: 1184 bytes.
  [[nodiscard]] Bytes report(const ReportData& report_data, const SnpOptions& options = {}) const;
  /// Chip certificate, intermediate, root, CRL.
  [[nodiscard]] Collateral collateral(const SnpOptions& options = {}) const;
  [[nodiscard]] Evidence snp(const ReportData& report_data, const SnpOptions& options = {}) const;
  /// Anchors that hold this vendor's root alone.
  [[nodiscard]] static Anchors anchors();
  /// The chip id of reports of this family.
  [[nodiscard]] Bytes chip_id(SnpFamily family) const;

 private:
  crypto::testing::SigningKey chip_key_;
  std::array<std::uint8_t, kSnpChipIdSize> chip_id_{};
};

}  // namespace sp::attest::testing
