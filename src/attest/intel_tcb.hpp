// TCB info and QE identity: the JSON that Intel signs about which platforms and quoting enclaves
// are up to date (Intel "PCS API" v3 and v4, "Get TCB Info", "Get QE Identity"). Values; safe from
// any thread.
#pragma once

#include <string>
#include <vector>

#include "attest/evidence.hpp"
#include "attest/intel_pck.hpp"

namespace sp::attest::intel {

inline constexpr std::size_t kTcbLevelsMax = 256;
inline constexpr std::size_t kModuleIdentitiesMax = 64;
inline constexpr std::size_t kAdvisoriesMax = 512;
inline constexpr std::size_t kAdvisorySizeMax = 64;
inline constexpr std::size_t kDateSize = 20;  ///< "2025-06-19T10:16:03Z"

using SeamAttributes = FixedBytes<struct SeamAttributesTag, 8>;
using SgxAttributes = FixedBytes<struct SgxAttributesTag, 16>;
using MiscSelect = FixedBytes<struct MiscSelectTag, 4>;
using MrSigner = FixedBytes<struct MrSignerTag, 32>;

/// What a level says of whoever is at it or above.
struct LevelStatus {
  TcbStatus status = TcbStatus::revoked;
  std::string date;  ///< as Intel writes it
  std::vector<std::string> advisories;
};

struct TcbLevel {
  Components sgx{};
  std::uint16_t pcesvn = 0;
  Components tdx{};  ///< zeros in SGX's
  LevelStatus says;
};

/// A level of a TDX module or a quoting enclave, by its own version.
struct VersionLevel {
  std::uint16_t isvsvn = 0;
  LevelStatus says;
};

struct ModuleSigner {
  Digest48 mrsigner;
  SeamAttributes attributes;
  SeamAttributes mask;
};

struct ModuleIdentity {
  std::string id;  ///< "TDX_03": of module version 3
  ModuleSigner signer;
  std::vector<VersionLevel> levels;  ///< newest first
};

struct TcbInfo {
  EvidenceKind kind = EvidenceKind::none;
  std::uint64_t version = 0;
  std::uint64_t tcb_type = 0;
  std::uint64_t evaluation_number = 0;
  std::int64_t issue_date = 0;  ///< seconds of Unix time
  std::int64_t next_update = 0;
  Fmspc fmspc;
  PceId pceid;
  ModuleSigner module;  ///< of module version 0; TDX only
  std::vector<ModuleIdentity> modules;
  std::vector<TcbLevel> levels;  ///< highest first
};

struct QeIdentity {
  EvidenceKind kind = EvidenceKind::none;  ///< of the quotes that this quoting enclave signs
  std::uint64_t version = 0;
  std::uint64_t evaluation_number = 0;
  std::int64_t issue_date = 0;
  std::int64_t next_update = 0;
  MiscSelect miscselect, miscselect_mask;
  SgxAttributes attributes, attributes_mask;
  MrSigner mrsigner;
  std::uint16_t isvprodid = 0;
  std::vector<VersionLevel> levels;  ///< newest first
};

/// Reads the JSON exactly as it was signed. Fields beyond the known ones are passed over: Intel
/// signs them, and gives a new version to what changes the meaning of the known. The first failing
/// check of form, version and type (checks_intel.hpp).
Result<TcbInfo> read_tcb_info(std::string_view json);
Result<QeIdentity> read_qe_identity(std::string_view json);

}  // namespace sp::attest::intel
