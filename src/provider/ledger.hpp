// The ledger: what the provider has taken on, one file an order, so that a restart goes on where it
// was.
//
// queued -> running -> finished -> settled; or failed from anywhere. A file is replaced whole. Safe
// to call from any thread for different orders.
#pragma once

#include "api/window.hpp"
#include "base/files.hpp"

namespace sp::provider {

inline constexpr std::size_t kEntrySizeMax = 4 << 20;
inline constexpr std::size_t kIdleMax = 8;  ///< sessions of one order that began nothing

enum class EntryState : std::uint8_t {
  queued = 1,
  running = 2,
  finished = 3,
  settled = 4,
  failed = 5
};
std::string_view entry_state_name(EntryState state);
/// Whether nothing is run or settled any more, unless the chain takes back what it said.
constexpr bool is_over(EntryState state) {
  return state == EntryState::settled || state == EntryState::failed;
}

struct Entry {
  EntryState state = EntryState::queued;
  api::Start start;
  /// From `finished` on; before, of an earlier run that couldn't reach its brokers.
  std::optional<api::Finish> finish;
  /// Receipts of earlier sessions that had been attested and began nothing, kIdleMax at most. The
  /// market has to know them before owners can claim (Market.acquit).
  std::vector<api::Signed<api::Receipt>> idle;
  /// Whether the market may hold deposit for it, though it is over here.
  bool locks = false;
  /// Why it failed, for people; of others, why its own receipt isn't what has settled it.
  std::string failure;

  [[nodiscard]] Bytes encode() const;
  static Result<Entry> decode(ByteView bytes);
};

class Ledger {
 public:
  Ledger(Files& files, Path folder) : files_(files), folder_(std::move(folder)) {}

  Status save(const api::OrderId& order, const Entry& entry);
  /// Errc::not_found; Errc::malformed for a damaged file.
  Result<Entry> load(const api::OrderId& order) const;
  [[nodiscard]] bool has(const api::OrderId& order) const;
  /// Forgets an order that the chain has forgotten. No error where it isn't there.
  Status remove(const api::OrderId& order);
  /// All orders of the ledger, by id.
  Result<std::vector<api::OrderId>> orders() const;
  /// The file of an order's entry.
  [[nodiscard]] Path path_of(const api::OrderId& order) const;

 private:
  Files& files_;
  Path folder_;
};

}  // namespace sp::provider
