// What a kind's verifier found true of evidence. Only verify() (verdict.hpp) makes a Verdict of it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "attest/evidence.hpp"
#include "base/json.hpp"

namespace sp::attest {

/// The time in which one signed thing counts, both ends included, seconds of Unix time.
struct Validity {
  std::string piece;  ///< "VCEK certificate", "TCB info", ...
  std::int64_t from = 0;
  std::int64_t until = 0;
};

struct Claims {
  EvidenceKind kind = EvidenceKind::none;
  Vendor vendor = Vendor::dev;
  /// What makes a chip the chip: SNP's chip id (64 bytes), Intel's PPID (16 bytes). Empty where the
  /// evidence has none (a masked chip id): such evidence can't back a compute offer.
  Bytes hardware_id;
  Measurement measurement;                    ///< SNP launch digest, MRTD, MRENCLAVE then 16 zeros
  std::vector<Digest48> registers;            ///< RTMR 0 to 3
  std::vector<std::optional<Digest32>> pcrs;  ///< TPM's SHA-256 bank, 24 of them where it has any
  TcbStatus tcb_status = TcbStatus::revoked;
  std::vector<std::string> advisories;
  bool debug = true;
  bool revocation_checked = false;
  Digest48 anchor;  ///< SHA-384 of the SubjectPublicKeyInfo of the root that it chains to
  ReportData report_data;
  std::vector<Validity> validity;  ///< of everything signed that the verdict rests on
  Json details = Json::object();   ///< every other claim of the kind, by name
};

}  // namespace sp::attest
