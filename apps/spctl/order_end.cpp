#include "spctl/order_end.hpp"

#include <future>
#include <nlohmann/json.hpp>

#include "attest/dev.hpp"
#include "base/durable.hpp"
#include "spctl/cli.hpp"
#include "spctl/input_fault.hpp"
#include "spctl/interrupts.hpp"
#include "spctl/proof.hpp"
#include "spctl/result.hpp"

namespace sp::spctl {
namespace {

// What the command tells, piece by piece.
struct Report {
  Json json = Json::object();
  int exit_code = 0;
  std::optional<std::uint8_t> fault_part;  // of an input error, out of a proof that holds
};

Status note_created(Context& context, const OrderRecord& record, const CreatedNote& created) {
  OrderFiles orders(context.files(), context.home().orders());
  return orders.save_created(record.id(), created);
}

// Fetches, checks and keeps the proof; its outcome as JSON and as a line.
Status show_proof(Context& context, Session& session, const OrderRecord& record,
                  const Watched& watched, const CreatedNote& created, Report& report) {
  SP_ASSIGN(const market::ProofBundle bundle,
            fetch_proof(context, session, record, watched, created));
  const market::Trust trust = own_trust(session.network, record.id());
  auto checks = market::verify_proof(bundle, trust);
  check_on_chain(session.market, bundle, trust, checks);
  report.json["proof"] = {{"holds", market::proof_holds(checks)}, {"checks", checks_json(checks)}};
  if (!market::proof_holds(checks)) {
    for (const market::ProofCheck& check : checks) {
      if (check.result == market::CheckResult::failed) {
        return failure(Errc::bad_signature, "the proof of this order fails",
                       check.name + ": " + check.detail, "Don't trust this result");
      }
    }
  }
  const api::Receipt& receipt = bundle.receipt.statement;
  if (receipt.outcome == api::Outcome::input) report.fault_part = receipt.fault_part;
  const OrderFiles orders(context.files(), context.home().orders());
  const Path file = orders.file(record.id(), "proof.spbundle");
  SP_TRY(keep(context.files(), CrashSite::client_proof, file, as_bytes(bundle.to_json()),
              FileMode::everyone));
  context.console().note("Proof: " + check_counts(checks) + "; kept in " + file.string());
  if (bundle.proof.evidence.kind == attest::EvidenceKind::dev) {
    context.console().note("WARNING: " + std::string(attest::kDevWarning));
  }
  return {};
}

// A receipt names the provider where a cancel came before the workload: it is the customer's end.
bool ended_by_cancel(const Watched& watched) {
  return watched.was_cancelled && watched.settled.outcome == api::Outcome::provider;
}

int exit_code_of(const Watched& watched) {
  if (ended_by_cancel(watched)) return kExitInterrupted;
  const market::SettledEvent& settled = watched.settled;
  switch (settled.outcome) {
    case api::Outcome::success:
      return 0;
    case api::Outcome::workload:
      return settled.exit_code > 0 && settled.exit_code < 256 ? settled.exit_code : kExitFailed;
    case api::Outcome::cancelled:
      return kExitInterrupted;
    case api::Outcome::input:
    case api::Outcome::provider:
      return kExitFailed;
  }
  return kExitFailed;
}

// The order is settled and paid: the same command again would order, and pay, once more.
Error not_opened(const OrderRecord& record, const Error& error) {
  const std::string id = record.id().hex0x();
  const bool stopped = error.code == Errc::cancelled;
  return failure(
      error.code, "the result of order " + id + " isn't opened",
      stopped ? "it was interrupted; what has been moved is kept" : error.message,
      "The order is settled: open it with 'spctl orders result " + id + " --out FOLDER'");
}

Status show_result(Context& context, Session& session, const OrderRecord& record,
                   const Watched& watched, const Path& out, Timeline& timeline, Report& report) {
  const market::SettledEvent& settled = watched.settled;
  report.exit_code = exit_code_of(watched);
  report.json["outcome"] = api::outcome_name(settled.outcome);
  report.json["cancelled"] = watched.was_cancelled;
  report.json["exitCode"] = settled.exit_code;
  report.json["payment"] = payment_json(record, settled);
  if (settled.result.is_zero()) {
    context.console().note(
        ended_by_cancel(watched)
            ? "The order was cancelled before it had a result: nothing is paid, all comes back."
            : "The order ended without a result: " +
                  std::string(api::outcome_name(settled.outcome)) + " error.");
    return {};
  }
  const auto result = open_result(context, session, record, watched, out);
  if (!result) return not_opened(record, result.error());
  const OpenedResult& opened = *result;
  timeline.mark("opened", size_text(opened.size) + " in " + opened.folder.string());
  report.json["out"] = opened.folder.string();
  report.json["outputDigest"] = opened.output.hex();
  report.json["log"] = opened.log_tail;
  context.console().text(opened.log_tail);
  if (settled.outcome == api::Outcome::cancelled) {
    context.console().note(
        "The order was cancelled while it ran: the work until then is paid, the rest comes back.");
  }
  return {};
}

Status explain_end(Context& context, const Session& session, const OrderRecord& record,
                   const Watched& watched) {
  const std::string id = record.id().hex0x();
  switch (watched.end) {
    case Watched::End::settled:
      return {};
    case Watched::End::closed:
      return failure(Errc::expired, "order " + id + " was closed", "nobody settled it",
                     "Your deposit is yours again: 'spctl tokens withdraw'");
    case Watched::End::cancelled:
      if (!watched.gave_up.empty()) {
        return failure(Errc::unavailable, "order " + id + " wasn't run",
                       "the provider says: " + watched.gave_up + "; the order is cancelled, and " +
                           money_words(session.network, record.terms),
                       "Order again, or choose another device with --compute");
      }
      context.console().note("Order " + id + " is cancelled. " +
                             money_words(session.network, record.terms) + ".");
      return Error{Errc::cancelled, "cancelled; see 'spctl orders get " + id + "'"};
    case Watched::End::expired:
      return failure(
          Errc::expired, "order " + id + " has expired",
          "the provider has settled nothing; " + money_words(session.network, record.terms),
          "Close it with 'spctl orders close " + id + "'");
  }
  return {};
}

}  // namespace

Result<int> follow_order(Context& context, Session& session, const PlacedOrder& placed,
                         const std::string& chosen_out, Timeline& timeline) {
  const OrderRecord& record = placed.record;
  Report report;
  report.json["order"] = record.id().hex0x();
  auto noting =
      std::async(std::launch::async, [&] { return note_created(context, record, placed.created); });
  auto watched = watch_order(context, session, record, placed.created.block, timeline);
  const Status noted = noting.get();
  if (!noted) context.console().note(noted.error().message);  // it is found on the chain again
  if (!watched) return watched.error();
  if (const Status ended = explain_end(context, session, record, *watched); !ended) {
    if (ended.error().code == Errc::cancelled) return kExitInterrupted;
    return ended.error();
  }
  const Path out =
      chosen_out.empty()
          ? OrderFiles(context.files(), context.home().orders()).file(record.id(), "result")
          : Path(chosen_out);
  auto proving = std::async(std::launch::async, [&] {
    Report proof;
    const Status shown = show_proof(context, session, record, *watched, placed.created, proof);
    return std::pair(shown, std::move(proof));
  });
  const Status shown = show_result(context, session, record, *watched, out, timeline, report);
  const auto [proved, proof] = proving.get();
  report.json.update(proof.json);
  if (watched->settled.outcome == api::Outcome::input) {
    context.console().note(input_fault_words(record.terms, proof.fault_part));
    if (proof.fault_part) report.json["faultPart"] = *proof.fault_part;
  }
  report.json["timeline"] = timeline.to_json();
  context.console().note(payment_lines(session.network, record, watched->settled) +
                         "Earned money and refunds wait in the market: 'spctl tokens withdraw'.");
  SP_TRY(shown);
  context.console().result(report.json);
  if (!proved) {
    if (proved.error().code == Errc::bad_signature) return proved.error();
    context.console().note("The proof isn't there yet: " + proved.error().message +
                           ". Get it with 'spctl orders report " + record.id().hex0x() + "'.");
  }
  return report.exit_code;
}

}  // namespace sp::spctl
