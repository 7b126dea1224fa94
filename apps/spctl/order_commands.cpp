// orders (alias workflows): create, list, resume, get, cancel, close, claim, result, report, logs.
#include <nlohmann/json.hpp>

#include "market/pricing.hpp"
#include "spctl/claim_command.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"
#include "spctl/interrupts.hpp"
#include "spctl/order_end.hpp"
#include "spctl/order_options.hpp"
#include "spctl/proof.hpp"
#include "spctl/result.hpp"

namespace sp::spctl {
namespace {

constexpr std::size_t kLogMax = 64 << 20;

struct OrderChoice {
  std::string id;
  std::string out;
  std::string trust_out;
};

struct Loaded {
  std::shared_ptr<Session> session;
  OrderFiles files;
  OrderRecord record;
  std::uint64_t first_block = 0;
};

Result<Loaded> load(Context& context, const std::string& prefix) {
  SP_ASSIGN(auto session, context.session());
  OrderFiles files(context.files(), context.home().orders());
  SP_ASSIGN(const api::OrderId id, files.find(prefix));
  SP_ASSIGN(OrderRecord record, files.load(id));
  const std::uint64_t block = first_block(*session, files, id);
  return Loaded{std::move(session), std::move(files), std::move(record), block};
}

// Where and when the order was created: as noted, or found on the chain.
Result<CreatedNote> created_note(const Loaded& loaded, std::uint64_t until_block) {
  const api::OrderId id = loaded.record.id();
  if (const auto note = loaded.files.created(id)) return *note;
  SP_ASSIGN(const market::CreatedEvent created,
            loaded.session->market.find_created(id, loaded.first_block, until_block));
  return CreatedNote{created.tx, created.block};
}

Result<int> create(Context& context, const OrderOptions& options) {
  Timeline timeline(context.console(), context.clock());
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const OrderRequest request, options.request());
  SP_ASSIGN(const PlacedOrder placed, place_order(context, *session, request, timeline));
  const std::string id = placed.record.id().hex0x();
  OrderFiles orders(context.files(), context.home().orders());
  SP_TRY(orders.save_created(placed.record.id(), placed.created));
  context.console().line(id);
  context.console().result({{"order", id},
                            {"deposit", placed.deposit.text()},
                            {"tx", placed.created.tx.hex0x()},
                            {"block", placed.created.block},
                            {"timeline", timeline.to_json()}});
  return 0;
}

// Whatever an earlier command was doing when it was killed.
Result<int> resume(Context& context, const OrderChoice& choice) {
  catch_interrupts();
  Timeline timeline(context.console(), context.clock());
  if (!choice.out.empty()) SP_TRY(check_out(choice.out));
  SP_ASSIGN(Loaded loaded, load(context, choice.id));
  const Path kept = loaded.files.file(loaded.record.id(), "result");
  if (choice.out.empty() && !check_out(kept)) {
    context.console().line("Nothing is left to do: the result is in " + kept.string() + ".");
    context.console().result({{"order", loaded.record.id().hex0x()}, {"out", kept.string()}});
    return 0;
  }
  SP_ASSIGN(const PlacedOrder placed,
            place_again(context, *loaded.session, std::move(loaded.record), timeline));
  return follow_order(context, *loaded.session, placed, choice.out, timeline);
}

Result<Json> describe(Session& session, const OrderRecord& record) {
  SP_ASSIGN(const market::OrderRecord state, session.market.order(record.id()));
  SP_ASSIGN(const market::Phase phase, session.market.phase(record.terms));
  Json json{{"order", record.id().hex0x()},
            {"status", market::order_status_name(state.status)},
            {"phase", market::phase_name(phase)},
            {"deposit", state.deposit.text()},
            {"customer", record.terms.customer.hex0x()},
            {"key", record.key_name},
            {"provider", record.terms.choices.front().provider.hex0x()},
            {"solution", record.terms.parts[api::Terms::kSolution].digest.hex()}};
  if (state.created_at != 0) json["createdAt"] = to_rfc3339(state.created_at);
  if (state.cancelled_at != 0) json["cancelledAt"] = to_rfc3339(state.cancelled_at);
  return json;
}

Result<int> list(Context& context) {
  SP_ASSIGN(const auto session, context.session());
  const OrderFiles files(context.files(), context.home().orders());
  SP_ASSIGN(const auto ids, files.list());
  Json all = Json::array();
  std::vector<std::vector<std::string>> rows{{"ORDER", "STATUS", "PHASE", "CREATED"}};
  for (const api::OrderId& id : ids) {
    SP_ASSIGN(const OrderRecord record, files.load(id));
    SP_ASSIGN(Json json, describe(*session, record));
    rows.push_back({id.hex0x(), json["status"], json["phase"],
                    json.contains("createdAt") ? json["createdAt"] : Json("-")});
    all.push_back(std::move(json));
  }
  context.console().text(table(rows));
  context.console().result({{"orders", std::move(all)}});
  return 0;
}

Result<int> get(Context& context, const OrderChoice& choice) {
  SP_ASSIGN(const Loaded loaded, load(context, choice.id));
  SP_ASSIGN(Json json, describe(*loaded.session, loaded.record));
  if (json["status"] == "open") {
    const std::string stage = provider_words(context, *loaded.session, loaded.record);
    if (!stage.empty()) json["provider says"] = stage;
  }
  if (json["status"] == "settled" || json["status"] == "refunded") {
    SP_ASSIGN(const Watched watched,
              settled_order(*loaded.session, loaded.record, loaded.first_block));
    json["outcome"] = api::outcome_name(watched.settled.outcome);
    json["exitCode"] = watched.settled.exit_code;
    json["result"] = watched.settled.result.hex();
    json["payment"] = payment_json(loaded.record, watched.settled);
  }
  context.console().line(json.dump(2));
  context.console().result(json);
  return 0;
}

Result<int> cancel(Context& context, const OrderChoice& choice) {
  SP_ASSIGN(const Loaded loaded, load(context, choice.id));
  SP_TRY(cancel_order(context, *loaded.session, loaded.record));
  context.console().line("Cancelled. " + money_words(loaded.session->network, loaded.record.terms) +
                         ".");
  context.console().result({{"order", loaded.record.id().hex0x()}, {"cancelled", true}});
  return 0;
}

Result<int> result(Context& context, const OrderChoice& choice) {
  SP_ASSIGN(const Loaded loaded, load(context, choice.id));
  SP_ASSIGN(const Watched watched,
            settled_order(*loaded.session, loaded.record, loaded.first_block));
  SP_ASSIGN(const OpenedResult opened,
            open_result(context, *loaded.session, loaded.record, watched, choice.out));
  context.console().line("The result is in " + opened.folder.string() +
                         "; it is what the receipt commits to.");
  context.console().result({{"out", opened.folder.string()},
                            {"outputDigest", opened.output.hex()},
                            {"outcome", api::outcome_name(watched.settled.outcome)},
                            {"exitCode", watched.settled.exit_code}});
  return 0;
}

// The bundle as the provider gives it now, or as an earlier command kept it.
Result<market::ProofBundle> bundle_of(Context& context, const Loaded& loaded) {
  const Path kept = loaded.files.file(loaded.record.id(), "proof.spbundle");
  if (const auto bytes = context.files().read(kept, market::kBundleSizeMax)) {
    return market::ProofBundle::parse(as_text(*bytes));
  }
  SP_ASSIGN(const Watched watched,
            settled_order(*loaded.session, loaded.record, loaded.first_block));
  SP_ASSIGN(const CreatedNote created, created_note(loaded, watched.settled.block));
  return fetch_proof(context, *loaded.session, loaded.record, watched, created);
}

Result<int> report(Context& context, const OrderChoice& choice) {
  SP_ASSIGN(const Loaded loaded, load(context, choice.id));
  SP_ASSIGN(const market::ProofBundle bundle, bundle_of(context, loaded));
  const market::Trust trust = own_trust(loaded.session->network, loaded.record.id());
  const auto checks = market::verify_proof(bundle, trust);
  for (const market::ProofCheck& check : checks) {
    if (check.result != market::CheckResult::failed) continue;
    return failure(Errc::bad_signature, "the proof fails", check.name + ": " + check.detail,
                   "Nothing was written: what the provider gave proves nothing");
  }
  SP_TRY(write_output(context, choice.out, as_bytes(bundle.to_json())));
  std::string trust_file = "TRUST";
  if (!choice.trust_out.empty()) {
    trust_file = choice.trust_out;
    SP_TRY(write_output(context, trust_file, as_bytes(trust.to_json())));
  }
  context.console().line("Proof bundle in " + choice.out + " (" + check_counts(checks) +
                         "). Check it again: spctl verify --trust " + trust_file + " " +
                         choice.out);
  context.console().result({{"bundle", choice.out}, {"checks", checks_json(checks)}});
  return 0;
}

Result<int> logs(Context& context, const OrderChoice& choice) {
  SP_ASSIGN(const Loaded loaded, load(context, choice.id));
  const Path kept = loaded.files.file(loaded.record.id(), "result");
  if (!context.files().size(kept / "log.txt")) {
    SP_ASSIGN(const Watched watched,
              settled_order(*loaded.session, loaded.record, loaded.first_block));
    SP_TRY(open_result(context, *loaded.session, loaded.record, watched, kept));
  }
  SP_ASSIGN(const Bytes text, context.files().read(kept / "log.txt", kLogMax));
  context.console().text(as_text(text));
  context.console().result({{"log", as_text(text)}});
  return 0;
}

using Act = Result<int> (*)(Context&, const OrderChoice&);

struct OrderCommand {
  const char* name;
  const char* description;
  const char* example;
  Act act;
};

apps::Command add_one(Cli& cli, apps::Command orders, const OrderCommand& what,
                      const std::shared_ptr<OrderChoice>& choice) {
  apps::Command command =
      cli.add(orders, what.name, what.description,
              std::string("  spctl orders ") + what.example + "   (the id's beginning does)");
  command.add_option("ORDER", choice->id, "Order id, or its beginning").required();
  cli.on(command, [choice, act = what.act](Context& context) { return act(context, *choice); });
  return command;
}

}  // namespace

void add_order_commands(Cli& cli) {
  apps::Command orders =
      cli.add(cli.app(), "orders", "Your orders (alias: workflows)",
              "  spctl orders list\n  spctl orders report 0x12ab -o proof.spbundle");
  orders.alias("workflows");
  orders.require_command();
  auto options = std::make_shared<OrderOptions>();
  apps::Command command = cli.add(orders, "create", "Order without waiting; prints the order's id",
                                  "  spctl orders create ./image.tar --data ./records -- --fast");
  options->add_to(command);
  cli.on(command, [options](Context& context) { return create(context, *options); });
  command = cli.add(orders, "list", "All orders of this home", "  spctl orders list --json");
  cli.on(command, [](Context& context) { return list(context); });

  auto choice = std::make_shared<OrderChoice>();
  command = add_one(cli, orders,
                    {"resume",
                     "Go on with an order whose command was killed: create it where the chain "
                     "doesn't have it, wait for its end, open the result",
                     "resume 0x12ab", resume},
                    choice);
  command.add_option("--out", choice->out,
                     "New folder for the result [in the order's folder in HOME]");
  add_one(cli, orders, {"get", "One order's state", "get 0x12ab", get}, choice);
  add_one(cli, orders,
          {"cancel", "Cancel an order, and say what happens to the money", "cancel 0x12ab", cancel},
          choice);
  add_close_command(cli, orders);
  add_owed_command(cli, orders);
  add_claim_command(cli, orders);
  add_one(cli, orders, {"logs", "The workload's log", "logs 0x12ab", logs}, choice);
  command = add_one(
      cli, orders,
      {"result", "Open the result of a settled order", "result 0x12ab --out ./result", result},
      choice);
  command.add_option("--out", choice->out, "New folder for it").required();
  command = add_one(cli, orders,
                    {"report", "Write the proof bundle of a settled order",
                     "report 0x12ab -o proof.spbundle --trust trust.json", report},
                    choice);
  command.add_option("-o,--out", choice->out, "File for the bundle").required();
  command.add_option("--trust", choice->trust_out,
                     "File for what this home trusts of the order: chain, market, attestor");
}

}  // namespace sp::spctl
