// When each order passed each stage, from all threads of the benchmark.
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <vector>

#include "api/window.hpp"
#include "base/world.hpp"

namespace sp::bench {

/// In the order in which an order passes them.
enum class Moment : std::uint8_t {
  came,       ///< the customer wants it; all come at once
  begun,      ///< one of the few at work takes it up, and begins to seal
  deposited,  ///< own data in the store, keys at the broker
  created,    ///< the order is in a block
  taken,      ///< a provider has started a loader for it
  attested,   ///< the attestor's word is with the loader
  keys,       ///< the last key is with the loader
  run,        ///< everything fetched and opened, and the workload at its end
  stored,     ///< the result's last blob is in the store
  receipt,    ///< the store's receipt is with the loader
  settled,    ///< the settlement is in a block
  opened      ///< the customer has fetched and opened the result
};
inline constexpr std::size_t kMoments = 12;
std::string_view moment_name(Moment moment);

using Time = std::chrono::nanoseconds;
using Course = std::array<Time, kMoments>;

class Moments {
 public:
  explicit Moments(const Clock& clock) : clock_(clock) {}
  /// The last time counts, where it comes more than once.
  void note(const api::OrderId& order, Moment moment) { note_at(order, moment, now()); }
  void note_at(const api::OrderId& order, Moment moment, Time time);
  /// A call of a loader was answered after this long.
  void note_call(const std::string& method, Time took);
  [[nodiscard]] Time now() const { return clock_.monotonic(); }
  [[nodiscard]] std::vector<Course> whole_courses() const;
  [[nodiscard]] std::map<std::string, std::vector<Time>> calls() const;

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;  // guards all below
  std::map<api::OrderId, Course> courses_;
  std::map<std::string, std::vector<Time>> calls_;
};

}  // namespace sp::bench
