#include "spctl/offer_create.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#include "base/crash_point.hpp"
#include "broker/remote.hpp"
#include "common/secret_files.hpp"
#include "prove/dev.hpp"
#include "spctl/account_turn.hpp"
#include "spctl/cli.hpp"
#include "spctl/offer_policy.hpp"
#include "spctl/order_plan.hpp"
#include "spctl/packages.hpp"

namespace sp::spctl {
namespace {

constexpr std::int64_t kDay = 24 * 3600;
// After a cancel or an order's end a loader may seal and store for ten minutes, and the settlement
// must get into a block of a crowded chain: what comes later isn't paid, and owners of parts are
// paid from the deposit.
constexpr std::uint32_t kMinWindowDefault = 1800;

struct ValueOptions {
  std::string key = kDefaultKey;
  std::string package;
  std::string price = "0";
  bool per_hour = false;
  bool fixed = false;
  std::uint32_t max_orders = 0;
  std::string policy_file;
  std::vector<std::string> solutions;
  std::string arguments = "any";
  std::int64_t days = kPolicyDaysDefault;
  std::uint32_t claim_window = broker::kClaimWindowDefault;
};

struct ComputeOptions {
  std::string key = kDefaultKey;
  std::string tee = "dev";
  std::string chip;
  std::string platform;
  std::string price = "1";
  std::string base_fee = "0.01";
  std::string exposure = "1000";
  std::string cpus = "1";
  std::string memory = "1G";
  std::string disk = "1G";
  std::uint32_t pids = 1024;
  std::uint32_t seconds = 24 * 3600;
  std::uint32_t window = kMinWindowDefault;
  std::uint32_t claim_window = broker::kClaimWindowDefault;
};

Result<Digest32> read_digest(const std::string& text, const char* what) {
  auto digest = Digest32::from_hex(text);
  if (digest) return digest;
  return failure(Errc::usage, std::string(what) + " \"" + text + "\" is refused",
                 digest.error().message, "Give the id that 'spctl files upload' printed");
}

// The owner's own policy must let the offer through: else buyers would pay for what never opens.
Result<std::string> read_policy(Context& context, const std::string& file, const api::Part& part) {
  SP_ASSIGN(const Bytes text, context.files().read(file, api::kPolicySizeMax));
  SP_ASSIGN(const auto policy, broker::ReleasePolicy::parse(as_text(text)));
  if (!policy.offers.contains(part.offer_id())) {
    return failure(
        Errc::refused, "the offer wasn't made",
        "the policy in " + file + " doesn't allow this offer, " + part.offer_id().hex0x(),
        "Add that id to \"offers\" in the policy, or say \"any\" there");
  }
  return std::string(as_text(text));
}

Result<std::string> policy_of(Context& context, const Session& session, const api::Part& part,
                              const ValueOptions& options) {
  if (!options.policy_file.empty()) return read_policy(context, options.policy_file, part);
  PolicyWishes wishes;
  for (const std::string& solution : options.solutions) {
    SP_ASSIGN(const Digest32 digest, read_digest(solution, "--allow-solution"));
    wishes.solutions.push_back(digest);
  }
  // A solution is used by itself; data is used by nobody unless its owner says so.
  if (part.kind == api::PartKind::solution) wishes.solutions.push_back(part.digest);
  if (wishes.solutions.empty()) {
    return failure(Errc::usage, "the offer wasn't made", "no solution may use this data",
                   "Name them with --allow-solution, or give a --policy");
  }
  wishes.offer = part.offer_id();
  wishes.max_orders = part.max_orders;
  wishes.arguments = options.arguments;
  wishes.until = context.clock().unix_seconds() + options.days * kDay;
  wishes.claim_window = options.claim_window;
  SP_ASSIGN(const broker::ReleasePolicy policy, make_offer_policy(session.network, wishes));
  return policy.to_json();
}

Status deposit_key(Context& context, Session& session, const crypto::EthKey& owner,
                   const api::Part& part, const std::string& policy) {
  SP_ASSIGN(Secret32 key, kept_key(context, store::PackageId{part.digest.data}));
  broker::BrokerClient client(context.http(), session.network.broker.url);
  SP_ASSIGN(const auto identity, client.identify(session.network.broker_tee, context.random(),
                                                 context.clock().unix_seconds()));
  if (identity.broker != session.network.broker.address) {
    return Error{Errc::mismatch, "the broker at " + session.network.broker.url + " is " +
                                     identity.broker.hex0x() + ", network.json names another"};
  }
  const api::PartSecret secret{std::move(key), SecretBytes()};
  const CrashEffect effect(CrashSite::client_deposit);
  return client.deposit(identity, owner, part.digest, policy, secret, context.random());
}

Result<api::Part> part_of(Session& session, api::PartKind kind, const Address& owner,
                          const ValueOptions& options) {
  if (options.fixed && options.per_hour) {
    return failure(Errc::usage, "the price isn't clear",
                   "--fixed and --per-hour exclude each other", "Give one of them");
  }
  api::Part part;
  part.kind = kind;
  part.price_type = options.per_hour ? api::PriceType::per_hour : api::PriceType::fixed;
  part.max_orders = options.max_orders;
  SP_ASSIGN(part.price, parse_money(session.network, options.price));
  part.owner = owner;
  part.token = session.network.token;
  part.store = session.network.store.address;
  if (kind == api::PartKind::storage) return part;
  part.brokers = {session.network.broker.address};
  SP_ASSIGN(part.digest, read_digest(options.package, "--package"));
  return part;
}

int tell_offer(Context& context, const api::OfferId& id, std::string_view kind, bool made) {
  context.console().line(id.hex0x());
  context.console().result({{"offer", id.hex0x()}, {"kind", kind}, {"made", made}});
  return 0;
}

// An offer's id is that of its terms: what is there already is this very offer.
Result<bool> make_once(Context& context, Session& session, const crypto::EthKey& key,
                       const api::OfferId& id, const chain::TxSender::Call& call) {
  SP_ASSIGN(const auto turn, take_account_turn(context, key.address()));
  SP_ASSIGN(const market::OfferRecord there, session.market.offer(id));
  if (there.provider != Address()) {
    const std::string disabled =
        ", and nobody can order it: 'spctl offers enable " + id.hex0x() + "'";
    context.console().note("The offer was there" + (there.enabled ? "" : disabled) + ".");
    return false;
  }
  chain::TxSender sender(session.chain, key, context.clock());
  SP_TRY(execute(sender, call, "making the offer"));
  return true;
}

Result<int> create_value(Context& context, api::PartKind kind, const ValueOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(options.key));
  SP_ASSIGN(const api::Part part, part_of(*session, kind, key.address(), options));
  if (kind != api::PartKind::storage) {
    // The key lies with the broker before anyone can order: nobody pays for what can't be opened.
    SP_ASSIGN(const std::string policy, policy_of(context, *session, part, options));
    SP_TRY(deposit_key(context, *session, key, part, policy));
  }
  SP_ASSIGN(const bool made,
            make_once(context, *session, key, part.offer_id(), session->market.offer_part(part)));
  if (!made && kind != api::PartKind::storage) {
    context.console().note("The broker has its key and policy anew.");
  }
  return tell_offer(context, part.offer_id(), api::part_kind_name(kind), made);
}

Result<attest::ChipId> chip_of(Context& context, const ComputeOptions& options) {
  if (options.chip.empty() == options.platform.empty()) {
    return failure(Errc::usage, "the device isn't clear", "its chip identity is needed",
                   "Give --chip, or for a dev device --platform");
  }
  if (!options.chip.empty()) return attest::ChipId::from_hex(options.chip);
  SP_ASSIGN(const auto platform,
            apps::load_secret(context.files(), "platform", options.platform,
                              prove::kDevPlatformSizeMax, prove::DevPlatform::decode));
  return platform.chip();
}

Result<int> create_compute(Context& context, const ComputeOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  const apps::Network& network = session->network;
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(options.key));
  api::Compute compute;
  SP_ASSIGN(compute.kind, attest::kind_from_name(options.tee));
  SP_ASSIGN(compute.chip, chip_of(context, options));
  compute.min_seconds = 1;
  compute.max_seconds = options.seconds;
  compute.min_work_by = options.window;
  compute.min_settle_by = options.window;
  compute.min_settle_window = options.window;
  compute.min_claim_window = options.claim_window;
  SP_ASSIGN(compute.cpu_milli, parse_cpus(options.cpus));
  SP_ASSIGN(compute.memory_mib, parse_mib(options.memory));
  SP_ASSIGN(compute.disk_mib, parse_mib(options.disk));
  compute.pids = options.pids;
  SP_ASSIGN(compute.price_per_hour, parse_money(network, options.price));
  SP_ASSIGN(compute.base_fee, parse_money(network, options.base_fee));
  SP_ASSIGN(compute.max_exposure, parse_money(network, options.exposure));
  compute.provider = key.address();
  compute.token = network.token;
  compute.attestors = {network.broker.address};
  SP_ASSIGN(const bool made, make_once(context, *session, key, compute.offer_id(),
                                       session->market.offer_compute(compute)));
  return tell_offer(context, compute.offer_id(), "compute", made);
}

void add_value(Cli& cli, apps::Command create, api::PartKind kind, const std::string& description,
               const std::string& examples) {
  auto options = std::make_shared<ValueOptions>();
  const std::string name(api::part_kind_name(kind));
  apps::Command command = cli.add(create, name, description, examples);
  command.add_option("--key", options->key, "The owner's key").shows_default();
  command.add_option("--price", options->price, "In tokens").shows_default();
  command.add_flag("--fixed", options->fixed, "The price is per order (the default)");
  command.add_flag("--per-hour", options->per_hour, "The price is per hour");
  command.add_option("--max-orders", options->max_orders,
                     "Orders that may be live or have paid it; 0 = any number");
  if (kind != api::PartKind::storage) {
    command.add_option("--package", options->package, "What is sold: a package's id").required();
    command.add_option("--policy", options->policy_file,
                       "Release policy, JSON (docs/POLICY.md) [made from the other options]");
    command
        .add_option("--allow-solution", options->solutions,
                    "Package of a solution that may use it; repeatable")
        .one_each_time();
    command
        .add_option("--arguments", options->arguments,
                    "Which arguments it may be used with: any, none, or rules in JSON")
        .shows_default();
    command
        .add_option("--claim-window", options->claim_window,
                    "Least time to claim a fixed price from a silent provider's deposit, seconds")
        .shows_default();
    command.add_option("--days", options->days, "How long it is sold")
        .range(1, kPolicyDaysMax, "1 to 36500")
        .shows_default();
  }
  cli.on(command,
         [options, kind](Context& context) { return create_value(context, kind, *options); });
}

void add_compute(Cli& cli, apps::Command create) {
  auto options = std::make_shared<ComputeOptions>();
  apps::Command command =
      cli.add(create, "compute", "Offer a device; prints the offer's id",
              "  spctl offers create compute --key provider --platform platform --price 2 "
              "--memory 16G");
  const auto add = [command](const char* name, std::string& value, const char* what) {
    command.add_option(name, value, what).shows_default();
  };
  add("--key", options->key, "The provider's key");
  add("--tee", options->tee, "Kind of evidence: dev, snp or tdx");
  add("--chip", options->chip, "Chip identity, 64 hexadecimal digits");
  add("--platform", options->platform, "File of a dev device, in place of --chip");
  add("--price", options->price, "Tokens per hour");
  add("--base-fee", options->base_fee, "Tokens for every settled order");
  add("--max-exposure", options->exposure, "Most of the deposit that one order may lock, tokens");
  add("--cpus", options->cpus, "Cores that one order can have");
  add("--memory", options->memory, "Memory that one order can have");
  add("--disk", options->disk, "Space that one order can have, held in memory");
  command.add_option("--pids", options->pids, "Processes and threads")
      .at_least_one()
      .shows_default();
  command.add_option("--max-time", options->seconds, "Longest order, seconds")
      .at_least_one()
      .shows_default();
  command
      .add_option("--min-window", options->window,
                  "Least of each window of an order, seconds: so long after a cancel or the "
                  "order's end you can still seal, store and settle what ran; later it isn't "
                  "paid, and owners are paid from your deposit")
      .shows_default();
  command
      .add_option("--min-claim-window", options->claim_window,
                  "Least time in which owners may claim from the deposit, seconds")
      .shows_default();
  cli.on(command, [options](Context& context) { return create_compute(context, *options); });
}

}  // namespace

void add_offer_create_commands(Cli& cli, apps::Command offers) {
  apps::Command create = cli.add(offers, "create",
                                 "Make an offer; prints its id. The same one made again gives the "
                                 "broker its key and policy anew",
                                 "  spctl offers create data --package ID --price 5 "
                                 "--allow-solution ID");
  create.require_command();
  add_value(cli, create, api::PartKind::solution, "Sell the use of a sealed image",
            "  spctl offers create solution --package ID --price 2 --key owner");
  add_value(cli, create, api::PartKind::data, "Sell the use of sealed data",
            "  spctl offers create data --package ID --price 5 --max-orders 1 "
            "--allow-solution ID --key owner");
  add_value(cli, create, api::PartKind::storage, "Take results into the network's store",
            "  spctl offers create storage --price 0.01 --key provider");
  add_compute(cli, create);
}

}  // namespace sp::spctl
