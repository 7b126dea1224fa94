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

enum class EntryState : std::uint8_t {
  queued = 1,
  running = 2,
  finished = 3,
  settled = 4,
  failed = 5
};
std::string_view entry_state_name(EntryState state);

struct Entry {
  EntryState state = EntryState::queued;
  api::Start start;
  /// From `finished` on; before, of an earlier run that couldn't reach its brokers.
  std::optional<api::Finish> finish;
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

 private:
  [[nodiscard]] Path path_of(const api::OrderId& order) const;
  Files& files_;
  Path folder_;
};

}  // namespace sp::provider
