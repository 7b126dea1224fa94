// A cache on disk before an upstream. What is kept is served until it expires; then the upstream is
// asked whether it has changed. Where the upstream fails, what is kept is served although it has
// expired: the verifier judges every date for itself. Callers that want the same thing at the same
// time share one request.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>

#include "base/files.hpp"
#include "base/sync.hpp"
#include "base/world.hpp"
#include "collateral/entry.hpp"

namespace sp::collateral {

inline constexpr std::chrono::hours kLifetimeDefault{24};   ///< where nobody states one
inline constexpr std::chrono::hours kLifetimeMax{24 * 30};  ///< whatever is stated
inline constexpr std::chrono::minutes kLifetimeMin{5};    ///< so that nobody is asked all the time
inline constexpr std::chrono::seconds kFailurePause{30};  ///< before a failure is tried again
inline constexpr std::size_t kFailuresMax = 1024;         ///< that are remembered
inline constexpr std::size_t kFetchesMax = 8;             ///< at the same time; others wait
inline constexpr std::chrono::seconds kFetchWaitMax{10};  ///< for one's turn; then unavailable

class CachedSource final : public CollateralSource {
 public:
  struct Options {
    Path folder;  ///< of its own: one file for each thing
    /// Serves what is kept, expired or not, and never asks.
    bool offline = false;
    std::size_t files_max = kBundleEntriesMax;  ///< beyond it, others make room
    /// When a newer one is due (answers.hpp's next_update_of); empty: nobody knows.
    std::function<std::optional<std::int64_t>(const Wanted&, const Published&)> next_update;
  };

  /// All references outlive this. Errc::io where the folder can't be made or read.
  static Result<std::unique_ptr<CachedSource>> open(Options options, Files& files,
                                                    const Clock& clock, Upstream& upstream);

  Result<Published> get(const Wanted& wanted) override;

  /// All that is kept and whole. Errc::io, Errc::too_large.
  Result<Bundle> export_bundle();
  /// Keeps what is newer than what is here; returns how many that were. Errc::io.
  Result<std::size_t> import_bundle(const Bundle& bundle);

 private:
  /// One request and those who wait for it.
  struct Flight {
    bool done = false;  // under mutex_
    Result<Published> outcome = Error{Errc::cancelled, "not done yet"};
  };
  struct Failure {
    std::chrono::nanoseconds until{0};  ///< monotonic
    Error error;
  };

  CachedSource(Options options, Files& files, const Clock& clock, Upstream& upstream);
  Status load_names();
  Result<Published> serve(const Wanted& wanted);
  Result<Published> refresh(const Wanted& wanted, std::optional<Entry> kept);
  Result<Fetched> ask(const Wanted& wanted, const std::optional<Entry>& kept);
  Result<Published> keep(Entry entry, std::optional<std::chrono::seconds> lifetime);
  [[nodiscard]] std::optional<Entry> read(const Wanted& wanted) const;
  Status write(const Entry& entry);
  Status make_room(const std::string& name);
  void remember_failure(const Digest32& key, const Error& error);
  [[nodiscard]] std::optional<Error> recent_failure(const Digest32& key);
  [[nodiscard]] Path path_of_file(const std::string& name) const { return options_.folder / name; }

  const Options options_;
  Files& files_;
  const Clock& clock_;
  Upstream& upstream_;
  Mutex mutex_;
  Condition changed_;
  std::map<Digest32, std::shared_ptr<Flight>> flights_;  // under mutex_
  std::map<Digest32, Failure> failures_;                 // under mutex_
  std::size_t fetches_ = 0;                              // under mutex_
  Mutex files_mutex_;
  std::set<std::string> names_;  // of the files, under files_mutex_
};

}  // namespace sp::collateral
