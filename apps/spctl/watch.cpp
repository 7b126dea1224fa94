#include "spctl/watch.hpp"

#include <condition_variable>
#include <nlohmann/json.hpp>
#include <thread>

#include "broker/remote.hpp"
#include "market/pricing.hpp"
#include "spctl/account_turn.hpp"
#include "spctl/interrupts.hpp"
#include "spctl/provider_words.hpp"

namespace sp::spctl {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kGivenUp = "failed";  // a provider's state of an order
constexpr milliseconds kClockPeriod{2'000};      // between looks at the chain's time
// How long the chain may be out of reach, and how long a reorganisation may hide the order: its
// transaction is in the pool again and comes back with one of the next blocks.
constexpr std::chrono::minutes kChainLossMax{15};
constexpr std::chrono::minutes kHiddenMax{3};

// Shows what the provider says of the order until it is destroyed. Nobody believes a word of it.
class StageReader {
 public:
  StageReader(Context& context, std::string url, Timeline& timeline)
      : context_(context), url_(std::move(url)), timeline_(timeline), thread_([this] { read(); }) {}
  StageReader(const StageReader&) = delete;
  StageReader& operator=(const StageReader&) = delete;
  ~StageReader() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  /// Why the provider has given the order up; empty where it hasn't.
  std::string gave_up() {
    const std::lock_guard lock(mutex_);
    return gave_up_;
  }

 private:
  void read() {
    std::unique_lock lock(mutex_);
    while (!stop_) {
      lock.unlock();
      look();
      lock.lock();
      wake_.wait_for(lock, kStagePoll, [this] { return stop_; });
    }
  }

  void look() {
    const ProviderWords words = ask_provider(context_.http(), url_);
    if (words.stage.empty() || words.stage == last_) return;
    last_ = words.stage;
    if (words.stage == kGivenUp) {
      const std::lock_guard lock(mutex_);
      gave_up_ = words.failure.empty() ? "it gives no reason" : words.failure;
    }
    timeline_.mark("provider: " + words.stage, words.failure);
  }

  Context& context_;
  const std::string url_;
  Timeline& timeline_;
  std::string last_;
  std::mutex mutex_;  // guards stop_ and gave_up_
  std::string gave_up_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

Watched settled_so(const market::SettledEvent& settled, const market::OrderRecord& order) {
  return {Watched::End::settled, settled, order.attempt, order.cancelled_at != 0, {}};
}

class Watcher {
 public:
  /// `stages` may be null.
  Watcher(Context& context, Session& session, const OrderRecord& record, std::uint64_t block,
          Timeline& timeline, StageReader* stages)
      : context_(context),
        session_(session),
        record_(record),
        id_(record.id()),
        block_(block),
        timeline_(timeline),
        stages_(stages) {}

  Result<Watched> watch() {
    const auto start = context_.clock().monotonic();
    heard_ = start;
    for (;;) {
      auto seen = look();
      const auto now = context_.clock().monotonic();
      if (seen && *seen) return **seen;
      if (seen) {
        heard_ = now;
        silence_told_ = false;
      } else {
        SP_TRY(bear(seen.error(), now));
      }
      SP_TRY(on_interrupt(now));
      // The pause is a twentieth of the wait so far, so it costs little at any length.
      const auto pause =
          std::clamp<std::chrono::nanoseconds>((now - start) / 20, kPollFirst, kPollLast);
      context_.clock().sleep_for(pause);
    }
  }

 private:
  // What may pass is waited for, and told once; the error where it has lasted too long or can't
  // pass.
  Status bear(const Error& error, std::chrono::nanoseconds now) {
    const bool hidden = error.code == Errc::not_found;
    const bool silent = error.code == Errc::unavailable || error.code == Errc::timed_out;
    if (!hidden && !silent) return error;
    const std::chrono::nanoseconds limit = hidden ? kHiddenMax : kChainLossMax;
    if (now - heard_ > limit) return error;
    if (std::exchange(silence_told_, true)) return {};
    context_.console().note(
        (hidden ? "The chain was reorganised and doesn't show the order now"
                : "The chain can't be reached (" + error.message + ")") +
        std::string("; waiting up to ") +
        std::to_string(std::chrono::duration_cast<std::chrono::minutes>(limit).count()) +
        " minutes. The order goes on without this command: later 'spctl orders get " + id_.hex0x() +
        "' tells how it is, and 'spctl orders result' opens what it made.");
    return {};
  }

  Watched ended(Watched::End end) const {
    return {end, {}, attempt_, cancelled_at_.has_value(), gave_up_};
  }

  // The end, or nothing yet.
  Result<std::optional<Watched>> look() {
    SP_ASSIGN(const market::OrderRecord order, session_.market.order(id_));
    attempt_ = order.attempt;
    const auto now = context_.clock().monotonic();
    // By another command: cancelled once more, the contract would refuse it.
    if (order.cancelled_at != 0 && !cancelled_at_) cancelled_at_ = now;
    switch (order.status) {
      case market::OrderStatus::none:
        return Error{Errc::not_found, "the chain has no order " + id_.hex0x()};
      case market::OrderStatus::closed:
        return std::optional(ended(Watched::End::closed));
      case market::OrderStatus::settled:
      case market::OrderStatus::refunded: {
        SP_ASSIGN(const chain::Block newest, session_.chain.block());
        SP_ASSIGN(const market::SettledEvent settled,
                  session_.market.find_settled(id_, block_, newest.number));
        return std::optional(settled_so(settled, order));
      }
      case market::OrderStatus::open:
        break;
    }
    if (cancelled_at_ && now - *cancelled_at_ > kCancelGrace) {
      return std::optional(ended(Watched::End::cancelled));
    }
    if (now - clock_looked_ < kClockPeriod) return std::optional<Watched>();
    clock_looked_ = now;
    SP_ASSIGN(const chain::Block newest, session_.chain.block());
    // A chain with blocks on demand may stand still, so the own clock counts too.
    const std::int64_t time = std::max(newest.time, context_.clock().unix_seconds());
    const std::int64_t end =
        order.created_at + record_.terms.settle_by + record_.terms.settle_window;
    if (time > end) return std::optional(ended(Watched::End::expired));
    return std::optional<Watched>();
  }

  Status on_interrupt(std::chrono::nanoseconds now) {
    if (cancelled_at_) return {};
    if (!interrupted() && !provider_ended()) return {};
    context_.console().note("Cancelling the order (Ctrl-C leaves at once) ...");
    const Status done = cancel_order(context_, session_, record_);
    // What ran until now is paid: its result and log are fetched all the same.
    interrupt_is_handled();
    // It may have been settled in this moment; then the next look finds that.
    if (!done) context_.console().note(done.error().message);
    cancelled_at_ = now;
    if (done) timeline_.mark("cancelled", "waiting a moment for a receipt");
    return {};
  }

  // Whether the provider says that it has given the order up, and a cancel costs nothing. Once a
  // session has had a key, a cancel pays for what it began: the provider's word never makes that.
  bool provider_ended() {
    if (stages_ == nullptr || end_unproven_) return false;
    std::string why = stages_->gave_up();
    if (why.empty()) return false;
    if (key_was_released()) {
      end_unproven_ = true;
      context_.console().note(
          "The provider says that it gave the order up (" + why +
          "), but a session has had its key: a cancel might be paid for. Waiting for the end of "
          "the order's time; Ctrl-C cancels now.");
      return false;
    }
    gave_up_ = std::move(why);
    return true;
  }

  // By the broker of the own arguments, which every session asks first.
  bool key_was_released() {
    const auto& brokers = record_.terms.parts[api::Terms::kArguments].brokers;
    const auto url = session_.url_of(brokers.front());
    if (!url) return true;
    const auto kept = broker::BrokerClient(context_.http(), *url).requests(id_);
    return !kept || !kept->empty();
  }

  Context& context_;
  Session& session_;
  const OrderRecord& record_;
  const api::OrderId id_;
  const std::uint64_t block_;
  Timeline& timeline_;
  StageReader* const stages_;
  std::string gave_up_;
  std::uint16_t attempt_ = 0;
  std::optional<std::chrono::nanoseconds> cancelled_at_;
  std::chrono::nanoseconds clock_looked_{0};
  std::chrono::nanoseconds heard_{0};  // when the chain last showed the order
  bool silence_told_ = false;
  bool end_unproven_ = false;  // the provider says that it ended, and might lie
};

}  // namespace

Result<Watched> watch_order(Context& context, Session& session, const OrderRecord& record,
                            std::uint64_t created_block, Timeline& timeline) {
  std::optional<StageReader> stages;
  const auto url = session.url_of(record.terms.choices.front().provider);
  if (url) stages.emplace(context, *url + "/v1/orders/" + record.id().hex0x(), timeline);
  auto watched =
      Watcher(context, session, record, created_block, timeline, stages ? &*stages : nullptr)
          .watch();
  if (watched && watched->end == Watched::End::settled) {
    timeline.mark("settled", std::string(api::outcome_name(watched->settled.outcome)) +
                                 ", exit code " + std::to_string(watched->settled.exit_code));
  }
  return watched;
}

Result<Watched> settled_order(Session& session, const OrderRecord& record,
                              std::uint64_t created_block) {
  const api::OrderId id = record.id();
  SP_ASSIGN(const market::OrderRecord order, session.market.order(id));
  if (order.status == market::OrderStatus::none) {
    return failure(Errc::not_found, "order " + id.hex0x() + " was never created",
                   "the chain doesn't have it; nothing was paid", "Order again");
  }
  if (!market::is_settled(order.status)) {
    return failure(Errc::conflict, "order " + id.hex0x() + " has no result",
                   "it is " + std::string(market::order_status_name(order.status)),
                   "See 'spctl orders get " + id.hex0x() + "'");
  }
  SP_ASSIGN(const chain::Block newest, session.chain.block());
  SP_ASSIGN(const market::SettledEvent settled,
            session.market.find_settled(id, created_block, newest.number));
  return settled_so(settled, order);
}

Status cancel_order(Context& context, Session& session, const OrderRecord& record) {
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(record.key_name));
  SP_ASSIGN(const auto turn, take_account_turn(context, key.address()));
  chain::TxSender sender(session.chain, key, context.clock());
  SP_TRY(execute(sender, session.market.cancel(record.terms), "cancelling the order"));
  return {};
}

std::string money_words(const apps::Network& network, const api::Terms& terms) {
  const auto deposit = market::required_deposit(terms);
  const std::string amount = deposit ? money(network, *deposit) : "the deposit";
  return amount + " stay in escrow: for " + duration_text(terms.settle_window) +
         " the provider may still settle work that was attested before, then for " +
         duration_text(terms.claim_window) +
         " owners may claim from the provider's deposit; after that "
         "'spctl orders close ID' gives all of it back";
}

std::string provider_words(Context& context, const Session& session, const OrderRecord& record) {
  const auto url = session.url_of(record.terms.choices.front().provider);
  if (!url) return {};
  const ProviderWords words =
      ask_provider(context.http(), *url + "/v1/orders/" + record.id().hex0x());
  return words.failure.empty() ? words.stage : words.stage + ": " + words.failure;
}

std::uint64_t first_block(const Session& session, const OrderFiles& orders,
                          const api::OrderId& id) {
  const auto note = orders.created(id);
  return note ? note->block : session.network.start_block;
}

}  // namespace sp::spctl
