#include "spctl/event_log_command.hpp"

#include <nlohmann/json.hpp>

#include "attest/intel.hpp"
#include "attest/tpm.hpp"
#include "spctl/attest_files.hpp"
#include "spctl/cli.hpp"

namespace sp::spctl {
namespace {

constexpr std::uint16_t kSha256 = 0x000b;  // TPM_ALG_ID
constexpr std::uint16_t kSha384 = 0x000c;

struct LogOptions {
  std::string log;
  EvidenceFiles files;
  bool pcrs = false;
};

using Registers = std::vector<std::pair<std::string, std::string>>;  // name, hexadecimal

Result<Registers> replayed(ByteView log, bool pcrs) {
  Registers registers;
  if (pcrs) {
    SP_ASSIGN(const auto values, attest::replay_pcrs(log));
    for (std::size_t i = 0; i < values.size(); ++i) {
      registers.emplace_back("pcr" + std::to_string(i), values[i].hex());
    }
    return registers;
  }
  SP_ASSIGN(const auto values, attest::replay_rtmrs(log));
  for (std::size_t i = 0; i < values.size(); ++i) {
    registers.emplace_back("rtmr" + std::to_string(i), values[i].hex());
  }
  return registers;
}

// The registers that evidence states: signed, but verified by `attest verify` alone.
Result<Registers> stated(Context& context, const EvidenceFiles& files) {
  SP_ASSIGN(const attest::Evidence evidence, load_evidence(context.files(), files));
  Registers registers;
  if (evidence.kind == attest::EvidenceKind::tpm) {
    SP_ASSIGN(const auto tpm, attest::TpmEvidence::decode(evidence.body));
    for (std::size_t i = 0; i < tpm.pcrs.size(); ++i) {
      if (tpm.pcrs[i]) registers.emplace_back("pcr" + std::to_string(i), tpm.pcrs[i]->hex());
    }
    return registers;
  }
  SP_ASSIGN(const Json shown,
            attest::show_intel(evidence.kind, evidence.body, attest::Anchors::vendors(),
                               context.clock().unix_seconds()));
  for (const char* name : {"rtmr0", "rtmr1", "rtmr2", "rtmr3"}) {
    if (shown.contains(name)) registers.emplace_back(name, shown.at(name).get<std::string>());
  }
  return registers;
}

// Says of each register that the evidence states whether the log gives it.
Result<bool> compare(Context& context, const LogOptions& options, const Registers& log,
                     Json& told) {
  if (options.files.evidence.empty()) return true;
  SP_ASSIGN(const Registers evidence, stated(context, options.files));
  if (evidence.empty()) {
    return Error{Errc::unsupported, "the evidence states no registers to compare with"};
  }
  bool equal = true;
  for (const auto& entry : evidence) {
    const bool same = std::find(log.begin(), log.end(), entry) != log.end();
    context.console().line(entry.first + (same ? ": as the evidence states"
                                               : ": the evidence states " + entry.second));
    told[entry.first] = same;
    equal = equal && same;
  }
  return equal;
}

Result<int> show_log(Context& context, const LogOptions& options) {
  SP_ASSIGN(const Bytes log, context.files().read(options.log, attest::kEventLogSizeMax));
  SP_ASSIGN(const attest::EventLog events,
            attest::parse_event_log(log, options.pcrs ? kSha256 : kSha384));
  SP_ASSIGN(const Registers registers, replayed(log, options.pcrs));
  std::vector<std::vector<std::string>> rows{{"REGISTER", "TYPE", "DIGEST", "BYTES"}};
  Json list = Json::array();
  for (const attest::LogEvent& event : events.events) {
    rows.push_back({std::to_string(event.register_index), std::to_string(event.type),
                    to_hex(event.digest).substr(0, 16) + "...", std::to_string(event.data.size())});
    list.push_back({{"register", event.register_index},
                    {"type", event.type},
                    {"digest", to_hex(event.digest)},
                    {"bytes", event.data.size()}});
  }
  context.console().text(table(rows) + "\n");
  Json values = Json::object();
  for (const auto& [name, value] : registers) {
    context.console().line(name + " " + value);
    values[name] = value;
  }
  Json told = Json::object();
  SP_ASSIGN(const bool equal, compare(context, options, registers, told));
  context.console().result({{"events", std::move(list)},
                            {"registers", std::move(values)},
                            {"asStated", std::move(told)},
                            {"equal", equal}});
  return equal ? 0 : kExitFailed;
}

}  // namespace

void add_event_log_command(Cli& cli, apps::Command attest) {
  auto options = std::make_shared<LogOptions>();
  apps::Command command = cli.add(
      attest, "log",
      "Replay a boot's event log into registers; with --evidence, fail where it states others",
      "  spctl attest log ccel.bin --evidence quote.bin\n"
      "  spctl attest log /sys/kernel/security/tpm0/binary_bios_measurements --pcrs");
  command.add_option("LOG", options->log, "CCEL, or a TPM's log in crypto-agile form").required();
  command.add_option("--evidence", options->files.evidence, "Evidence with registers");
  command.add_option("--kind", options->files.kind, "Its kind, where the form is unclear");
  command.add_flag("--pcrs", options->pcrs, "A TPM's log: SHA-256 bank, not RTMRs");
  cli.on(command, [options](Context& context) { return show_log(context, *options); });
}

}  // namespace sp::spctl
