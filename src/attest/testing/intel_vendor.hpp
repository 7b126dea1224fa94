// A vendor like Intel for tests: its own root, PCK CA, PCK certificate, TCB signer, CRLs, TCB info
// and QE identity, and a quoting enclave that signs TDX quotes (versions 4 and 5) and SGX quotes
// (version 3). Every field can be changed before it is signed, so that a test spoils one thing and
// signs the rest anew. Linked into tests only; wrong use ends in CHECK.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>

#include "attest/anchors.hpp"
#include "attest/collateral.hpp"
#include "attest/intel_pck.hpp"
#include "attest/intel_quote.hpp"
#include "base/json.hpp"
#include "crypto/testing/issuer.hpp"

namespace sp::attest::testing {

/// The time that everything the vendor signs is current at, for an hour before and after.
inline constexpr std::int64_t kIntelNow = 1'750'550'400;
inline constexpr std::int64_t kIntelSpan = 3600;

/// What most tests want to choose.
struct IntelOptions {
  Measurement measurement;  ///< MRTD; of SGX the first 32 bytes
  bool debug = false;
  TcbStatus tcb_status = TcbStatus::up_to_date;
  std::vector<std::string> advisories;
  std::uint16_t version = 4;  ///< of TDX quotes: 4 or 5 (TD 1.5)
  std::int64_t now = kIntelNow;
};

/// One certificate of a chain: what it says, whose key it is of, and who signs it.
struct IntelCertificate {
  crypto::testing::CertificateRecipe recipe;
  const crypto::testing::SigningKey* key = nullptr;
  const crypto::testing::SigningKey* issuer_key = nullptr;
};
using IntelChain = std::vector<IntelCertificate>;  ///< leaf first
std::string pem_of(const IntelChain& chain);

/// Everything that is signed, before it is signed.
struct IntelRecipe {
  // Collateral.
  IntelChain pck_chain, pckcrl_chain, tcbinfo_chain, qeidentity_chain;
  intel::PckFacts pck;
  std::optional<Bytes> sgx_extension;  ///< in place of what `pck` says
  crypto::testing::CrlRecipe root_crl, pck_crl;
  const crypto::testing::SigningKey* root_crl_key = nullptr;
  const crypto::testing::SigningKey* pck_crl_key = nullptr;
  Json tcb_info, qe_identity;
  std::optional<std::string> tcb_info_text, qe_identity_text;  ///< in place of the JSON
  const crypto::testing::SigningKey* tcbinfo_key = nullptr;
  const crypto::testing::SigningKey* qeidentity_key = nullptr;

  // Quote.
  std::uint16_t version = 4;
  std::uint16_t key_type = 2;
  std::uint32_t tee_type = 0x81;
  Bytes vendor_id;
  std::optional<std::uint16_t> body_type;  ///< of version 5, in place of the body's
  std::optional<std::uint32_t> body_size;
  Bytes body;
  Bytes qe_report;
  std::optional<Bytes> qe_report_data;  ///< 64 bytes, in place of the digest
  Bytes qe_auth_data;
  std::uint16_t certification_type = 6;
  std::uint16_t inner_certification_type = 5;
  const crypto::testing::SigningKey* quote_key = nullptr;
  const crypto::testing::SigningKey* qe_key = nullptr;
  Bytes trailing;

  // The last word, after everything is signed.
  std::function<void(Bytes&)> spoil_quote;
  std::function<void(Collateral&)> spoil_collateral;
};

class IntelVendor {
 public:
  explicit IntelVendor(Random& random);
  IntelVendor(const IntelVendor&) = delete;  // recipes point at its keys
  IntelVendor& operator=(const IntelVendor&) = delete;

  /// A recipe of good evidence.
  [[nodiscard]] IntelRecipe tdx_recipe(const ReportData& report_data,
                                       const IntelOptions& options = {}) const;
  [[nodiscard]] IntelRecipe sgx_recipe(const ReportData& report_data,
                                       const IntelOptions& options = {}) const;
  /// Signs.
  [[nodiscard]] Bytes quote(const IntelRecipe& recipe) const;
  [[nodiscard]] static Collateral collateral(const IntelRecipe& recipe);

  /// Good evidence, its collateral with it.
  [[nodiscard]] Evidence tdx(const ReportData& report_data, const IntelOptions& options = {}) const;
  [[nodiscard]] Evidence sgx(const ReportData& report_data, const IntelOptions& options = {}) const;
  /// Accepts this vendor's root alone.
  [[nodiscard]] Anchors anchors() const;

  /// A key that has no place in the vendor's chains.
  [[nodiscard]] const crypto::testing::SigningKey& stranger() const { return stranger_; }
  [[nodiscard]] const crypto::testing::SigningKey& root() const { return root_; }

 private:
  [[nodiscard]] IntelRecipe common_recipe(const IntelOptions& options) const;

  crypto::testing::SigningKey root_, pck_ca_, pck_, signer_, attestation_, stranger_;
};

/// The value of the SGX extension of a PCK certificate.
Bytes sgx_extension(const intel::PckFacts& facts);
/// "2025-06-22T00:00:00Z"
std::string iso_date(std::int64_t at);

}  // namespace sp::attest::testing
