#include "attest/appraisal.hpp"

#include "attest/tpm.hpp"

namespace sp::attest {
namespace {

constexpr std::size_t kPolicyListMax = 1024;
constexpr std::size_t kRegisterNameMax = 8;
constexpr std::uint64_t kVmplMax = 3;
constexpr std::uint64_t kTcbComponentMax = 255;

Result<std::string> any_text(const std::string& text) { return text; }

Result<std::string> hex_text(const std::string& text) {
  SP_ASSIGN(const Bytes bytes, from_hex(text));
  return to_hex(bytes);
}

template <class Value, class Parse>
std::vector<Value> read_texts(JsonObject& object, std::string_view key, const Json& list,
                              Parse parse) {
  std::vector<Value> values;
  if (!list.is_array() || list.size() > kPolicyListMax) {
    object.fail(key, "must be a list of at most " + std::to_string(kPolicyListMax));
    return values;
  }
  for (const Json& entry : list) {
    auto value = entry.is_string() ? parse(entry.get<std::string>())
                                   : Result<Value>(Error{Errc::malformed, "not a text"});
    if (!value) {
      object.fail(key, "has a wrong value: " + value.error().message);
      return {};
    }
    values.push_back(std::move(*value));
  }
  return values;
}

template <class Value, class Parse>
std::vector<Value> read_list(JsonObject& object, std::string_view key, Parse parse) {
  return read_texts<Value>(object, key, object.any(key), parse);
}

template <class Fixed>
std::vector<Fixed> read_fixed(JsonObject& object, std::string_view key) {
  if (!object.has(key)) return {};
  return read_list<Fixed>(object, key,
                          [](const std::string& text) { return Fixed::from_hex(text); });
}

bool is_register(std::string_view name) {
  if (name.size() > kRegisterNameMax) return false;
  for (std::size_t i = 0; i < kPcrCount; ++i) {
    if (name == "pcr" + std::to_string(i) || (i < 4 && name == "rtmr" + std::to_string(i))) {
      return true;
    }
  }
  return false;
}

void read_registers(JsonObject& object, AppraisalPolicy& policy) {
  if (!object.has("registers")) return;
  const Json& json = object.any("registers");
  if (!json.is_object()) return object.fail("registers", "must be an object");
  for (const auto& [name, list] : json.items()) {
    if (!is_register(name)) return object.fail("registers", "knows rtmr0 to 3 and pcr0 to 23");
    policy.registers[name] = read_texts<std::string>(object, "registers", list, hex_text);
  }
}

void read_minimum_tcb(JsonObject& object, AppraisalPolicy& policy) {
  if (!object.has("minimumTcb")) return;
  const Json& json = object.any("minimumTcb");
  if (!json.is_object()) return object.fail("minimumTcb", "must be an object");
  for (const auto& [name, value] : json.items()) {
    const bool known = name == "bootloader" || name == "tee" || name == "snp" ||
                       name == "microcode" || name == "fmc";
    if (!known || !value.is_number_unsigned() || value.get<std::uint64_t>() > kTcbComponentMax) {
      return object.fail("minimumTcb", "knows bootloader, tee, snp, microcode, fmc: 0 to 255");
    }
    policy.minimum_tcb[name] = value.get<std::uint64_t>();
  }
}

void read_vmpls(JsonObject& object, AppraisalPolicy& policy) {
  if (!object.has("vmpls")) return;
  const Json& list = object.any("vmpls");
  policy.vmpls.clear();
  if (!list.is_array() || list.size() > kVmplMax + 1) {
    return object.fail("vmpls", "must be a list of 0 to 3");
  }
  for (const Json& entry : list) {
    if (!entry.is_number_unsigned() || entry.get<std::uint64_t>() > kVmplMax) {
      return object.fail("vmpls", "must be a list of 0 to 3");
    }
    policy.vmpls.push_back(entry.get<std::uint64_t>());
  }
}

template <class Value>
bool contains(const std::vector<Value>& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

template <class Fixed>
Json hex_list(const std::vector<Fixed>& values) {
  Json list = Json::array();
  for (const Fixed& value : values) list.push_back(value.hex());
  return list;
}

// The rules of one appraisal, each told with its outcome.
class Appraisal {
 public:
  Appraisal(const Verdict& verdict, const AppraisalPolicy& policy)
      : verdict_(verdict), claims_(verdict.claims()), policy_(policy) {}

  std::vector<RuleOutcome> run() {
    add("kinds", contains(policy_.kinds, verdict_.kind()),
        "the evidence is of kind " + std::string(kind_name(verdict_.kind())));
    add_anchor();
    add("measurements",
        policy_.any_measurement || contains(policy_.measurements, verdict_.measurement()),
        "the launch measurement is " + verdict_.measurement().hex());
    add_registers();
    add("tcb", contains(policy_.tcb_statuses, verdict_.tcb_status()),
        "the TCB status is " + std::string(tcb_name(verdict_.tcb_status())));
    add_advisories();
    add("debug", policy_.allow_debug || !verdict_.debug(),
        verdict_.debug() ? "debug is on" : "debug is off");
    add("requireCrl", verdict_.revocation_checked() || !policy_.require_crl,
        verdict_.revocation_checked() ? "revocation was checked" : "revocation was not checked");
    add_snp();
    add_chips();
    return std::move(outcomes_);
  }

 private:
  void add(std::string_view rule, bool allowed, std::string reason) {
    outcomes_.push_back({"tee." + std::string(rule), allowed, std::move(reason)});
  }

  void add_anchor() {
    const std::string key = verdict_.anchor().hex();
    if (verdict_.kind() == EvidenceKind::dev) {
      add("devKeys", contains(policy_.dev_keys, verdict_.anchor()),
          "the dev evidence is signed by key " + key);
    } else {
      const bool vendor = Anchors::is_vendor(verdict_.anchor());
      add("roots", vendor || contains(policy_.roots, verdict_.anchor()),
          (vendor ? "the root of trust is the vendor's, "
                  : "the root of trust is nobody's known, ") +
              key);
    }
  }

  std::optional<std::string> register_value(std::string_view name) const {
    for (std::size_t i = 0; i < claims_.registers.size(); ++i) {
      if (name == "rtmr" + std::to_string(i)) return claims_.registers[i].hex();
    }
    for (std::size_t i = 0; i < claims_.pcrs.size(); ++i) {
      if (claims_.pcrs[i] && name == "pcr" + std::to_string(i)) return claims_.pcrs[i]->hex();
    }
    return std::nullopt;
  }

  void add_registers() {
    const bool firmware_only =
        verdict_.kind() == EvidenceKind::tdx || verdict_.kind() == EvidenceKind::tpm;
    if (firmware_only && policy_.registers.empty()) {
      add("registers", policy_.any_measurement,
          "no register is asked for, and the launch measurement covers the firmware alone");
    }
    for (const auto& [name, accepted] : policy_.registers) {
      const auto value = register_value(name);
      add("registers." + name, value && contains(accepted, *value),
          value ? name + " is " + *value : "the evidence has no " + name);
    }
  }

  void add_advisories() {
    for (const std::string& advisory : claims_.advisories) {
      add("advisories", policy_.any_advisory || contains(policy_.advisories, advisory),
          advisory + " applies");
    }
  }

  // SNP's own: privilege level, and the parts of the reported TCB.
  void add_snp() {
    if (claims_.vendor != Vendor::amd) return;
    // A vTPM's claims hold those of the hardware report beneath it.
    const Json& details =
        claims_.details.contains("hardware") ? claims_.details.at("hardware") : claims_.details;
    const auto vmpl = details.find("vmpl");
    const bool known = vmpl != details.end() && vmpl->is_number_unsigned();
    add("vmpls", known && contains(policy_.vmpls, vmpl->get<std::uint64_t>()),
        known ? "the privilege level is VMPL " + vmpl->dump() : "no privilege level is known");
    for (const auto& [name, least] : policy_.minimum_tcb) {
      const auto tcb = details.find("reportedTcb");
      const bool has = tcb != details.end() && tcb->is_object() && tcb->contains(name);
      const std::uint64_t value = has ? tcb->at(name).get<std::uint64_t>() : 0;
      add("minimumTcb." + name, has && value >= least,
          has ? name + " is " + std::to_string(value) + ", at least " + std::to_string(least) +
                    " is asked for"
              : "the reported TCB has no " + name);
    }
  }

  void add_chips() {
    const ChipId chip = verdict_.chip();
    const std::string text = chip.is_zero() ? "the evidence names no chip" : "chip " + chip.hex();
    if (!policy_.chips.empty()) add("chips", contains(policy_.chips, chip), text);
    if (!policy_.revoked_chips.empty()) {
      add("revokedChips", !chip.is_zero() && !contains(policy_.revoked_chips, chip), text);
    }
  }

  const Verdict& verdict_;
  const Claims& claims_;
  const AppraisalPolicy& policy_;
  std::vector<RuleOutcome> outcomes_;
};

}  // namespace

Result<AppraisalPolicy> AppraisalPolicy::from_json(const Json& json, const std::string& where) {
  JsonObject object(json, where);
  AppraisalPolicy policy;
  policy.kinds = read_list<EvidenceKind>(object, "kinds", kind_from_name);
  if (object.has("measurements") && object.any("measurements") == "any") {
    policy.any_measurement = true;
  } else {
    policy.measurements =
        read_list<Measurement>(object, "measurements",
                               [](const std::string& text) { return Measurement::from_hex(text); });
  }
  policy.tcb_statuses = {TcbStatus::up_to_date};
  if (object.has("tcb")) policy.tcb_statuses = read_list<TcbStatus>(object, "tcb", tcb_from_name);
  policy.dev_keys = read_fixed<Digest48>(object, "devKeys");
  policy.roots = read_fixed<Digest48>(object, "roots");
  if (object.has("requireCrl")) policy.require_crl = object.boolean("requireCrl");
  if (object.has("allowDebug")) policy.allow_debug = object.boolean("allowDebug");
  read_registers(object, policy);
  read_minimum_tcb(object, policy);
  read_vmpls(object, policy);
  if (object.has("advisories")) {
    policy.any_advisory = false;
    policy.advisories = read_list<std::string>(object, "advisories", any_text);
  }
  policy.chips = read_fixed<ChipId>(object, "chips");
  policy.revoked_chips = read_fixed<ChipId>(object, "revokedChips");
  SP_TRY(object.finish());
  return policy;
}

Json AppraisalPolicy::to_json() const {
  Json json{{"kinds", Json::array()},
            {"measurements", any_measurement ? Json("any") : hex_list(measurements)},
            {"tcb", Json::array()},
            {"devKeys", hex_list(dev_keys)},
            {"requireCrl", require_crl}};
  for (const EvidenceKind kind : kinds) json["kinds"].push_back(kind_name(kind));
  for (const TcbStatus status : tcb_statuses) json["tcb"].push_back(tcb_name(status));
  if (!roots.empty()) json["roots"] = hex_list(roots);
  if (allow_debug) json["allowDebug"] = true;
  if (!registers.empty()) json["registers"] = registers;
  if (!minimum_tcb.empty()) json["minimumTcb"] = minimum_tcb;
  if (vmpls != std::vector<std::uint64_t>{0}) json["vmpls"] = vmpls;
  if (!any_advisory) json["advisories"] = advisories;
  if (!chips.empty()) json["chips"] = hex_list(chips);
  if (!revoked_chips.empty()) json["revokedChips"] = hex_list(revoked_chips);
  return json;
}

AppraisalPolicy AppraisalPolicy::standard() {
  AppraisalPolicy policy;
  policy.kinds = {EvidenceKind::sev_snp, EvidenceKind::tdx, EvidenceKind::sgx, EvidenceKind::tpm};
  policy.any_measurement = true;
  policy.tcb_statuses = {TcbStatus::up_to_date, TcbStatus::sw_hardening_needed};
  return policy;
}

std::vector<RuleOutcome> appraise(const Verdict& verdict, const AppraisalPolicy& policy) {
  return Appraisal(verdict, policy).run();
}

Status all_allowed(const std::vector<RuleOutcome>& outcomes) {
  SP_CHECK(!outcomes.empty());
  for (const RuleOutcome& outcome : outcomes) {
    if (!outcome.allowed) return Error{Errc::refused, outcome.rule + ": " + outcome.reason};
  }
  return {};
}

}  // namespace sp::attest
