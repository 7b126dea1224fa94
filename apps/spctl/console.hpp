// What spctl says: results on standard output, everything else on standard error; JSON where asked
// for.
//
// Progress bars appear only where standard error is a terminal. A Console may be used by several
// threads; whole lines don't mix.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace sp::spctl {

class Console {
 public:
  explicit Console(bool json);

  /// Whether results are wanted as JSON.
  [[nodiscard]] bool json() const { return json_; }
  /// Whether a person watches standard error.
  [[nodiscard]] bool interactive() const { return interactive_; }
  /// A line of the result, on standard output. Left out where JSON is wanted.
  void line(std::string_view text);
  /// Raw text of the result (a workload's log), on standard output. Left out where JSON is wanted.
  void text(std::string_view text);
  /// The result as JSON, on standard output, where that is wanted.
  void result(const Json& json);
  /// Whether all of the result reached standard output, or a reader who left. Errc::io.
  [[nodiscard]] Status output();
  /// A remark on standard error.
  void note(std::string_view text);
  /// Replaces the status line of a terminal; does nothing elsewhere. Empty = clear it.
  void status(std::string_view text);

 private:
  void clear_status();
  void put_out(std::string_view text);

  const bool json_;
  const bool interactive_;
  std::mutex mutex_;    // guards what is written
  bool shown_ = false;  // a status line stands there
  Status output_;       // what the last loss on standard output was
};

/// A bar for bytes done of a total, on the status line; drawn at most every kBarPeriod.
class ProgressBar {
 public:
  static constexpr std::chrono::milliseconds kBarPeriod{100};

  /// `total` 0 = unknown. What goes beyond it, as an archive's headers do, isn't told.
  ProgressBar(Console& console, std::string what, std::uint64_t total)
      : console_(console), what_(std::move(what)), total_(total) {}
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() { console_.status(""); }
  void update(std::uint64_t done, std::chrono::nanoseconds now);

 private:
  Console& console_;
  const std::string what_;
  const std::uint64_t total_;
  std::chrono::nanoseconds drawn_{-1'000'000'000};
};

/// Columns of text, padded; the first row is the head.
std::string table(const std::vector<std::vector<std::string>>& rows);

/// "13.5 MB".
std::string size_text(std::uint64_t bytes);
/// "1 min 40 s".
std::string duration_text(std::uint64_t seconds);

/// An error as people need it: WHAT happened, WHY, and what to DO: "what: why. do."
Error failure(Errc code, std::string_view what, std::string_view why, std::string_view advice);

}  // namespace sp::spctl
