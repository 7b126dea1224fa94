#include "customers.hpp"

#include <condition_variable>
#include <deque>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/testing/must.hpp"
#include "broker/remote.hpp"
#include "crypto/hash.hpp"
#include "loader/result.hpp"
#include "spctl/order_plan.hpp"
#include "store/remote/http_store.hpp"
#include "store/tar_format.hpp"

namespace sp::bench {
namespace {

constexpr std::size_t kThreads = 32;
constexpr std::size_t kDataSize = 4096;  // bytes of a customer's own data
constexpr std::size_t kResultMax = 1 << 20;
constexpr std::chrono::milliseconds kWatchPause{50};
constexpr std::chrono::seconds kReceiptLimit{120};

struct Customer {
  explicit Customer(Random& random)
      : key(crypto::EthKey::generate(random)),
        result_key(crypto::X25519KeyPair::generate(random)),
        secret(crypto::random_secret<32>(random)) {}
  crypto::EthKey key;
  crypto::X25519KeyPair result_key;
  Secret32 secret;
  api::Terms terms;
  api::OrderId order;
  std::optional<market::SettledEvent> settled;
};

// A tree with one file, as a tar stream.
Bytes data_of(Random& random) {
  Bytes tar = store::tar_header({"data.bin", false, false, kDataSize});
  Bytes content(kDataSize);
  random.fill(content);
  append(tar, content);
  tar.resize(tar.size() + store::tar_padding(kDataSize) + store::kTarEndSize);
  return tar;
}

class Crowd {
 public:
  Crowd(Town& town, std::size_t count, const Clock& clock, Random& random, Moments& moments)
      : town_(town), clock_(clock), random_(random), moments_(moments) {
    std::vector<Address> accounts;
    for (std::size_t i = 0; i < count; ++i) {
      customers_.push_back(std::make_unique<Customer>(random_));
      accounts.push_back(customers_.back()->key.address());
    }
    town_.fund(accounts);
    for (std::size_t i = 0; i < count; ++i) work_.push_back(i);
    left_ = count;
  }

  Outcome run(std::chrono::seconds limit) {
    came_ = moments_.now();
    until_ = came_ + limit;
    from_block_ = must(town_.session().chain.block()).number;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) threads.emplace_back([this] { work(); });
    watch();
    for (std::thread& thread : threads) thread.join();
    if (left_ > 0) outcome_.failures["not ended in time"] += left_;
    outcome_.took = moments_.now() - came_;
    return outcome_;
  }

 private:
  bool over() const { return left_ == 0 || moments_.now() > until_; }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait_for(lock, std::chrono::seconds(1), [&] { return !work_.empty() || over(); });
      if (over()) return changed_.notify_all();
      if (work_.empty()) continue;
      const std::size_t next = work_.front();
      work_.pop_front();
      lock.unlock();
      Customer& customer = *customers_[next];
      const bool last_step = customer.settled.has_value();
      const Status done = last_step ? open(customer) : place(next, customer);
      lock.lock();
      if (!done) outcome_.failures[done.error().message.substr(0, 120)] += 1;
      if (done && last_step) outcome_.opened += 1;
      if (!done || last_step) left_ -= 1;
    }
  }

  // Looks at the chain for all customers.
  void watch() {
    for (;;) {
      clock_.sleep_for(kWatchPause);
      const auto newest = town_.session().chain.block();
      const auto logs = newest && newest->number >= from_block_
                            ? town_.session().chain.logs({town_.network().market.contract,
                                                          {market::order_settled_topic()},
                                                          from_block_,
                                                          newest->number})
                            : Result<std::vector<chain::Log>>(std::vector<chain::Log>());
      const std::lock_guard lock(mutex_);
      if (over()) return changed_.notify_all();
      if (!newest || !logs) continue;
      from_block_ = std::max(from_block_, newest->number + 1);
      for (const chain::Log& log : *logs) see(must(town_.session().market.decode_settled(log)));
    }
  }

  void see(market::SettledEvent event) {
    const auto found = by_order_.find(event.order);
    if (found == by_order_.end()) return;
    moments_.note(event.order, Moment::settled);
    customers_[found->second]->settled = std::move(event);
    // Who has begun is served first: results before new orders.
    work_.push_front(found->second);
    changed_.notify_one();
  }

  Status place(std::size_t number, Customer& customer) {
    const Time begun = moments_.now();
    const apps::Network& network = town_.network();
    store::HttpStore blobs(town_.http(), network.store.url, town_.writing(customer.key, random_));
    const auto data_key = crypto::random_secret<32>(random_);
    const Bytes data = data_of(random_);
    store::MemorySource source(data);
    SP_ASSIGN(const auto sealed, store::seal_package(source, data_key, blobs, random_, {}));
    const api::Arguments arguments{{"answer"}, {}};
    spctl::TermsInput input;
    input.resources.seconds = 60;
    input.resources.memory_mib = 64;
    input.resources.disk_mib = 16;
    input.resources.pids = 16;
    input.customer = customer.key.address();
    input.result_key = customer.result_key.public_key;
    input.salt = crypto::random_fixed<Digest32>(random_);
    input.argument_commitment = api::argument_commitment(customer.secret, arguments);
    input.compute = town_.compute(number);
    input.storage = town_.storage();
    input.solution = town_.solution();
    input.data = {spctl::own_part(api::PartKind::data, {sealed.id.data}, input.customer, network)};
    SP_ASSIGN(customer.terms, spctl::build_terms(input, network));
    // All come at once: the last must not be too late for the first's windows.
    customer.terms.work_by = 1800;
    customer.terms.settle_by = 3600;
    customer.order = customer.terms.order_id(network.market);
    moments_.note_at(customer.order, Moment::came, came_);
    moments_.note_at(customer.order, Moment::begun, begun);
    const std::string policy =
        spctl::own_policy(customer.terms, network, clock_.unix_seconds()).to_json();
    broker::BrokerClient client(town_.http(), network.broker.url);
    SP_TRY(client.deposit(town_.broker(), customer.key, {sealed.id.data}, policy,
                          {data_key.clone(), SecretBytes()}, random_));
    SP_TRY(client.deposit(town_.broker(), customer.key, input.argument_commitment, policy,
                          {customer.secret.clone(), SecretBytes(arguments.encode())}, random_));
    moments_.note(customer.order, Moment::deposited);
    {
      const std::lock_guard lock(mutex_);
      by_order_[customer.order] = number;
    }
    chain::TxSender sender(town_.session().chain, customer.key, clock_);
    SP_ASSIGN(const chain::TxHash hash,
              sender.send(town_.session().market.create(
                  customer.terms, spctl::build_hints(customer.terms, network))));
    // The chain has it; a provider may take it before this customer sees the receipt.
    moments_.note(customer.order, Moment::created);
    SP_TRY(sender.wait(hash, 1, kReceiptLimit));
    return {};
  }

  Status open(Customer& customer) {
    if (customer.settled->outcome != api::Outcome::success) {
      return Error{Errc::refused, "an order ended as " +
                                      std::string(api::outcome_name(customer.settled->outcome))};
    }
    store::HttpStore blobs(town_.http(), town_.network().store.url,
                           town_.writing(customer.key, random_));
    SP_ASSIGN(const auto package,
              store::Package::fetch(blobs, store::PackageId{customer.settled->result.data}));
    const api::Run run{customer.order, 0, 0};
    SP_ASSIGN(const Secret32 key, package.unwrap(customer.result_key, loader::result_context(run)));
    store::MemorySink sink(kResultMax);
    SP_TRY(package.open(key, sink, 1));
    if (as_text(sink.bytes()).find("42\n") == std::string_view::npos) {
      return Error{Errc::mismatch, "a result isn't the workload's"};
    }
    moments_.note(customer.order, Moment::opened);
    return {};
  }

  Town& town_;
  const Clock& clock_;
  Random& random_;
  Moments& moments_;
  std::vector<std::unique_ptr<Customer>> customers_;
  Time came_{0};
  Time until_{0};
  std::uint64_t from_block_ = 0;  // the watching thread's

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<std::size_t> work_;
  std::map<api::OrderId, std::size_t> by_order_;
  std::size_t left_ = 0;
  Outcome outcome_;
};

}  // namespace

Outcome run_customers(Town& town, std::size_t customers, std::chrono::seconds limit,
                      const Clock& clock, Random& random, Moments& moments) {
  return Crowd(town, customers, clock, random, moments).run(limit);
}

}  // namespace sp::bench
