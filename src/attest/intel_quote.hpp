// The layout of Intel's quotes, versions 3, 4 and 5 (Intel "SGX ECDSA QuoteLibReference DCAP API"
// appendix A, "TDX DCAP Quoting Library API" appendix A). A Quote is views into the bytes that it
// was read from; nothing of it is verified. Values; safe from any thread.
#pragma once

#include "attest/evidence.hpp"

namespace sp::attest::intel {

enum class BodyKind : std::uint8_t { sgx, td10, td15 };

/// SGX's REPORT body (Intel SDM volume 3D, table 38-21), 384 bytes.
class EnclaveReport {
 public:
  static constexpr std::size_t kSize = 384;
  EnclaveReport() = default;
  explicit EnclaveReport(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] ByteView bytes() const { return bytes_; }
  [[nodiscard]] ByteView cpusvn() const { return bytes_.subspan(0, 16); }
  [[nodiscard]] ByteView miscselect() const { return bytes_.subspan(16, 4); }
  [[nodiscard]] ByteView attributes() const { return bytes_.subspan(48, 16); }
  [[nodiscard]] ByteView mrenclave() const { return bytes_.subspan(64, 32); }
  [[nodiscard]] ByteView mrsigner() const { return bytes_.subspan(128, 32); }
  [[nodiscard]] std::uint16_t isvprodid() const;
  [[nodiscard]] std::uint16_t isvsvn() const;
  [[nodiscard]] ByteView report_data() const { return bytes_.subspan(320, 64); }

 private:
  ByteView bytes_;
};

/// TDX's TD report body, 584 bytes (TDX 1.0) or 648 (TDX 1.5).
class TdReport {
 public:
  static constexpr std::size_t kSize10 = 584;
  static constexpr std::size_t kSize15 = 648;
  static constexpr std::size_t kRtmrs = 4;
  TdReport() = default;
  explicit TdReport(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] ByteView tee_tcb_svn() const { return bytes_.subspan(0, 16); }
  [[nodiscard]] ByteView mrseam() const { return bytes_.subspan(16, 48); }
  [[nodiscard]] ByteView mrsignerseam() const { return bytes_.subspan(64, 48); }
  [[nodiscard]] ByteView seam_attributes() const { return bytes_.subspan(112, 8); }
  [[nodiscard]] ByteView td_attributes() const { return bytes_.subspan(120, 8); }
  [[nodiscard]] ByteView xfam() const { return bytes_.subspan(128, 8); }
  [[nodiscard]] ByteView mrtd() const { return bytes_.subspan(136, 48); }
  [[nodiscard]] ByteView mrconfigid() const { return bytes_.subspan(184, 48); }
  [[nodiscard]] ByteView mrowner() const { return bytes_.subspan(232, 48); }
  [[nodiscard]] ByteView mrownerconfig() const { return bytes_.subspan(280, 48); }
  [[nodiscard]] ByteView rtmr(std::size_t i) const { return bytes_.subspan(328 + 48 * i, 48); }
  [[nodiscard]] ByteView report_data() const { return bytes_.subspan(520, 64); }
  /// TDX 1.5 only: empty in TDX 1.0's.
  [[nodiscard]] ByteView tee_tcb_svn2() const;
  [[nodiscard]] ByteView mrservicetd() const;

 private:
  ByteView bytes_;
};

struct Quote {
  std::uint16_t version = 0;
  std::uint16_t key_type = 0;
  std::uint32_t tee_type = 0;
  std::uint16_t qe_svn = 0;   ///< version 3 only
  std::uint16_t pce_svn = 0;  ///< version 3 only
  ByteView vendor;            ///< 16 bytes
  ByteView user_data;         ///< 20 bytes
  BodyKind body_kind = BodyKind::sgx;
  ByteView body;

  ByteView signed_part;      ///< header and body
  ByteView signature;        ///< 64 bytes, r || s
  ByteView attestation_key;  ///< 64 bytes, x || y
  EnclaveReport qe_report;
  ByteView qe_report_signature;  ///< 64 bytes, r || s
  ByteView qe_auth_data;
  ByteView pck_chain;  ///< PEM, leaf first
  ByteView trailing;   ///< what follows the stated signature data

  [[nodiscard]] bool is_tdx() const { return body_kind != BodyKind::sgx; }
  [[nodiscard]] EvidenceKind kind() const {
    return is_tdx() ? EvidenceKind::tdx : EvidenceKind::sgx;
  }
  /// The body as what it is (CHECK).
  [[nodiscard]] TdReport td() const;
  [[nodiscard]] EnclaveReport enclave() const;
  [[nodiscard]] ByteView report_data() const;
};

/// The first failing check of the layout. `trailing` isn't judged here.
Result<Quote> read_quote(ByteView bytes);

}  // namespace sp::attest::intel
