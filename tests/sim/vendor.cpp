#include "sim/vendor.hpp"

namespace sp::sim {
namespace {

using attest::testing::SnpOptions;

constexpr std::int64_t kStep = 10;  // seconds, so that a thousand runs share their lists
constexpr std::int64_t kStepsMax = 12;
constexpr ListFacts kGoodForEver{attest::testing::kVendorUntil, false};

// Made once a program, which is slow.
const attest::testing::AmdVendor& vendor() {
  static Dice dice(11);
  static const attest::testing::AmdVendor made(dice);
  return made;
}

// What comes with a report: all but the list.
const Bytes& certificates() {
  static const Bytes made = [] {
    SnpOptions options;
    options.crl = false;
    return vendor().collateral(options).encode();
  }();
  return made;
}

std::map<ListFacts, Bytes>& known_lists() {
  static std::map<ListFacts, Bytes> lists;
  return lists;
}

const Bytes& list_of(const ListFacts& facts) {
  auto& lists = known_lists();
  const auto found = lists.find(facts);
  if (found != lists.end()) return found->second;
  SnpOptions options;
  options.change_crl = [&](auto& recipe) {
    recipe.next_update = facts.until;
    if (facts.revokes) recipe.revoked = {{{1, 1}, attest::testing::kVendorNow, {}}};
  };
  return lists
      .emplace(facts, to_bytes(vendor().collateral(options).get(attest::PieceKind::amd_crl)))
      .first->second;
}

ListFacts facts_of(const Bytes& list) {
  for (const auto& [facts, bytes] : known_lists()) {
    if (bytes == list) return facts;
  }
  SP_CHECK(false);  // nobody else signs lists
}

}  // namespace

VendorDays VendorDays::draw(Dice& dice, std::int64_t begin, std::int64_t calm) {
  if (dice.chance(400)) return {};
  Trouble trouble;
  // Early: brokers ask for a list again no sooner than collateral::kLifetimeMin after the first.
  const std::int64_t last = std::min((calm - begin) / kStep, kStepsMax);
  const auto steps = [&](std::int64_t most) {
    return kStep * static_cast<std::int64_t>(dice.between(1, static_cast<std::uint64_t>(most)));
  };
  trouble.from = begin + steps(last);
  trouble.to = std::min(trouble.from + steps(2 * kStepsMax), std::max(calm, trouble.from + 1));
  trouble.revokes = dice.chance(300);
  return {trouble};
}

ListFacts VendorDays::at(std::int64_t now) const {
  if (!trouble || now >= trouble->to) return kGoodForEver;
  if (now < trouble->from || !trouble->revokes) return {trouble->from, false};
  return {trouble->to, true};
}

attest::ChipId SnpProver::chip() {
  return attest::chip_id(attest::Vendor::amd, vendor().chip_id(attest::SnpFamily::genoa));
}

prove::ProverIdentity SnpProver::identity() const {
  return {attest::EvidenceKind::sev_snp, attest::Vendor::amd, chip(),
          attest::measurement_digest(attest::EvidenceKind::sev_snp, measurement_)};
}

Result<attest::Evidence> SnpProver::evidence(const attest::ReportData& data) {
  SnpOptions options;
  options.measurement = measurement_;
  return attest::Evidence{attest::EvidenceKind::sev_snp, vendor().report(data, options),
                          certificates()};
}

Result<collateral::Fetched> VendorService::fetch(const collateral::Wanted& wanted,
                                                 const collateral::Validator& /*kept*/) {
  tasks_.sleep(faults_.message_delay());
  if (faults_.happens(faults_.rates.drop)) {
    return Error{Errc::timed_out, "the vendor doesn't answer"};
  }
  if (!std::holds_alternative<collateral::AmdCrl>(wanted)) {
    return Error{Errc::not_found, "the vendor publishes no such thing"};
  }
  const ListFacts facts = days_.at(clock_.unix_seconds());
  trace_.note(tasks_.now(), "vendor gives a list until " + std::to_string(facts.until) +
                                (facts.revokes ? " that revokes" : ""));
  collateral::Fetched fetched;
  fetched.published.body = list_of(facts);
  return fetched;
}

Result<collateral::Published> WatchedSource::get(const collateral::Wanted& wanted) {
  auto published = source_.get(wanted);
  if (published && std::holds_alternative<collateral::AmdCrl>(wanted)) {
    given_[tasks_.current_task()] = facts_of(published->body);
    if (plants_good_) published->body = list_of(kGoodForEver);
  }
  return published;
}

std::optional<ListFacts> WatchedSource::take() {
  const auto found = given_.find(tasks_.current_task());
  if (found == given_.end()) return std::nullopt;
  const ListFacts facts = found->second;
  given_.erase(found);
  return facts;
}

}  // namespace sp::sim
