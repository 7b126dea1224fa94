// Every byte of every recorded sample, changed one at a time: what is still accepted is exactly
// testdata/accepted_flips.json, in which each entry has its reason, and never says anything else.
//
// A test run tries a sample of the bytes and the edges of every entry; SP_FLIPS=all tries all of
// them, under every mask. SP_FLIPS_FOUND names a file that then gets what was found, as a list.
#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "attest/intel.hpp"
#include "attest/snp.hpp"
#include "attest/testing/recorded.hpp"
#include "attest/tpm.hpp"
#include "attest/verdict.hpp"
#include "base/json.hpp"

namespace sp::attest {
namespace {

using testing::day;
using testing::recorded;

// A bit at either end, all bits; 03 and 20 turn what may stand in place of each other in texts and
// small numbers: line break and blank, 1 and 2, capital and small letters.
constexpr std::array<std::uint8_t, 5> kMasks = {0x01, 0x03, 0x20, 0x80, 0xff};
constexpr std::size_t kSampleStep = 11;      // no divisor of 65, the length of a line of PEM
constexpr std::uint8_t kBlankBit = 1U << 1;  // of the mask 03
constexpr std::size_t kListSizeMax = 1024 * 1024;
constexpr std::size_t kShownMax = 20;
constexpr const char* kList = SP_TEST_SOURCE_DIR "/src/attest/testdata/accepted_flips.json";

// ---- The samples ----

struct Sample {
  std::string name;
  Evidence evidence;
  std::int64_t now = 0;
};

std::optional<Sample> snp_sample(const std::string& name, const char* when) {
  const auto report = recorded("snp/" + name + "/report.bin");
  const auto chip = recorded("snp/" + name + "/vcek.der");
  const auto chain = recorded("snp/milan-ask-ark.pem");
  if (!report || !chip || !chain) return std::nullopt;
  Collateral collateral = collateral_from_amd_certificates(*chain).value();
  collateral.pieces[PieceKind::amd_chip_certificate] = *chip;
  return Sample{"snp/" + name, {EvidenceKind::sev_snp, *report, collateral.encode()}, day(when)};
}

std::optional<Sample> intel_sample(const std::string& name, EvidenceKind kind) {
  const auto quote = recorded(name + "/quote.bin");
  const auto json = recorded(name + "/collateral.json");
  if (!quote || !json) return std::nullopt;
  const Collateral collateral = intel_collateral_from_json(as_text(*json)).value();
  const std::int64_t now = from_rfc3339("2025-06-22T06:13:20Z").value();
  return Sample{name, {kind, *quote, collateral.encode()}, now};
}

std::optional<Sample> azure_v0_sample() {
  const auto hcl = recorded("tpm/azure-snp-v0/hcl-report.bin");
  const auto quote = recorded("tpm/azure-snp-v0/quote.bin");
  const auto chain = recorded("tpm/azure-snp-v0/vcek-and-chain.pem");
  if (!hcl || !quote || !chain) return std::nullopt;
  TpmEvidence evidence = azure_quote_from_v0(*quote).value();
  evidence.hcl_report = *hcl;
  const Collateral collateral = collateral_from_amd_certificates(*chain).value();
  return Sample{"tpm/azure-snp-v0",
                {EvidenceKind::tpm, evidence.encode(), collateral.encode()},
                day("2024-01-01")};
}

std::optional<Sample> azure_v1_sample() {
  const auto json = recorded("tpm/azure-snp-v1/evidence.json");
  if (!json) return std::nullopt;
  const AzureEvidence azure = azure_evidence_from_json(as_text(*json)).value();
  return Sample{"tpm/azure-snp-v1",
                {EvidenceKind::tpm, azure.evidence.encode(), azure.collateral.encode()},
                day("2025-06-01")};
}

// All samples; empty where one is absent.
std::vector<Sample> read_samples() {
  std::vector<Sample> samples;
  for (auto sample :
       {snp_sample("milan-a", "2023-01-01"), snp_sample("milan-b", "2023-06-01"),
        intel_sample("sgx", EvidenceKind::sgx), intel_sample("tdx/v4-a", EvidenceKind::tdx),
        azure_v0_sample(), azure_v1_sample()}) {
    if (!sample) return {};
    samples.push_back(std::move(*sample));
  }
  return samples;
}

// ---- Their parts ----

// For each byte, a bit for each mask.
using MaskBits = std::vector<std::uint8_t>;

// The body of a sample, a piece of its collateral, or what frames the pieces.
struct Part {
  std::size_t sample = 0;
  std::string name;
  Bytes Evidence::*bytes = nullptr;
  std::vector<std::size_t> places;  ///< where byte i of the part is in `bytes`
  MaskBits expected, planned, found, changed;
};

std::vector<std::size_t> places(std::size_t from, std::size_t count) {
  std::vector<std::size_t> all(count);
  for (std::size_t i = 0; i < count; ++i) all[i] = from + i;
  return all;
}

// The encoding of collateral: a head of 8 bytes; before each piece its kind and size, 5 bytes.
std::vector<Part> parts_of(std::size_t index, const Sample& sample) {
  constexpr std::size_t kHead = 8;
  constexpr std::size_t kPieceHead = 5;
  std::vector<Part> parts{
      {index, "body", &Evidence::body, places(0, sample.evidence.body.size()), {}, {}, {}, {}}};
  Part framing{index, "framing", &Evidence::collateral, places(0, kHead), {}, {}, {}, {}};
  std::size_t at = kHead;
  const Collateral collateral = Collateral::decode(sample.evidence.collateral).value();
  for (const auto& [kind, bytes] : collateral.pieces) {
    const auto head = places(at, kPieceHead);
    framing.places.insert(framing.places.end(), head.begin(), head.end());
    at += kPieceHead;
    parts.push_back({index,
                     std::string(piece_name(kind)),
                     &Evidence::collateral,
                     places(at, bytes.size()),
                     {},
                     {},
                     {},
                     {}});
    at += bytes.size();
  }
  EXPECT_EQ(at, sample.evidence.collateral.size());
  parts.push_back(std::move(framing));
  for (Part& part : parts) {
    for (MaskBits* bits : {&part.expected, &part.planned, &part.found, &part.changed}) {
      bits->assign(part.places.size(), 0);
    }
  }
  return parts;
}

// ---- The list ----

std::size_t number(std::string_view text) {
  std::size_t value = 0;
  for (const char digit : text) value = value * 10 + static_cast<std::size_t>(digit - '0');
  return value;
}

std::uint8_t bits_of(const Json& masks) {
  std::uint8_t bits = 0;
  for (std::size_t i = 0; i < kMasks.size(); ++i) {
    const std::string name = to_hex(ByteView(&kMasks[i], 1));
    if (std::find(masks.begin(), masks.end(), name) != masks.end()) bits |= 1U << i;
  }
  return bits;
}

// "12 40-57": the bytes of an entry.
void expect_at(std::string_view ranges, std::uint8_t bits, Part& part) {
  while (!ranges.empty()) {
    const std::string_view range = ranges.substr(0, ranges.find(' '));
    ranges.remove_prefix(std::min(ranges.size(), range.size() + 1));
    const std::size_t dash = range.find('-');
    const std::size_t first = number(range.substr(0, dash));
    const std::size_t last = dash == range.npos ? first : number(range.substr(dash + 1));
    for (std::size_t i = first; i <= last && i < part.expected.size(); ++i) {
      part.expected[i] |= bits;
    }
    EXPECT_LT(last, part.expected.size()) << part.name;
  }
}

void read_list(const std::vector<Sample>& samples, std::vector<Part>& parts) {
  std::ifstream file(kList);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto list = parse_json(text, kListSizeMax);
  ASSERT_TRUE(list.ok()) << kList << ": " << list.error().message;
  for (const Json& entry : *list) {
    EXPECT_FALSE(entry.at("why").get<std::string>().empty());
    const auto part = std::find_if(parts.begin(), parts.end(), [&](const Part& one) {
      return samples[one.sample].name == entry.at("sample") && one.name == entry.at("part");
    });
    ASSERT_NE(part, parts.end()) << entry.dump();
    expect_at(entry.at("at").get<std::string>(), bits_of(entry.at("masks")), *part);
  }
}

// What was found, in the form of the list, without reasons.
Json as_list(const std::vector<Sample>& samples, const std::vector<Part>& parts) {
  Json list = Json::array();
  for (const Part& part : parts) {
    std::map<std::uint8_t, std::string> ranges;
    for (std::size_t first = 0, next = 0; first < part.found.size(); first = next) {
      const std::uint8_t bits = part.found[first];
      for (next = first; next < part.found.size() && part.found[next] == bits;) ++next;
      if (bits == 0) continue;
      std::string& text = ranges[bits];
      text += (text.empty() ? "" : " ") + std::to_string(first);
      if (next > first + 1) text += "-" + std::to_string(next - 1);
    }
    for (const auto& [bits, at] : ranges) {
      Json masks = Json::array();
      for (std::size_t i = 0; i < kMasks.size(); ++i) {
        if ((bits >> i & 1U) != 0) masks.push_back(to_hex(ByteView(&kMasks[i], 1)));
      }
      list.push_back({{"sample", samples[part.sample].name},
                      {"part", part.name},
                      {"masks", masks},
                      {"at", at},
                      {"why", ""}});
    }
  }
  return list;
}

// ---- What is tried ----

void plan_all(Part& part) {
  std::fill(part.planned.begin(), part.planned.end(), (1U << kMasks.size()) - 1);
}

// Every kSampleStep-th byte under the mask that turns line breaks into blanks and one other in
// turn; the edges of every range of the list, from both sides, under one of its masks.
void plan_sample(Part& part) {
  for (std::size_t i = 0; i < part.planned.size(); i += kSampleStep) {
    part.planned[i] |= kBlankBit | 1U << (i / kSampleStep % kMasks.size());
  }
  for (std::size_t i = 0; i + 1 < part.planned.size(); ++i) {
    const std::uint8_t here = part.expected[i], next = part.expected[i + 1];
    if (here == next) continue;
    const unsigned differing = here ^ next;
    const auto mask = static_cast<std::uint8_t>(differing & ~(differing - 1));
    part.planned[i] |= mask;
    part.planned[i + 1] |= mask;
  }
}

struct Flip {
  Part* part;
  std::size_t byte, mask;
};

std::vector<Flip> flips_of(std::vector<Part>& parts) {
  std::vector<Flip> flips;
  for (Part& part : parts) {
    for (std::size_t i = 0; i < part.planned.size(); ++i) {
      for (std::size_t mask = 0; mask < kMasks.size(); ++mask) {
        if ((part.planned[i] >> mask & 1U) != 0) flips.push_back({&part, i, mask});
      }
    }
  }
  return flips;
}

// What verify() said of a flip.
struct Outcome {
  bool accepted = false, changed = false;
};

// Tries flips until none is left; each has an outcome of its own.
void try_flips(std::vector<Sample> samples, const std::vector<std::string>& verdicts,
               const std::vector<Flip>& flips, std::atomic<std::size_t>& next,
               std::vector<Outcome>& outcomes) {
  for (std::size_t i = next++; i < flips.size(); i = next++) {
    const Flip& flip = flips[i];
    Sample& sample = samples[flip.part->sample];
    std::uint8_t& byte = (sample.evidence.*flip.part->bytes)[flip.part->places[flip.byte]];
    byte ^= kMasks[flip.mask];
    const auto verdict = verify(sample.evidence, sample.now);
    byte ^= kMasks[flip.mask];
    if (!verdict) continue;
    outcomes[i] = {true, verdict->to_json().dump() != verdicts[flip.part->sample]};
  }
}

void run(const std::vector<Sample>& samples, const std::vector<Flip>& flips) {
  std::vector<std::string> verdicts;
  for (const Sample& sample : samples) {
    const auto verdict = verify(sample.evidence, sample.now);
    ASSERT_TRUE(verdict.ok()) << sample.name << ": " << verdict.error().message;
    verdicts.push_back(verdict->to_json().dump());
  }
  std::atomic<std::size_t> next = 0;
  std::vector<Outcome> outcomes(flips.size());
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) {
    threads.emplace_back([&] { try_flips(samples, verdicts, flips, next, outcomes); });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < flips.size(); ++i) {
    const Flip& flip = flips[i];
    if (outcomes[i].accepted) flip.part->found[flip.byte] |= 1U << flip.mask;
    if (outcomes[i].changed) flip.part->changed[flip.byte] |= 1U << flip.mask;
  }
}

// ---- What came out ----

void expect_list(const std::vector<Sample>& samples, const std::vector<Part>& parts) {
  std::vector<std::string> wrong;
  for (const Part& part : parts) {
    for (std::size_t i = 0; i < part.found.size(); ++i) {
      const unsigned surplus = part.found[i] & ~part.expected[i];
      const unsigned missing = part.expected[i] & part.planned[i] & ~part.found[i];
      const std::string where = samples[part.sample].name + " " + part.name + " byte " +
                                std::to_string(i) + " under mask bits ";
      if (surplus != 0) wrong.push_back(where + std::to_string(surplus) + " is accepted");
      if (missing != 0) wrong.push_back(where + std::to_string(missing) + " is refused");
      if (part.changed[i] != 0) {
        wrong.push_back(where + std::to_string(part.changed[i]) + " changes the verdict");
      }
    }
  }
  for (std::size_t i = 0; i < std::min(wrong.size(), kShownMax); ++i) ADD_FAILURE() << wrong[i];
  EXPECT_TRUE(wrong.empty()) << wrong.size() << " flips are not as the list says";
}

bool asked_for_all() {
  const char* which = std::getenv("SP_FLIPS");
  return which != nullptr && std::string_view(which) == "all";
}

void write_found(const std::vector<Sample>& samples, const std::vector<Part>& parts) {
  const char* path = std::getenv("SP_FLIPS_FOUND");
  if (path == nullptr) return;
  std::ofstream(path) << as_list(samples, parts).dump(1) << "\n";
}

TEST(Flips, WhatIsStillAcceptedIsTheList) {
  const std::vector<Sample> samples = read_samples();
  if (samples.empty()) GTEST_SKIP() << "no recorded evidence: no byte of it is changed";
  std::vector<Part> parts;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    for (Part& part : parts_of(i, samples[i])) parts.push_back(std::move(part));
  }
  ASSERT_NO_FATAL_FAILURE(read_list(samples, parts));
  for (Part& part : parts) asked_for_all() ? plan_all(part) : plan_sample(part);
  const std::vector<Flip> flips = flips_of(parts);
  ASSERT_NO_FATAL_FAILURE(run(samples, flips));
  write_found(samples, parts);
  std::size_t accepted = 0;
  for (const Part& part : parts) {
    for (const std::uint8_t bits : part.found)
      accepted += static_cast<std::size_t>(std::popcount(bits));
  }
  RecordProperty("flips", std::to_string(flips.size()));
  RecordProperty("accepted", std::to_string(accepted));
  expect_list(samples, parts);
}

}  // namespace
}  // namespace sp::attest
