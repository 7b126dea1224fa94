#include "attest/intel_status.hpp"

#include "attest/check.hpp"

namespace sp::attest::intel {
namespace {

constexpr std::size_t kModuleSvn = 0;      // byte of TEE_TCB_SVN: the TDX module's own version
constexpr std::size_t kModuleVersion = 1;  // its major version, which has an identity of its own
constexpr std::size_t kTdxLateMicrocode = 2;

bool at_least(ByteView svns, const Components& level, std::size_t from) {
  for (std::size_t i = from; i < level.size(); ++i) {
    if (svns[i] < level[i]) return false;
  }
  return true;
}

std::string module_id(std::uint8_t version) { return "TDX_" + to_hex(ByteView(&version, 1)); }

bool same_but_for_case(std::string_view a, std::string_view b) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return upper(x) == upper(y); });
}

struct Levels {
  const TcbLevel* sgx = nullptr;
  const TcbLevel* tdx = nullptr;
};

// The highest level that the platform reaches; for TDX also the highest whose TDX components are
// reached as well. From module version 1 on, the module has levels of its own, so its two bytes
// don't count here.
Levels matching_levels(const PckFacts& pck, const TcbInfo& info, ByteView tee_tcb_svn) {
  Levels found;
  for (const TcbLevel& level : info.levels) {
    if (!at_least(pck.components, level.sgx, 0) || pck.pcesvn < level.pcesvn) continue;
    if (found.sgx == nullptr) found.sgx = &level;
    if (tee_tcb_svn.empty()) break;
    if (at_least(tee_tcb_svn, level.tdx, tee_tcb_svn[kModuleVersion] > 0 ? 2 : 0)) {
      found.tdx = &level;
      break;
    }
  }
  return found;
}

const VersionLevel* level_of(const std::vector<VersionLevel>& levels, std::uint16_t isvsvn) {
  const auto found = std::find_if(levels.begin(), levels.end(), [&](const VersionLevel& level) {
    return isvsvn >= level.isvsvn;
  });
  return found == levels.end() ? nullptr : &*found;
}

bool is_out_of_date(TcbStatus status) {
  return status == TcbStatus::out_of_date || status == TcbStatus::out_of_date_configuration_needed;
}

// Whether a TD of TDX 1.5 only needs to be started anew: all but the module it was started with is
// current, and the module that runs now (TEE_TCB_SVN_2) is the newest.
Result<bool> relaunch_advised(const TdReport& td, const TcbInfo& info, TcbStatus sgx,
                              const TcbOutcome& outcome) {
  const ByteView now = td.tee_tcb_svn2();
  const bool may_be = !now.empty() && outcome.qe.status == TcbStatus::up_to_date &&
                      !is_out_of_date(sgx) && sgx != TcbStatus::revoked &&
                      is_out_of_date(outcome.status) && outcome.module &&
                      outcome.module->status == TcbStatus::out_of_date;
  if (!may_be) return false;
  const TcbLevel& latest = info.levels.front();
  std::uint16_t module_svn = latest.tdx[kModuleSvn];
  SP_ASSIGN(const ModuleIdentity* const module, module_of(info, now[kModuleVersion]));
  if (module != nullptr) module_svn = module->levels.front().isvsvn;
  return now[kModuleSvn] >= module_svn && now[kTdxLateMicrocode] >= latest.tdx[kTdxLateMicrocode];
}

void add_advisories(std::vector<std::string>& all, const LevelStatus& says) {
  all.insert(all.end(), says.advisories.begin(), says.advisories.end());
}

// Fills in what the TDX module says.
Status add_module(const TdReport& td, const TcbInfo& info, TcbOutcome& outcome) {
  const ByteView svn = td.tee_tcb_svn();
  SP_ASSIGN(const ModuleIdentity* const module, module_of(info, svn[kModuleVersion]));
  if (module == nullptr) return {};
  const VersionLevel* level = level_of(module->levels, svn[kModuleSvn]);
  SP_REQUIRE(Check::intel_tcbinfo_module_level, level != nullptr,
             "a level at or below the module's version", std::to_string(svn[kModuleSvn]));
  if (level == nullptr) return {};
  outcome.module = level->says;
  outcome.status = combined(outcome.status, level->says.status);
  add_advisories(outcome.advisories, level->says);
  return {};
}

std::string platform_text(const PckFacts& pck) {
  return "components " + to_hex(pck.components) + ", PCESVN " + std::to_string(pck.pcesvn);
}

}  // namespace

TcbStatus combined(TcbStatus platform, TcbStatus part) {
  if (part == TcbStatus::revoked) return TcbStatus::revoked;
  if (part == TcbStatus::up_to_date) return platform;
  switch (platform) {
    case TcbStatus::up_to_date:
    case TcbStatus::sw_hardening_needed:
      return TcbStatus::out_of_date;
    case TcbStatus::configuration_needed:
    case TcbStatus::configuration_and_sw_hardening_needed:
      return TcbStatus::out_of_date_configuration_needed;
    default:
      return platform;
  }
}

Result<const ModuleIdentity*> module_of(const TcbInfo& info, std::uint8_t version) {
  if (version == 0) return nullptr;
  const std::string id = module_id(version);
  for (const ModuleIdentity& module : info.modules) {
    if (same_but_for_case(module.id, id)) return &module;
  }
  SP_REQUIRE(Check::intel_tcbinfo_module, false, "an identity of " + id, "none");
  return nullptr;
}

Result<TcbOutcome> tcb_outcome(const Quote& quote, const PckFacts& pck, const TcbInfo& info,
                               const QeIdentity& qe) {
  const TdReport td = quote.is_tdx() ? quote.td() : TdReport();
  const ByteView svn = quote.is_tdx() ? td.tee_tcb_svn() : ByteView();
  const Levels levels = matching_levels(pck, info, svn);
  SP_REQUIRE(Check::intel_tcbinfo_level, levels.sgx != nullptr, "a level that the platform reaches",
             platform_text(pck));
  SP_REQUIRE(Check::intel_tcbinfo_tdx_level, !quote.is_tdx() || levels.tdx != nullptr,
             "a level that the TDX module reaches", to_hex(svn));
  const TcbLevel* level = quote.is_tdx() ? levels.tdx : levels.sgx;
  const VersionLevel* qe_level = level_of(qe.levels, quote.qe_report.isvsvn());
  SP_REQUIRE(Check::intel_qe_level, qe_level != nullptr, "a level at or below the QE's version",
             std::to_string(quote.qe_report.isvsvn()));
  if (level == nullptr || qe_level == nullptr) return Error{Errc::refused, "no level fits"};

  TcbOutcome outcome;
  outcome.platform = level->says;
  outcome.qe = qe_level->says;
  outcome.status = level->says.status;
  add_advisories(outcome.advisories, level->says);
  if (quote.is_tdx()) {
    SP_TRY(add_module(td, info, outcome));
    SP_ASSIGN(outcome.relaunch_advised,
              relaunch_advised(td, info, levels.sgx->says.status, outcome));
  }
  outcome.status = combined(outcome.status, qe_level->says.status);
  add_advisories(outcome.advisories, qe_level->says);
  std::sort(outcome.advisories.begin(), outcome.advisories.end());
  outcome.advisories.erase(std::unique(outcome.advisories.begin(), outcome.advisories.end()),
                           outcome.advisories.end());
  return outcome;
}

}  // namespace sp::attest::intel
