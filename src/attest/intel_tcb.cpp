#include "attest/intel_tcb.hpp"

#include "attest/check.hpp"
#include "attest/collateral.hpp"
#include "attest/intel_json.hpp"

namespace sp::attest::intel {
namespace {

constexpr std::uint64_t kVersion2 = 2;
constexpr std::uint64_t kVersion3 = 3;
constexpr std::uint64_t kTcbTypeByComponents = 0;
constexpr std::uint64_t kNumberMax = UINT32_MAX;

// Version 3: a list of 16 objects with "svn".
Components components(JsonFields& fields, const Json& tcb, const char* key) {
  Components svns{};
  std::size_t count = 0;
  fields.array(tcb, key, svns.size(), [&](const Json& element) {
    svns[count++] = static_cast<std::uint8_t>(fields.number(element, "svn", UINT8_MAX));
  });
  if (count != svns.size()) fields.fail(key, "isn't a list of 16");
  return svns;
}

// Version 2: "sgxtcbcomp01svn" to "sgxtcbcomp16svn".
Components named_components(JsonFields& fields, const Json& tcb) {
  Components svns{};
  for (std::size_t i = 0; i < svns.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    const std::string key = "sgxtcbcomp" + std::string(i < 9 ? "0" : "") + number + "svn";
    svns[i] = static_cast<std::uint8_t>(fields.number(tcb, key.c_str(), UINT8_MAX));
  }
  return svns;
}

TcbLevel level(JsonFields& fields, const Json& json, const TcbInfo& info) {
  TcbLevel level;
  const Json& tcb = fields.at(json, "tcb");
  level.sgx = info.version == kVersion2 ? named_components(fields, tcb)
                                        : components(fields, tcb, "sgxtcbcomponents");
  level.pcesvn = static_cast<std::uint16_t>(fields.number(tcb, "pcesvn", UINT16_MAX));
  if (info.kind == EvidenceKind::tdx) level.tdx = components(fields, tcb, "tdxtcbcomponents");
  level.says = fields.level_status(json);
  return level;
}

ModuleSigner module_signer(JsonFields& fields, const Json& json) {
  ModuleSigner signer;
  signer.mrsigner = fields.fixed<Digest48>(json, "mrsigner");
  signer.attributes = fields.fixed<SeamAttributes>(json, "attributes");
  signer.mask = fields.fixed<SeamAttributes>(json, "attributesMask");
  return signer;
}

void read_modules(JsonFields& fields, const Json& json, TcbInfo& info) {
  info.module = module_signer(fields, fields.at(json, "tdxModule"));
  if (fields.at(json, "tdxModuleIdentities", true).is_null()) return;
  fields.array(json, "tdxModuleIdentities", kModuleIdentitiesMax, [&](const Json& element) {
    ModuleIdentity module;
    module.id = fields.text(element, "id");
    module.signer = module_signer(fields, element);
    module.levels = fields.version_levels(element);
    for (const ModuleIdentity& other : info.modules) {
      if (other.id == module.id) fields.fail("tdxModuleIdentities", "holds a module twice");
    }
    info.modules.push_back(std::move(module));
  });
}

// Highest first, as Intel's own library compares them: SGX components, PCESVN, TDX components.
void sort_levels(JsonFields& fields, std::vector<TcbLevel>& levels) {
  const auto key = [](const TcbLevel& level) {
    return std::tie(level.sgx, level.pcesvn, level.tdx);
  };
  std::sort(levels.begin(), levels.end(),
            [&](const TcbLevel& a, const TcbLevel& b) { return key(a) > key(b); });
  const auto same = [&](const TcbLevel& a, const TcbLevel& b) { return key(a) == key(b); };
  if (std::adjacent_find(levels.begin(), levels.end(), same) != levels.end()) {
    fields.fail("tcbLevels", "holds a level twice");
  }
}

EvidenceKind kind_of_id(JsonFields& fields, const Json& json, const TcbInfo& info) {
  if (info.version == kVersion2) return EvidenceKind::sgx;
  const std::string& id = fields.text(json, "id");
  if (id == "TDX") return EvidenceKind::tdx;
  if (id != "SGX") fields.fail("id", "is neither SGX nor TDX");
  return EvidenceKind::sgx;
}

Result<TcbInfo> read_known_tcb_info(const Json& json, std::uint64_t version) {
  JsonFields fields;
  TcbInfo info;
  info.version = version;
  info.kind = kind_of_id(fields, json, info);
  info.tcb_type = fields.number(json, "tcbType", kNumberMax);
  info.evaluation_number = fields.number(json, "tcbEvaluationDataNumber", kNumberMax);
  info.issue_date = fields.date(json, "issueDate");
  info.next_update = fields.date(json, "nextUpdate");
  info.fmspc = fields.fixed<Fmspc>(json, "fmspc");
  info.pceid = fields.fixed<PceId>(json, "pceId");
  if (info.kind == EvidenceKind::tdx) read_modules(fields, json, info);
  fields.array(json, "tcbLevels", kTcbLevelsMax,
               [&](const Json& element) { info.levels.push_back(level(fields, element, info)); });
  sort_levels(fields, info.levels);
  SP_TRY(fields.status());
  return info;
}

Result<QeIdentity> read_known_qe_identity(const Json& json, std::uint64_t version) {
  JsonFields fields;
  QeIdentity identity;
  identity.version = version;
  const std::string& id = fields.text(json, "id");
  identity.kind = id == "TD_QE" ? EvidenceKind::tdx : EvidenceKind::sgx;
  if (id != "TD_QE" && id != "QE") fields.fail("id", "is neither QE nor TD_QE");
  identity.evaluation_number = fields.number(json, "tcbEvaluationDataNumber", kNumberMax);
  identity.issue_date = fields.date(json, "issueDate");
  identity.next_update = fields.date(json, "nextUpdate");
  identity.miscselect = fields.fixed<MiscSelect>(json, "miscselect");
  identity.miscselect_mask = fields.fixed<MiscSelect>(json, "miscselectMask");
  identity.attributes = fields.fixed<SgxAttributes>(json, "attributes");
  identity.attributes_mask = fields.fixed<SgxAttributes>(json, "attributesMask");
  identity.mrsigner = fields.fixed<MrSigner>(json, "mrsigner");
  identity.isvprodid = static_cast<std::uint16_t>(fields.number(json, "isvprodid", UINT16_MAX));
  identity.levels = fields.version_levels(json);
  SP_TRY(fields.status());
  return identity;
}

Result<std::uint64_t> version_of(const Json& json) {
  JsonFields fields;
  const std::uint64_t version = fields.number(json, "version", kNumberMax);
  SP_TRY(fields.status());
  return version;
}

}  // namespace

Result<TcbInfo> read_tcb_info(std::string_view text) {
  const auto json = parse_json(text, kPieceSizeMax);
  SP_REQUIRE_OK(Check::intel_tcbinfo_form, json);
  if (!json) return json.error();
  const auto version = version_of(*json);
  SP_REQUIRE_OK(Check::intel_tcbinfo_form, version);
  if (!version) return version.error();
  SP_REQUIRE(Check::intel_tcbinfo_version, *version == kVersion2 || *version == kVersion3, "2 or 3",
             std::to_string(*version));
  auto info = read_known_tcb_info(*json, *version);
  SP_REQUIRE_OK(Check::intel_tcbinfo_form, info);
  if (!info) return info.error();
  SP_REQUIRE(Check::intel_tcbinfo_type, info->tcb_type == kTcbTypeByComponents, "0",
             std::to_string(info->tcb_type));
  return info;
}

Result<QeIdentity> read_qe_identity(std::string_view text) {
  const auto json = parse_json(text, kPieceSizeMax);
  SP_REQUIRE_OK(Check::intel_qeidentity_form, json);
  if (!json) return json.error();
  const auto version = version_of(*json);
  SP_REQUIRE_OK(Check::intel_qeidentity_form, version);
  if (!version) return version.error();
  SP_REQUIRE(Check::intel_qeidentity_version, *version == kVersion2, "2", std::to_string(*version));
  auto identity = read_known_qe_identity(*json, *version);
  SP_REQUIRE_OK(Check::intel_qeidentity_form, identity);
  if (!identity) return identity.error();
  return identity;
}

}  // namespace sp::attest::intel
