#include "attest/intel_details.hpp"

#include <nlohmann/json.hpp>

namespace sp::attest::intel {

void add_td_details(const TdReport& td, Json& details) {
  details["teeTcbSvn"] = to_hex(td.tee_tcb_svn());
  details["mrseam"] = to_hex(td.mrseam());
  details["mrsignerseam"] = to_hex(td.mrsignerseam());
  details["seamAttributes"] = to_hex(td.seam_attributes());
  details["tdAttributes"] = to_hex(td.td_attributes());
  details["xfam"] = to_hex(td.xfam());
  details["mrconfigid"] = to_hex(td.mrconfigid());
  details["mrowner"] = to_hex(td.mrowner());
  details["mrownerconfig"] = to_hex(td.mrownerconfig());
  if (td.tee_tcb_svn2().empty()) return;
  details["teeTcbSvn2"] = to_hex(td.tee_tcb_svn2());
  details["mrservicetd"] = to_hex(td.mrservicetd());
}

void add_enclave_details(const EnclaveReport& report, Json& details) {
  details["mrsigner"] = to_hex(report.mrsigner());
  details["isvprodid"] = report.isvprodid();
  details["isvsvn"] = report.isvsvn();
  details["attributes"] = to_hex(report.attributes());
  details["miscselect"] = to_hex(report.miscselect());
  details["cpusvn"] = to_hex(report.cpusvn());
}

void add_pck_details(const PckFacts& facts, Json& details) {
  details["fmspc"] = facts.fmspc.hex();
  details["pceid"] = facts.pceid.hex();
  details["pcesvn"] = facts.pcesvn;
  details["pckCpusvn"] = facts.cpusvn.hex();
  details["tcbComponents"] = facts.components;
  details["sgxType"] = facts.sgx_type;
  if (facts.platform_instance) details["platformInstanceId"] = facts.platform_instance->hex();
  if (!facts.configuration) return;
  const auto add = [&](const char* name, const std::optional<bool>& value) {
    if (value) details["platformConfiguration"][name] = *value;
  };
  add("dynamicPlatform", facts.configuration->dynamic_platform);
  add("cachedKeys", facts.configuration->cached_keys);
  add("smtEnabled", facts.configuration->smt_enabled);
}

}  // namespace sp::attest::intel
