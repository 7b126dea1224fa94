// How current a platform is: the levels of TCB info and QE identity that fit it, and what they say
// together (PCS API, "Get TCB Info", and the rules of Intel's quote verification library). Pure;
// safe from any thread.
#pragma once

#include "attest/intel_quote.hpp"
#include "attest/intel_tcb.hpp"

namespace sp::attest::intel {

struct TcbOutcome {
  TcbStatus status = TcbStatus::revoked;
  std::vector<std::string> advisories;  ///< of all levels that count, sorted, each once
  LevelStatus platform;                 ///< of the TCB level
  std::optional<LevelStatus> module;    ///< of the TDX module's own level, where it has one
  LevelStatus qe;
  /// The platform was updated under a running TD: starting it anew would make it current.
  bool relaunch_advised = false;
};

/// The identity that TCB info has of the quote's TDX module; null for module version 0, which has
/// none. The failing check (intel.tcbinfo.module) where there should be one.
Result<const ModuleIdentity*> module_of(const TcbInfo& info, std::uint8_t version);

/// The first failing check: no level fits.
Result<TcbOutcome> tcb_outcome(const Quote& quote, const PckFacts& pck, const TcbInfo& info,
                               const QeIdentity& qe);

/// The status of a platform whose module or quoting enclave has one of its own.
TcbStatus combined(TcbStatus platform, TcbStatus part);

}  // namespace sp::attest::intel
