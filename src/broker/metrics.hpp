// What a broker counts, for Prometheus (text exposition format 0.0.4): numbers alone, never a name,
// an order or a secret. Safe to call from any thread.
#pragma once

#include <array>
#include <atomic>
#include <optional>
#include <string>

#include "attest/verdict.hpp"
#include "base/sync.hpp"

namespace sp::broker {

class Metrics {
 public:
  enum class Event : std::uint8_t { attested, released, refused, failed };

  void count(Event event) { ++counts_[static_cast<std::size_t>(event)]; }
  /// Remembers what of this kind of evidence ends first: who watches the gauge isn't surprised by a
  /// list that expires.
  void saw(const attest::Verdict& verdict);
  [[nodiscard]] std::string text() const;

 private:
  static constexpr std::size_t kEvents = 4;
  static constexpr std::size_t kKinds = 6;  // values of EvidenceKind

  std::array<std::atomic<std::uint64_t>, kEvents> counts_{};
  mutable Mutex mutex_;  // guards ends_
  std::array<std::optional<attest::Validity>, kKinds> ends_;
};

}  // namespace sp::broker
