#include "broker/metrics.hpp"

namespace sp::broker {
namespace {

constexpr std::string_view kEventNames[] = {"attested", "released", "refused", "failed"};

}  // namespace

void Metrics::saw(const attest::Verdict& verdict) {
  const auto kind = static_cast<std::size_t>(verdict.kind());
  SP_CHECK(kind < kKinds);
  const std::lock_guard lock(mutex_);
  ends_[kind] = verdict.ends_first();
}

std::string Metrics::text() const {
  std::string text =
      "# HELP superprotocol_broker_sessions_total Sessions and keys asked for, by outcome.\n"
      "# TYPE superprotocol_broker_sessions_total counter\n";
  for (std::size_t i = 0; i < kEvents; ++i) {
    text += "superprotocol_broker_sessions_total{outcome=\"" + std::string(kEventNames[i]) +
            "\"} " + std::to_string(counts_[i].load()) + "\n";
  }
  text +=
      "# HELP superprotocol_evidence_holds_until_seconds Unix time until which the newest evidence "
      "of a kind verifies with its collateral, and what ends first.\n"
      "# TYPE superprotocol_evidence_holds_until_seconds gauge\n";
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < kKinds; ++i) {
    if (!ends_[i]) continue;
    text += "superprotocol_evidence_holds_until_seconds{kind=\"" +
            std::string(attest::kind_name(static_cast<attest::EvidenceKind>(i))) + "\",piece=\"" +
            ends_[i]->piece + "\"} " + std::to_string(ends_[i]->until) + "\n";
  }
  return text;
}

}  // namespace sp::broker
