// A hostile provider: it starts the real loader in the real sandbox with terms of its own making,
// and sits in the loader's window where the relay sits.
//
// Belongs to one thread.
#pragma once

#include "orders.hpp"
#include "provider/relay.hpp"
#include "tee/tee_host.hpp"

namespace sp::hostile {

class HostileProvider {
 public:
  /// What it does to the loader's calls on their way, and to their answers.
  struct Mischief {
    std::function<void(api::Call&)> on_call = {};
    /// An answer of its own, where it gives one.
    std::function<std::optional<Bytes>(const api::Call&)> on_answer = {};
    /// For which order it accepts the session; empty: the one of the terms.
    std::optional<api::OrderId> accepts = {};
  };

  explicit HostileProvider(Shop& shop);
  ~HostileProvider();
  HostileProvider(const HostileProvider&) = delete;
  HostileProvider& operator=(const HostileProvider&) = delete;

  /// Runs a loader with these terms to its last words.
  api::Finish run(const api::Terms& terms, const Mischief& mischief);
  /// The methods that the last loader called.
  [[nodiscard]] const std::vector<std::string>& calls() const { return calls_; }

 private:
  Result<Bytes> answer(const api::Start& start, const api::Call& call, const Mischief& mischief);

  Shop& shop_;
  const provider::Services services_;
  provider::CallForwarder forwarder_;
  const std::string cgroup_;
  std::unique_ptr<tee::TeeHost> host_;
  std::vector<std::string> calls_;
  unsigned runs_ = 0;
};

}  // namespace sp::hostile
