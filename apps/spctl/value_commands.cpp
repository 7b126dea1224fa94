// offers, files: what owners of solutions and data sell, and their packages.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "broker/remote.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"
#include "spctl/offers.hpp"
#include "spctl/order_plan.hpp"
#include "spctl/packages.hpp"
#include "store/remote/http_store.hpp"
#include "store/tree.hpp"

namespace sp::spctl {
namespace {

constexpr std::int64_t kPolicyYear = 365L * 24 * 3600;

struct OfferOptions {
  std::string kind;
  std::string package;
  std::string price = "0";
  bool per_hour = false;
  std::uint32_t max_orders = 0;
  std::string key = kDefaultKey;
  std::string policy_file;
  std::vector<std::string> solutions;
  std::string id;
};

struct FileOptions {
  std::string path;
  std::string out;
  std::string package;
  bool image = false;
};

Result<Digest32> read_digest(const std::string& text, const char* what) {
  auto digest = Digest32::from_hex(text);
  if (digest) return digest;
  return failure(Errc::usage, std::string(what) + " \"" + text + "\" is refused",
                 digest.error().message, "Give the id that 'spctl files upload' printed.");
}

// The policy of an offer that flags describe: sold through this offer to anybody, on devices that
// the network accepts.
Result<std::string> offer_policy(Context& context, const Session& session, const api::Part& part,
                                 const OfferOptions& options) {
  if (!options.policy_file.empty()) {
    SP_ASSIGN(const Bytes text, context.files().read(options.policy_file, api::kPolicySizeMax));
    SP_TRY(broker::ReleasePolicy::parse(as_text(text)));
    return std::string(as_text(text));
  }
  broker::ReleasePolicy policy;
  policy.tee = session.network.loader_tee;
  policy.chains = {{session.network.market, session.network.confirmations}};
  policy.orders.any = true;
  policy.accounts.any = true;
  policy.recipients.any = true;
  policy.offers.values = {part.offer_id()};
  if (part.max_orders == 0) {
    policy.max_orders.reset();
  } else {
    policy.max_orders = part.max_orders;
  }
  for (const std::string& solution : options.solutions) {
    SP_ASSIGN(const Digest32 digest, read_digest(solution, "--allow-solution"));
    policy.solutions.values.push_back(digest);
  }
  // A solution is used by itself; data is used by nobody unless its owner says so.
  if (part.kind == api::PartKind::solution) policy.solutions.values.push_back(part.digest);
  policy.until = context.clock().unix_seconds() + kPolicyYear;
  return policy.to_json();
}

Status deposit_key(Context& context, Session& session, const crypto::EthKey& owner,
                   const api::Part& part, const std::string& policy) {
  SP_ASSIGN(Secret32 key, kept_key(context, store::PackageId{part.digest.data}));
  broker::BrokerClient client(context.http(), session.network.broker.url);
  SP_ASSIGN(const auto identity, client.identify(session.network.broker_tee, context.random(),
                                                 context.clock().unix_seconds()));
  const api::PartSecret secret{std::move(key), SecretBytes()};
  return client.deposit(identity, owner, part.digest, policy, secret, context.random());
}

Result<api::Part> part_of(Session& session, const Address& owner, const OfferOptions& options) {
  api::Part part;
  part.kind = options.kind == "solution" ? api::PartKind::solution
              : options.kind == "data"   ? api::PartKind::data
                                         : api::PartKind::storage;
  part.price_type = options.per_hour ? api::PriceType::per_hour : api::PriceType::fixed;
  part.max_orders = options.max_orders;
  SP_ASSIGN(part.price, parse_money(session.network, options.price));
  part.owner = owner;
  part.token = session.network.token;
  part.store = session.network.store.address;
  if (part.kind == api::PartKind::storage) return part;
  part.brokers = {session.network.broker.address};
  SP_ASSIGN(part.digest, read_digest(options.package, "--package"));
  return part;
}

Result<int> create_offer(Context& context, const OfferOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(options.key));
  SP_ASSIGN(const api::Part part, part_of(*session, key.address(), options));
  if (part.kind != api::PartKind::storage) {
    // The key lies with the broker before anyone can order: nobody pays for what can't be opened.
    SP_ASSIGN(const std::string policy, offer_policy(context, *session, part, options));
    SP_TRY(deposit_key(context, *session, key, part, policy));
  }
  chain::TxSender sender(session->chain, key, context.clock());
  SP_TRY(execute(sender, session->market.offer_part(part), "making the offer"));
  context.console().line(part.offer_id().hex0x());
  context.console().result({{"offer", part.offer_id().hex0x()},
                            {"kind", api::part_kind_name(part.kind)},
                            {"price", part.price.text()}});
  return 0;
}

Json part_json(const ListedPart& offer) {
  return {{"offer", offer.id.hex0x()},
          {"kind", api::part_kind_name(offer.part.kind)},
          {"owner", offer.part.owner.hex0x()},
          {"package", offer.part.digest.hex()},
          {"price", offer.part.price.text()},
          {"perHour", offer.part.price_type == api::PriceType::per_hour},
          {"enabled", offer.record.enabled},
          {"orders", offer.record.orders},
          {"maxOrders", offer.part.max_orders}};
}

Json compute_json(const ListedCompute& offer) {
  return {{"offer", offer.id.hex0x()},
          {"kind", "compute"},
          {"tee", attest::kind_name(offer.compute.kind)},
          {"provider", offer.compute.provider.hex0x()},
          {"chip", offer.compute.chip.hex()},
          {"pricePerHour", offer.compute.price_per_hour.text()},
          {"baseFee", offer.compute.base_fee.text()},
          {"cpuMilli", offer.compute.cpu_milli},
          {"memoryMiB", offer.compute.memory_mib},
          {"enabled", offer.record.enabled}};
}

Result<Json> all_offers(Session& session) {
  Json all = Json::array();
  SP_ASSIGN(const auto computes, list_compute_offers(session));
  for (const ListedCompute& offer : computes) all.push_back(compute_json(offer));
  SP_ASSIGN(const auto parts, list_part_offers(session));
  for (const ListedPart& offer : parts) all.push_back(part_json(offer));
  return all;
}

Result<int> list_offers(Context& context) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(Json all, all_offers(*session));
  std::vector<std::vector<std::string>> rows{{"OFFER", "KIND", "OWNER", "ENABLED"}};
  for (const Json& offer : all) {
    const std::string owner = offer.contains("owner") ? offer["owner"] : offer["provider"];
    rows.push_back({offer["offer"], offer["kind"], owner, offer["enabled"] ? "yes" : "no"});
  }
  context.console().text(table(rows));
  context.console().result({{"offers", std::move(all)}});
  return 0;
}

Result<int> get_offer(Context& context, const std::string& id) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const Json all, all_offers(*session));
  for (const Json& offer : all) {
    if (offer["offer"] != id) continue;
    context.console().line(offer.dump(2));
    context.console().result(offer);
    return 0;
  }
  return failure(Errc::not_found, "no offer " + id, "the market doesn't know it",
                 "List offers with 'spctl offers list'.");
}

Result<int> enable_offer(Context& context, const OfferOptions& options, bool enabled) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const api::OfferId id, api::OfferId::from_hex(options.id));
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(options.key));
  chain::TxSender sender(session->chain, key, context.clock());
  SP_TRY(execute(sender, session->market.set_enabled(id, enabled), "changing the offer"));
  context.console().line(enabled ? "The offer can be ordered." : "The offer can't be ordered now.");
  context.console().result({{"offer", id.hex0x()}, {"enabled", enabled}});
  return 0;
}

Result<int> upload(Context& context, const FileOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  const ContentKind kind = options.image ? ContentKind::image : ContentKind::data;
  SP_ASSIGN(const Uploaded uploaded, upload_path(context, *session, options.path, kind));
  context.console().line(uploaded.package.hex());
  context.console().note("sealed " + size_text(uploaded.plaintext_size) + " into " +
                         size_text(uploaded.sealed_size) + "; the key is kept in this home");
  context.console().result({{"package", uploaded.package.hex()},
                            {"size", uploaded.plaintext_size},
                            {"sealedSize", uploaded.sealed_size}});
  return 0;
}

Result<int> download(Context& context, const FileOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const Digest32 digest, read_digest(options.package, "package"));
  SP_ASSIGN(const Secret32 key, kept_key(context, store::PackageId{digest.data}));
  store::HttpStore blobs(context.http(), session->network.store.url);
  SP_ASSIGN(const store::Package package,
            store::Package::fetch(blobs, store::PackageId{digest.data}));
  SP_TRY(open_package_to(context, package, key, options.out));
  context.console().line("Opened into " + options.out);
  context.console().result({{"out", options.out}});
  return 0;
}

Result<int> hash(Context& context, const FileOptions& options) {
  SP_ASSIGN(const Digest32 digest, store::tree_digest(options.path, store::OddEntries::refuse));
  context.console().line(digest.hex());
  context.console().result({{"digest", digest.hex()}});
  return 0;
}

void add_create(Cli& cli, CLI::App& offers, const std::shared_ptr<OfferOptions>& options) {
  CLI::App* command = cli.add(
      offers, "create", "Offer a solution, data or storage; prints the offer's id",
      "  spctl offers create data --package ID --price 5 --allow-solution ID --max-orders 1\n"
      "  spctl offers create solution --package ID --price 2");
  command->add_option("KIND", options->kind, "solution, data or storage")
      ->required()
      ->check(CLI::IsMember({"solution", "data", "storage"}));
  command->add_option("--package", options->package, "What is sold: a package's id");
  command->add_option("--price", options->price, "In tokens")->capture_default_str();
  command->add_flag("--per-hour", options->per_hour, "The price is per hour, not per order");
  command->add_option("--max-orders", options->max_orders,
                      "Orders that may be live or paid; 0 any");
  command->add_option("--key", options->key, "The owner's key")->capture_default_str();
  command->add_option("--policy", options->policy_file, "Release policy (JSON; docs/POLICY.md)");
  command->add_option("--allow-solution", options->solutions, "Which solutions may use the data")
      ->allow_extra_args(false);
  cli.on(command, [options](Context& context) { return create_offer(context, *options); });
}

}  // namespace

void add_offer_commands(Cli& cli) {
  CLI::App* offers = cli.add(cli.app(), "offers", "Offers of the market", "  spctl offers list");
  offers->require_subcommand(1);
  auto options = std::make_shared<OfferOptions>();
  add_create(cli, *offers, options);
  CLI::App* command = cli.add(*offers, "list", "All offers", "  spctl offers list --json");
  cli.on(command, [](Context& context) { return list_offers(context); });
  command = cli.add(*offers, "get", "One offer", "  spctl offers get 0x...");
  command->add_option("OFFER", options->id, "Offer id")->required();
  cli.on(command, [options](Context& context) { return get_offer(context, options->id); });
  for (const bool enabled : {true, false}) {
    const std::string name = enabled ? "enable" : "disable";
    command = cli.add(*offers, name, enabled ? "Let it be ordered" : "Let it not be ordered",
                      "  spctl offers " + name + " 0x...");
    command->add_option("OFFER", options->id, "Offer id")->required();
    command->add_option("--key", options->key, "The owner's key")->capture_default_str();
    cli.on(command, [options, enabled](Context& context) {
      return enable_offer(context, *options, enabled);
    });
  }
}

void add_file_commands(Cli& cli) {
  CLI::App* files = cli.add(cli.app(), "files", "Sealed packages", "  spctl files upload ./data");
  files->require_subcommand(1);
  auto options = std::make_shared<FileOptions>();
  CLI::App* command =
      cli.add(*files, "upload", "Seal a file or folder and upload it; prints the package's id",
              "  spctl files upload ./records\n  spctl files upload --image ./image.tar");
  command->add_option("PATH", options->path, "File or folder")->required();
  command->add_flag("--image", options->image, "It is an OCI layout or an image archive");
  cli.on(command, [options](Context& context) { return upload(context, *options); });
  command = cli.add(*files, "download", "Open a package that this home sealed",
                    "  spctl files download ID --out ./records");
  command->add_option("PACKAGE", options->package, "Package id")->required();
  command->add_option("--out", options->out, "Folder for it")->required();
  cli.on(command, [options](Context& context) { return download(context, *options); });
  command = cli.add(*files, "hash", "The digest of a folder's canonical tree",
                    "  spctl files hash ./result/output");
  command->add_option("PATH", options->path, "Folder")->required();
  cli.on(command, [options](Context& context) { return hash(context, *options); });
}

}  // namespace sp::spctl
