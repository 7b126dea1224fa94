// Orders of the hostile tests: made with the product's own libraries, run by the real daemons, and
// followed to their ends by what the real provider and the chain say.
//
// A Shop is the town with goods in it: an image and data that the customer brings, and offers of
// others. It belongs to the town's thread.
#pragma once

#include "api/window.hpp"
#include "books.hpp"
#include "broker/policy.hpp"
#include "canaries.hpp"

namespace sp::hostile {

inline constexpr const char* kNote = "a note of the customer";

/// What to order; the rest is as `spctl run` does it.
struct Wish {
  std::vector<std::string> argv{"exit", "0"};
  std::uint32_t seconds = 20;
  bool bought = false;  ///< solution and data are others' offers at fixed prices, not own uploads
  bool hourly = false;  ///< the data is an offer per hour
  /// Another image of the customer's own.
  const Sealed* image = nullptr;
  std::function<void(api::Terms&)> change = {};  ///< the last word on the terms
};

struct Placed {
  api::Terms terms;
  api::OrderId id;
  std::uint64_t block = 0;
  Books before;  ///< the books before the create
};

/// How far the provider says an order is.
struct Progress {
  std::string state;
  std::string failure;
  std::string stage;  ///< the loader's: "running"
};

class Shop {
 public:
  static Shop& get();
  static void leave();
  explicit Shop(Town& town);

  Town& town() { return town_; }
  const People& people() const { return people_; }
  const crypto::EthKey& seller() const { return seller_; }  ///< owns the solution that is sold
  const crypto::EthKey& owner() const { return owner_; }    ///< owns the data that are sold
  const api::Part& sold_solution() const { return solution_offer_; }
  const api::Part& sold_data() const { return data_offer_; }
  /// The provider's device, offered with windows of ten seconds.
  const api::Compute& compute() const { return compute_; }
  const api::BrokerIdentityAnswer& broker() const { return broker_; }

  /// All that was deposited here, and the keys of the shop's people.
  Canaries& secrets() { return secrets_; }

  Books books() { return read_books(town_, people_); }
  /// Places an order; the real provider takes it.
  Placed place(const Wish& wish = {});
  /// The terms alone, their arguments' secret deposited.
  api::Terms agree(const Wish& wish);
  Placed create(const api::Terms& terms);

  /// Waits until the provider has ended all that was placed, and ends on the chain what is left
  /// there, so that nothing more happens and nothing is locked.
  void rest();
  /// All orders that were ever placed here.
  const std::vector<Placed>& all() const { return all_; }
  /// Waits until the provider has settled the order or given it up.
  Progress wait(const api::OrderId& order);
  Progress progress(const api::OrderId& order);
  /// Waits until the order's workload is a process with these arguments: "running" is told before
  /// it begins.
  void wait_for_workload(const api::OrderId& order, const std::vector<std::string>& argv);
  /// The loader's last words on the order, from the provider.
  api::Finish finish_of(const api::OrderId& order);
  /// The receipt that settled it; fails the test where there is none.
  api::Receipt receipt_of(const api::OrderId& order);

  /// What the chain must have moved by this receipt.
  Changes by_rule(const Placed& placed, const api::Receipt& receipt);
  /// Expects that the order was settled so, and that all books moved by the rule.
  void expect_settled(const Placed& placed, api::Outcome outcome);
  /// Cancels an order that nobody can settle, lets its windows pass, closes it: the customer must
  /// be whole, but for parts that were claimed.
  void expect_refund(const std::vector<const Placed*>& orders);

  /// Deposits a secret as its owner would.
  Status deposit(const crypto::EthKey& owner, const Digest32& digest,
                 const broker::ReleasePolicy& policy, const api::PartSecret& secret);
  /// A policy that allows any order of this offer.
  broker::ReleasePolicy open_policy(const api::OfferId& offer);
  broker::ReleasePolicy own_policy();
  /// Seals another image or data, and deposits its key as the customer's own.
  Sealed bring(const Path& folder) { return bring(town_.seal(folder)); }
  Sealed bring(Sealed goods);

 private:
  void end_on_chain(const Placed& placed);
  api::Part offer(const crypto::EthKey& who, api::PartKind kind, const Sealed& goods, Amount price,
                  api::PriceType type);

  Town& town_;
  crypto::EthKey seller_, owner_;
  People people_;
  api::BrokerIdentityAnswer broker_;
  Sealed image_, data_;
  api::Compute compute_;
  api::Part storage_, solution_offer_, data_offer_, hourly_offer_;
  std::vector<Placed> all_;
  Canaries secrets_;
  std::size_t rested_ = 0;  // of all_, how many are known to have ended at the provider
};

/// The error of the contracts in a revert, by its name: "Market_BadSignature"; else the message.
std::string revert_of(const Error& error);

/// How many tokens, in units.
constexpr Amount tokens(unsigned count) {
  return Amount(Amount::Number{count} * 1'000'000'000'000'000'000);
}

}  // namespace sp::hostile
