#include "broker/metrics.hpp"

#include "net/metrics.hpp"

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
  net::MetricsText text;
  text.family("superprotocol_broker_sessions_total", net::MetricsText::Type::counter,
              "Sessions and keys asked for, by outcome.");
  for (std::size_t i = 0; i < kEvents; ++i) {
    text.sample({{"outcome", std::string(kEventNames[i])}}, counts_[i].load());
  }
  text.family("superprotocol_broker_evidence_holds_until_seconds", net::MetricsText::Type::gauge,
              "Unix time until which the newest evidence of a kind verifies with its collateral, "
              "and what ends first.");
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < kKinds; ++i) {
    if (!ends_[i] || ends_[i]->until < 0) continue;
    text.sample({{"kind", std::string(attest::kind_name(static_cast<attest::EvidenceKind>(i)))},
                 {"piece", ends_[i]->piece}},
                static_cast<std::uint64_t>(ends_[i]->until));
  }
  return text.text();
}

}  // namespace sp::broker
