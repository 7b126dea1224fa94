// attest: verify, show and collect evidence; how long it will verify. Nothing here needs a network
// or a home.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "attest/ear.hpp"
#include "attest/intel.hpp"
#include "attest/snp.hpp"
#include "attest/tpm.hpp"
#include "base/base64url.hpp"
#include "collateral/forecast.hpp"
#include "prove/tpm/tpm.hpp"
#include "prove/tsm.hpp"
#include "spctl/attest_files.hpp"
#include "spctl/cli.hpp"
#include "spctl/collateral_commands.hpp"
#include "spctl/commands.hpp"
#include "spctl/event_log_command.hpp"

namespace sp::spctl {
namespace {

using attest::AppraisalPolicy;
using attest::Evidence;
using attest::RuleOutcome;
using attest::Verdict;

constexpr std::size_t kPolicyFileMax = 256 * 1024;
constexpr std::size_t kKeyFileMax = 64;
constexpr std::size_t kCoordinateSize = 32;  // of a point on P-256

struct AttestOptions {
  EvidenceFiles files;
  std::string report_data;
  std::string at;
  std::string policy;
  std::string ear;
  std::string ear_key;
  std::string out;
  std::string tpm;
  bool no_crl = false;
};

Result<std::int64_t> time_of(Context& context, const AttestOptions& options) {
  if (options.at.empty()) return context.clock().unix_seconds();
  return from_rfc3339(options.at);
}

Result<AppraisalPolicy> policy_of(Context& context, const AttestOptions& options) {
  AppraisalPolicy policy = AppraisalPolicy::standard();
  if (!options.policy.empty()) {
    SP_ASSIGN(const Bytes text, context.files().read(options.policy, kPolicyFileMax));
    SP_ASSIGN(const Json json, parse_json(as_text(text), kPolicyFileMax));
    SP_ASSIGN(policy, AppraisalPolicy::from_json(json, "policy"));
  }
  if (options.no_crl) policy.require_crl = false;
  return policy;
}

// The vendors' roots, and those that the policy names.
attest::Anchors anchors_of(const AppraisalPolicy& policy) {
  attest::Anchors anchors = attest::Anchors::vendors();
  anchors.amd.insert(anchors.amd.end(), policy.roots.begin(), policy.roots.end());
  anchors.intel.insert(anchors.intel.end(), policy.roots.begin(), policy.roots.end());
  return anchors;
}

// Report data of 64 bytes; a shorter value stands for itself and zeros behind it, as tools write
// it.
Status check_report_data(const Verdict& verdict, const std::string& text) {
  if (text.empty()) return {};
  SP_ASSIGN(Bytes bytes, from_hex(text));
  if (bytes.size() > attest::ReportData::kSize) {
    return Error{Errc::usage, "--report-data has over 64 bytes"};
  }
  bytes.resize(attest::ReportData::kSize);
  SP_ASSIGN(const auto expected, attest::ReportData::from(bytes));
  return verdict.binds(expected);
}

struct Judged {
  std::optional<Verdict> verdict;
  std::vector<RuleOutcome> rules;
  Status status;  // accepted, or why not
};

Judged judge(const Evidence& evidence, const AppraisalPolicy& policy, std::int64_t now,
             const std::string& report_data) {
  auto verdict = attest::verify(evidence, now, anchors_of(policy));
  if (!verdict) return {std::nullopt, {}, verdict.error()};
  Judged judged{std::move(*verdict), {}, {}};
  judged.rules = attest::appraise(*judged.verdict, policy);
  judged.status = check_report_data(*judged.verdict, report_data);
  if (judged.status) judged.status = attest::all_allowed(judged.rules);
  return judged;
}

void tell_verdict(Console& console, const Judged& judged) {
  const Json json = judged.verdict->to_json();
  std::vector<std::vector<std::string>> rows{{"CLAIM", "VALUE"}};
  for (const char* name : {"kind", "measurement", "chip", "tcbStatus", "debug", "revocationChecked",
                           "anchor", "reportData", "holdsUntil"}) {
    if (!json.contains(name) || json[name].is_null()) continue;
    rows.push_back(
        {name, json[name].is_string() ? json[name].get<std::string>() : json[name].dump()});
  }
  for (const std::string& advisory : judged.verdict->claims().advisories) {
    rows.push_back({"advisory", advisory});
  }
  console.text(table(rows));
  rows = {{"RULE", "OUTCOME", "WHY"}};
  for (const RuleOutcome& rule : judged.rules) {
    rows.push_back({rule.rule, rule.allowed ? "allows" : "REFUSES", rule.reason});
  }
  console.text("\n" + table(rows));
  if (json.contains("warning")) console.line("\nWARNING: " + json["warning"].get<std::string>());
  if (!judged.verdict->revocation_checked()) console.line("\nRevocation was NOT checked.");
}

Json judged_json(const Judged& judged) {
  Json json{{"accepted", judged.status.ok()}};
  if (!judged.status) {
    json["error"] = errc_name(judged.status.error().code);
    json["reason"] = judged.status.error().message;
  }
  if (!judged.verdict) return json;
  json["verdict"] = judged.verdict->to_json();
  json["rules"] = Json::array();
  for (const RuleOutcome& rule : judged.rules) {
    json["rules"].push_back(
        {{"rule", rule.rule}, {"allowed", rule.allowed}, {"reason", rule.reason}});
  }
  return json;
}

// The signed attestation result, where one is asked for.
Status write_ear(Context& context, const AttestOptions& options, const Verdict& verdict,
                 const AppraisalPolicy& policy, std::int64_t now) {
  const Json claims = attest::ear_claims(verdict, policy, now);
  if (options.ear_key.empty()) {
    return write_output(context, options.ear, as_bytes(claims.dump(2)));
  }
  SP_ASSIGN(const Bytes secret, context.files().read(options.ear_key, kKeyFileMax));
  SP_ASSIGN(const auto key, crypto::EcKey::from_secret(crypto::Curve::p256, SecretBytes(secret)));
  const ByteView point = key.public_key().point();
  const Json jwk{{"kty", "EC"},
                 {"crv", "P-256"},
                 {"x", to_base64url(point.first(kCoordinateSize))},
                 {"y", to_base64url(point.subspan(kCoordinateSize))}};
  context.console().note("The attestation result is signed by " + jwk.dump());
  return write_output(context, options.ear, as_bytes(attest::ear_jwt(claims, key)));
}

Result<int> unusable(const Error& error) {
  return Error{Errc::usage, "the input can't be used: " + error.message};
}

Result<int> verify(Context& context, const AttestOptions& options) {
  const auto evidence = load_evidence(context.files(), options.files);
  if (!evidence) return unusable(evidence.error());
  const auto policy = policy_of(context, options);
  if (!policy) return unusable(policy.error());
  const auto now = time_of(context, options);
  if (!now) return unusable(now.error());
  const Judged judged = judge(*evidence, *policy, *now, options.report_data);
  if (!judged.status && judged.status.error().code == Errc::usage) {
    return unusable(judged.status.error());
  }
  if (judged.verdict) tell_verdict(context.console(), judged);
  context.console().line(judged.status ? "\nACCEPTED at " + to_rfc3339(*now)
                                       : "\nREFUSED: " + judged.status.error().message);
  context.console().result(judged_json(judged));
  if (judged.verdict && !options.ear.empty()) {
    SP_TRY(write_ear(context, options, *judged.verdict, *policy, *now));
  }
  return judged.status ? 0 : kExitFailed;
}

Result<Json> shown(const Evidence& evidence, std::int64_t now) {
  switch (evidence.kind) {
    case attest::EvidenceKind::sev_snp:
      return attest::show_snp(evidence.body);
    case attest::EvidenceKind::tdx:
    case attest::EvidenceKind::sgx:
      return attest::show_intel(evidence.kind, evidence.body, attest::Anchors::vendors(), now);
    case attest::EvidenceKind::tpm:
      return attest::show_tpm(evidence.body);
    case attest::EvidenceKind::dev:
    case attest::EvidenceKind::none:
      break;
  }
  SP_ASSIGN(const Verdict verdict, attest::verify(evidence, now));
  return verdict.to_json();
}

Result<int> show(Context& context, const AttestOptions& options) {
  const auto evidence = load_evidence(context.files(), options.files);
  if (!evidence) return unusable(evidence.error());
  SP_ASSIGN(const std::int64_t now, time_of(context, options));
  SP_ASSIGN(Json json, shown(*evidence, now));
  Json pieces = Json::object();
  SP_ASSIGN(const auto collateral, attest::Collateral::decode(evidence->collateral));
  for (const auto& [kind, bytes] : collateral.pieces) {
    pieces[std::string(attest::piece_name(kind))] = bytes.size();
  }
  const Json all{{"kind", attest::kind_name(evidence->kind)},
                 {"evidence", std::move(json)},
                 {"collateralBytes", std::move(pieces)}};
  context.console().line(all.dump(2));
  context.console().result(all);
  return 0;
}

Result<int> forecast(Context& context, const AttestOptions& options) {
  const auto evidence = load_evidence(context.files(), options.files);
  if (!evidence) return unusable(evidence.error());
  SP_ASSIGN(const AppraisalPolicy policy, policy_of(context, options));
  SP_ASSIGN(const std::int64_t now, time_of(context, options));
  SP_ASSIGN(const Verdict verdict, attest::verify(*evidence, now, anchors_of(policy)));
  const Json told = collateral::forecast(verdict, now);
  std::vector<std::vector<std::string>> rows{{"PIECE", "UNTIL", "DAYS LEFT"}};
  for (const Json& piece : told["pieces"]) {
    rows.push_back({piece["piece"], piece["until"], piece["daysLeft"].dump()});
  }
  context.console().text(table(rows));
  context.console().line(told["holdsUntil"].is_null()
                             ? "Nothing in this evidence ends."
                             : "\nWith this collateral it verifies until " +
                                   told["holdsUntil"].get<std::string>() + "; " +
                                   told["endsFirst"].get<std::string>() + " ends first.");
  context.console().result(told);
  return 0;
}

Result<Evidence> collected(Context& context, const AttestOptions& options,
                           const attest::ReportData& report_data) {
  if (options.tpm.empty()) {
    const std::unique_ptr<prove::Tsm> tsm = prove::kernel_tsm();
    return prove::collect_tsm(*tsm, report_data, {}, context.random());
  }
  prove::TpmSettings settings;
  settings.tcti = options.tpm;
  SP_ASSIGN(const attest::TpmEvidence evidence, prove::collect_tpm(settings, report_data));
  return Evidence{attest::EvidenceKind::tpm, evidence.encode(), {}};
}

Result<int> collect(Context& context, const AttestOptions& options) {
  SP_ASSIGN(Bytes bytes, from_hex(options.report_data));
  if (bytes.size() > attest::ReportData::kSize) {
    return Error{Errc::usage, "--report-data has over 64 bytes"};
  }
  bytes.resize(attest::ReportData::kSize);
  SP_ASSIGN(const auto report_data, attest::ReportData::from(bytes));
  auto evidence = collected(context, options, report_data);
  if (!evidence) {
    return failure(
        evidence.error().code, "no evidence was collected", evidence.error().message,
        options.tpm.empty()
            ? "Run this inside an SEV-SNP or TDX guest with Linux 6.7 or later, as "
              "root, with configfs mounted"
            : "Run this as root inside a confidential VM whose vTPM holds an HCL report");
  }
  SP_TRY(write_output(context, options.out, evidence->encode()));
  context.console().line("Evidence of kind " + std::string(attest::kind_name(evidence->kind)) +
                         " in " + options.out + ".");
  context.console().result({{"kind", attest::kind_name(evidence->kind)}, {"out", options.out}});
  return 0;
}

void add_files(apps::Command command, EvidenceFiles& files) {
  command
      .add_option("--evidence", files.evidence,
                  "File of evidence, or folder with Azure's hcl-report.bin and quote.bin")
      .required();
  command.add_option("--kind", files.kind, "snp, tdx, sgx, tpm or dev, where the form is unclear");
  command.add_option("--collateral", files.collateral,
                     "File or folder: certificates, lists, Intel's JSON, in any form");
}

void add_time(apps::Command command, AttestOptions& options) {
  command.add_option("--at", options.at, "Time to verify at, RFC 3339; default: now");
}

}  // namespace

void add_attest_commands(Cli& cli) {
  apps::Command group =
      cli.add(cli.app(), "attest", "Evidence of TEEs: verify, show, collect",
              "  spctl attest verify --evidence quote.bin --collateral ./collateral");
  group.require_command();
  auto options = std::make_shared<AttestOptions>();

  apps::Command command = cli.add(
      group, "verify", "Verify evidence offline: exit 0 accepted, 1 refused, 2 unusable input",
      "  spctl attest verify --evidence report.bin --collateral vcek.der --no-crl\n"
      "  spctl attest verify --evidence quote.bin --collateral collateral.json --at "
      "2025-06-22T00:00:00Z --policy policy.json --json");
  add_files(command, options->files);
  add_time(command, *options);
  command.add_option("--report-data", options->report_data,
                     "What the evidence must bind, hexadecimal, zeros behind it left out");
  command.add_option("--policy", options->policy,
                     "Appraisal policy, JSON (docs/POLICY.md, \"tee\"); default: debug off, TCB "
                     "UpToDate or SWHardeningNeeded, revocation checked");
  command.add_flag("--no-crl", options->no_crl, "Accept without revocation lists, and say so");
  command.add_option("--ear", options->ear,
                     "Write the attestation result (EAR) here: JSON, or a JWT with --ear-key");
  command.add_option("--ear-key", options->ear_key, "File of a P-256 scalar, 32 bytes: signs it");
  cli.on(command, [options](Context& context) { return verify(context, *options); });

  command = cli.add(group, "show", "Print any evidence for people; nothing is accepted by it",
                    "  spctl attest show --evidence quote.bin");
  add_files(command, options->files);
  add_time(command, *options);
  cli.on(command, [options](Context& context) { return show(context, *options); });

  command = cli.add(group, "forecast",
                    "Until when evidence verifies with this collateral, and what ends first",
                    "  spctl attest forecast --evidence quote.bin --collateral collateral.json");
  add_files(command, options->files);
  add_time(command, *options);
  command.add_option("--policy", options->policy, "Appraisal policy: its roots count as well");
  cli.on(command, [options](Context& context) { return forecast(context, *options); });

  add_collateral_commands(cli, group);
  add_event_log_command(cli, group);

  command = cli.add(group, "collect", "Inside a guest: ask the platform for evidence",
                    "  spctl attest collect --report-data 00ff --out evidence.spev");
  command.add_option("--report-data", options->report_data, "What it binds, hexadecimal")
      .required();
  command.add_option("--out", options->out, "File for the evidence").required();
  command.add_option("--tpm", options->tpm,
                     "Ask a vTPM instead: its TCTI, such as device:/dev/tpmrm0");
  cli.on(command, [options](Context& context) { return collect(context, *options); });
}

}  // namespace sp::spctl
