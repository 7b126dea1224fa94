// What collateral a piece of evidence needs, as it says of itself: unverified, and good for nothing
// but asking for what it is then verified with. Hostile input; pure functions, safe to call from
// any thread.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "attest/collateral.hpp"
#include "attest/evidence.hpp"

namespace sp::attest {

/// Whose chip certificate a report is verified with.
struct SnpNeeds {
  bool vlek = false;  ///< signed by a provider's key; its certificate isn't published
  /// "Milan", "Genoa" or "Turin": one, or all that it may be (a report before version 3 says less).
  std::vector<std::string> products;
  Bytes hwid;  ///< as AMD's service takes it: 8 bytes on Turin, 64 elsewhere; empty where masked
  std::uint8_t bootloader = 0, tee = 0, snp = 0, microcode = 0;  ///< of the reported TCB
  std::optional<std::uint8_t> fmc;                               ///< Turin's alone
};

struct IntelNeeds {
  EvidenceKind tee = EvidenceKind::none;  ///< sgx or tdx
  std::string fmspc;                      ///< 12 hexadecimal digits in lower case
  std::string ca;                         ///< "platform" or "processor"
};

/// Empty for dev evidence, which needs none.
using Needs = std::variant<std::monostate, SnpNeeds, IntelNeeds>;

/// Errc::malformed, Errc::too_large, Errc::unsupported. `collateral` is what came with the report:
/// a chip certificate in it names the product.
Result<SnpNeeds> snp_needs(ByteView report, const Collateral& collateral);
/// `kind` is tdx or sgx (Errc::mismatch where the quote is another's). `collateral` may hold the
/// PCK chain where the quote doesn't.
Result<IntelNeeds> intel_needs(EvidenceKind kind, ByteView quote, const Collateral& collateral);
/// Of any kind; TPM evidence needs what its hardware's report needs.
Result<Needs> needs_of(const Evidence& evidence, const Collateral& collateral);

}  // namespace sp::attest
