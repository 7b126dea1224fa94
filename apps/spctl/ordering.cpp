#include "spctl/ordering.hpp"

#include <future>

#include "base/crash_point.hpp"
#include "broker/remote.hpp"
#include "market/pricing.hpp"
#include "spctl/account_turn.hpp"
#include "spctl/catalog.hpp"
#include "spctl/interrupts.hpp"
#include "spctl/uploads.hpp"

namespace sp::spctl {
namespace {

constexpr std::int64_t kPermitSeconds = 3600;
constexpr std::size_t kDepositThreads = 8;

std::optional<api::OfferId> offer_id(const std::string& text) {
  if (!text.starts_with("0x")) return std::nullopt;
  const auto id = api::OfferId::from_hex(text);
  return id ? std::optional(*id) : std::nullopt;
}

// What the chain says before the order: who runs it, where the result goes, what is bought.
struct Chosen {
  api::Compute compute;
  api::Part storage;
  std::optional<api::Part> solution;
  std::map<std::size_t, api::Part> data;  // by index in the request
};

struct Brought {
  std::optional<Uploaded> solution;
  std::map<std::size_t, Uploaded> data;
};

// One secret to deposit with the broker.
struct Secret {
  Digest32 digest;
  api::PartSecret secret;
};

class Placer {
 public:
  Placer(Context& context, Session& session, const OrderRequest& request, Timeline& timeline)
      : context_(context), session_(session), request_(request), timeline_(timeline) {}

  Result<PlacedOrder> place();
  Result<PlacedOrder> place_again(OrderRecord record);

 private:
  Result<Chosen> choose();
  Result<api::Compute> choose_compute();
  Result<api::Part> choose_storage();
  Result<api::Part> bought_part(const api::OfferId& id, api::PartKind kind);
  Result<Brought> upload();
  Status agree(Chosen& chosen, Brought& brought);
  Status check_price();
  Status deposit_secrets();
  Result<chain::TxSender::Call> create_call();
  Result<CreatedNote> create(const chain::TxSender::Call& call);
  Result<api::BrokerIdentityAnswer> identify();
  Status prepare_again();
  Result<CreatedNote> find_created();

  Context& context_;
  Session& session_;
  const OrderRequest& request_;
  Timeline& timeline_;
  std::optional<crypto::EthKey> key_;
  std::optional<api::BrokerIdentityAnswer> identity_;
  OrderRecord record_;
  Amount deposit_;
};

Result<api::Compute> Placer::choose_compute() {
  if (!request_.compute_offer.empty()) {
    const auto id = offer_id(request_.compute_offer);
    if (!id) return Error{Errc::usage, "\"" + request_.compute_offer + "\" isn't an offer's id"};
    SP_ASSIGN(api::Compute compute, find_compute(session_, *id));
    const std::string why = misfit(compute, request_.resources, session_.network);
    if (why.empty()) return compute;
    return failure(Errc::refused, "compute offer " + id->hex0x() + " can't run this order", why,
                   "Choose another, or let spctl choose");
  }
  SP_ASSIGN(const auto offers, compute_offers(session_));
  const auto fitting = fitting_offers(offers, request_.resources, session_.network);
  std::vector<api::OfferId> ids;
  for (const api::Compute& offer : fitting) ids.push_back(offer.offer_id());
  SP_ASSIGN(const auto records, offer_records(session_, ids));
  for (std::size_t i = 0; i < fitting.size(); ++i) {
    if (!records[i].enabled) continue;
    SP_ASSIGN(const bool active, session_.market.is_active(fitting[i].provider));
    if (active) return fitting[i];
  }
  const std::string why =
      offers.empty()    ? "there is none"
      : fitting.empty() ? "the last of " + std::to_string(offers.size()) + " doesn't fit because " +
                              misfit(offers.back(), request_.resources, session_.network)
                        : "those that fit are disabled or their providers inactive";
  return failure(Errc::refused, "no compute offer runs this order", why,
                 "Ask for less, or see 'spctl offers list'");
}

Result<api::Part> Placer::choose_storage() {
  SP_ASSIGN(const auto offers, part_offers(session_));
  std::vector<StorageOffer> storage;
  std::vector<api::OfferId> ids;
  for (const api::Part& offer : offers) {
    if (offer.kind != api::PartKind::storage || offer.token != session_.network.token) continue;
    if (!session_.url_of(offer.store)) continue;  // spctl couldn't fetch the result
    storage.push_back({offer, {}});
    ids.push_back(offer.offer_id());
  }
  SP_ASSIGN(const auto records, offer_records(session_, ids));
  for (std::size_t i = 0; i < storage.size(); ++i) storage[i].record = records[i];
  const bool none = storage.empty();
  for (api::Part& part : storage_by_price(std::move(storage), request_.resources.seconds)) {
    // Anybody may offer, and an owner whose deposit is short makes the market refuse the order.
    SP_ASSIGN(const bool active, session_.market.is_active(part.owner));
    if (active) return std::move(part);
  }
  return failure(Errc::refused, "no storage offer takes the result",
                 none ? "the market has none whose store is known"
                      : "those whose stores are known are disabled, used up, or their owners' "
                        "deposits are short",
                 "See 'spctl offers list'");
}

Result<api::Part> Placer::bought_part(const api::OfferId& id, api::PartKind kind) {
  SP_ASSIGN(api::Part part, find_part(session_, id));
  if (part.kind == kind) return part;
  return failure(Errc::usage, "offer " + id.hex0x() + " is refused",
                 "it offers " + std::string(api::part_kind_name(part.kind)) + ", not " +
                     std::string(api::part_kind_name(kind)),
                 "See 'spctl offers list'");
}

Result<Chosen> Placer::choose() {
  Chosen chosen;
  SP_ASSIGN(chosen.compute, choose_compute());
  SP_ASSIGN(chosen.storage, choose_storage());
  if (const auto id = offer_id(request_.image)) {
    SP_ASSIGN(chosen.solution, bought_part(*id, api::PartKind::solution));
  }
  for (std::size_t i = 0; i < request_.data.size(); ++i) {
    const auto id = offer_id(request_.data[i]);
    if (!id) continue;
    SP_ASSIGN(chosen.data[i], bought_part(*id, api::PartKind::data));
  }
  return chosen;
}

Result<Brought> Placer::upload() {
  const apps::ServiceAddress& own = session_.network.store;
  SP_ASSIGN(const auto stores,
            open_stores(context_, session_.urls_of(own.address), own.address, request_.key_name));
  Brought brought;
  std::uint64_t size = 0;
  if (!offer_id(request_.image)) {
    SP_ASSIGN(brought.solution, upload_image(context_, *stores, request_.image));
    size += brought.solution->plaintext_size;
  }
  for (std::size_t i = 0; i < request_.data.size(); ++i) {
    if (offer_id(request_.data[i])) continue;
    SP_ASSIGN(Uploaded uploaded, upload_data(context_, *stores, request_.data[i]));
    size += uploaded.plaintext_size;
    brought.data.emplace(i, std::move(uploaded));
  }
  if (brought.solution || !brought.data.empty()) {
    timeline_.mark("uploaded", size_text(size) + ", sealed");
  }
  return brought;
}

Status Placer::agree(Chosen& chosen, Brought& brought) {
  Random& random = context_.random();
  SP_ASSIGN(const crypto::X25519KeyPair result_key,
            context_.keys().load_result_key(request_.key_name));
  record_.market = session_.network.market;
  record_.key_name = request_.key_name;
  record_.order_secret = crypto::random_secret<32>(random);
  record_.arguments = SecretBytes(request_.arguments.encode());
  TermsInput input;
  input.resources = request_.resources;
  input.customer = key_->address();
  input.result_key = result_key.public_key;
  input.salt = crypto::random_fixed<Digest32>(random);
  input.argument_commitment = api::argument_commitment(record_.order_secret, request_.arguments);
  input.compute = chosen.compute;
  input.storage = chosen.storage;
  const auto own = [&](api::PartKind kind, Uploaded& uploaded) {
    record_.own_keys.push_back({uploaded.package, std::move(uploaded.key)});
    return own_part(kind, uploaded.package, input.customer, session_.network);
  };
  input.solution = chosen.solution ? std::move(*chosen.solution)
                                   : own(api::PartKind::solution, *brought.solution);
  for (std::size_t i = 0; i < request_.data.size(); ++i) {
    const auto bought = chosen.data.find(i);
    input.data.push_back(bought != chosen.data.end()
                             ? std::move(bought->second)
                             : own(api::PartKind::data, brought.data.at(i)));
  }
  SP_ASSIGN(record_.terms, build_terms(input, session_.network));
  SP_ASSIGN(deposit_, market::required_deposit(record_.terms));
  return {};
}

Status Placer::check_price() {
  const apps::Network& network = session_.network;
  timeline_.mark("priced", "at most " + money(network, deposit_) + " for " +
                               duration_text(record_.terms.ordered_seconds));
  if (request_.max_price.empty()) return {};
  SP_ASSIGN(const Amount limit, parse_money(network, request_.max_price));
  if (deposit_ <= limit) return {};
  return failure(Errc::refused, "the order is too dear",
                 "it may cost " + money(network, deposit_) + ", the limit is " +
                     money(network, limit) + "; nothing was paid",
                 "Raise --max-price, or order less --time");
}

Status Placer::deposit_secrets() {
  const std::int64_t now = context_.clock().unix_seconds();
  const std::string policy = own_policy(record_.terms, session_.network, now).to_json();
  std::vector<Secret> secrets;
  secrets.push_back({record_.terms.parts[api::Terms::kArguments].digest,
                     {record_.order_secret.clone(), SecretBytes(record_.arguments.reveal())}});
  for (const OwnKey& own : record_.own_keys) {
    secrets.push_back({own.package, {own.key.clone(), SecretBytes()}});
  }
  broker::BrokerClient client(context_.http(), session_.network.broker.url);
  // In rounds, so that a long list of inputs doesn't mean as many threads.
  for (std::size_t from = 0; from < secrets.size(); from += kDepositThreads) {
    std::vector<std::future<Status>> running;
    for (std::size_t i = from; i < std::min(secrets.size(), from + kDepositThreads); ++i) {
      running.push_back(std::async(std::launch::async, [&, i] {
        const CrashEffect effect(CrashSite::client_deposit);
        return client.deposit(*identity_, *key_, secrets[i].digest, policy, secrets[i].secret,
                              context_.random());
      }));
    }
    Status all;
    for (auto& one : running) {
      if (const Status done = one.get(); !done && all) all = done;
    }
    SP_TRY(all);
  }
  timeline_.mark("deposited", std::to_string(secrets.size()) + " secrets with the broker");
  return {};
}

// In the account's turn: what an order before this one leaves of the allowance, and the permit's
// nonce, hold until this one is created.
Result<chain::TxSender::Call> Placer::create_call() {
  SP_ASSIGN(const Amount allowance,
            session_.token.allowance(key_->address(), session_.network.market.contract));
  const market::Hints hints = build_hints(record_.terms, session_.network);
  if (allowance >= deposit_) return session_.market.create(record_.terms, hints);
  market::MarketClient::Permit permit;
  permit.value = deposit_;
  permit.deadline = static_cast<std::uint64_t>(context_.clock().unix_seconds() + kPermitSeconds);
  SP_ASSIGN(permit.signature,
            session_.token.sign_permit(*key_, session_.network.market.contract, permit.value,
                                       permit.deadline, session_.network.market.chain_id));
  return session_.market.create_with_permit(record_.terms, hints, permit);
}

Result<CreatedNote> Placer::create(const chain::TxSender::Call& call) {
  chain::TxSender sender(session_.chain, *key_, context_.clock());
  const std::string id = record_.id().hex0x();
  SP_ASSIGN(const chain::TxReceipt receipt, execute(sender, call, "creating order " + id));
  timeline_.mark("created", "order " + id);
  return CreatedNote{receipt.tx_hash, receipt.block_number};
}

Result<api::BrokerIdentityAnswer> Placer::identify() {
  const std::string& url = session_.network.broker.url;
  auto identity = broker::BrokerClient(context_.http(), url)
                      .identify(session_.network.broker_tee, context_.random(),
                                context_.clock().unix_seconds());
  if (!identity) return identity.error().in("asking the broker who it is");
  if (identity->broker == session_.network.broker.address) return identity;
  return Error{Errc::mismatch, "the broker at " + url + " is " + identity->broker.hex0x() +
                                   ", network.json names another"};
}

// Everything up to the create once more: what was done already is replaced by the same.
Status Placer::prepare_again() {
  SP_ASSIGN(key_, context_.keys().load(record_.key_name));
  SP_ASSIGN(identity_, identify());
  return deposit_secrets();
}

Result<CreatedNote> Placer::find_created() {
  const api::OrderId id = record_.id();
  OrderFiles orders(context_.files(), context_.home().orders());
  if (const auto note = orders.created(id)) return *note;
  SP_ASSIGN(const chain::Block newest, session_.chain.block());
  SP_ASSIGN(const market::CreatedEvent created,
            session_.market.find_created(id, session_.network.start_block, newest.number));
  return CreatedNote{created.tx, created.block};
}

Result<PlacedOrder> Placer::place_again(OrderRecord record) {
  record_ = std::move(record);
  SP_ASSIGN(deposit_, market::required_deposit(record_.terms));
  SP_ASSIGN(market::OrderRecord state, session_.market.order(record_.id()));
  if (state.status == market::OrderStatus::none) {
    SP_TRY(prepare_again());
    SP_ASSIGN(const auto turn, take_account_turn(context_, key_->address()));
    SP_ASSIGN(const chain::TxSender::Call call, create_call());
    if (interrupted()) return Error{Errc::cancelled, "stopped before ordering: nothing was paid"};
    const auto created = create(call);
    if (created) return PlacedOrder{std::move(record_), *created, deposit_};
    // A create that was sent before the crash may have come first.
    SP_ASSIGN(state, session_.market.order(record_.id()));
    if (state.status == market::OrderStatus::none) return created.error();
  }
  SP_ASSIGN(const CreatedNote created, find_created());
  timeline_.mark("found", "order " + record_.id().hex0x() + " is on the chain");
  return PlacedOrder{std::move(record_), created, deposit_};
}

Result<PlacedOrder> Placer::place() {
  auto choosing = std::async(std::launch::async, [this] { return choose(); });
  auto uploading = std::async(std::launch::async, [this] { return upload(); });
  auto identifying = std::async(std::launch::async, [this] { return identify(); });
  auto key = context_.keys().load(request_.key_name);
  auto chosen = choosing.get();
  auto brought = uploading.get();
  auto identity = identifying.get();
  if (!key) return key.error();
  if (!chosen) return chosen.error();
  if (!brought) return brought.error();
  if (!identity) return identity.error();
  key_ = std::move(*key);
  identity_ = std::move(*identity);
  SP_TRY(agree(*chosen, *brought));
  SP_TRY(check_price());
  if (interrupted()) return Error{Errc::cancelled, "stopped before ordering: nothing was paid"};

  OrderFiles orders(context_.files(), context_.home().orders());
  SP_ASSIGN(const auto turn, take_account_turn(context_, key_->address()));
  auto calling = std::async(std::launch::async, [this] { return create_call(); });
  auto depositing = std::async(std::launch::async, [this] { return deposit_secrets(); });
  const Status saved = orders.save(record_);
  const Status deposited = depositing.get();
  auto call = calling.get();
  SP_TRY(saved);
  SP_TRY(deposited);
  if (!call) return call.error();
  if (interrupted()) return Error{Errc::cancelled, "stopped before ordering: nothing was paid"};
  SP_ASSIGN(const CreatedNote created, create(*call));
  return PlacedOrder{std::move(record_), created, deposit_};
}

}  // namespace

Result<PlacedOrder> place_order(Context& context, Session& session, const OrderRequest& request,
                                Timeline& timeline) {
  return Placer(context, session, request, timeline).place();
}

Result<PlacedOrder> place_again(Context& context, Session& session, OrderRecord record,
                                Timeline& timeline) {
  const OrderRequest nothing_more;
  return Placer(context, session, nothing_more, timeline).place_again(std::move(record));
}

}  // namespace sp::spctl
