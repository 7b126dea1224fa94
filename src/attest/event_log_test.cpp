// Event logs of a test's own: what is read, replayed and refused.
#include <gtest/gtest.h>

#include "attest/little_endian.hpp"
#include "attest/tpm.hpp"
#include "crypto/hash.hpp"

namespace sp::attest {
namespace {

constexpr std::uint16_t kSha256 = 0x000b;
constexpr std::uint16_t kSha384 = 0x000c;
constexpr std::uint32_t kNoAction = 3;
constexpr std::uint32_t kSeparator = 4;

void number(Bytes& to, std::uint64_t value, std::size_t size) {
  Bytes bytes(size);
  put_little(value, bytes);
  append(to, bytes);
}

void text(Bytes& to, std::string_view value) { append(to, as_bytes(value)); }

Bytes head(const std::vector<std::pair<std::uint16_t, std::uint16_t>>& algorithms) {
  Bytes spec;
  text(spec, std::string_view("Spec ID Event03\0", 16));
  number(spec, 0, 4);
  number(spec, 0x02000200, 4);
  number(spec, algorithms.size(), 4);
  for (const auto& [id, size] : algorithms) {
    number(spec, id, 2);
    number(spec, size, 2);
  }
  number(spec, 0, 1);
  Bytes log;
  number(log, 0, 4);
  number(log, kNoAction, 4);
  log.resize(log.size() + 20);
  number(log, spec.size(), 4);
  append(log, spec);
  return log;
}

Bytes both() { return head({{kSha256, 32}, {kSha384, 48}}); }

// An event of both algorithms whose digests are those of its data.
void event(Bytes& log, std::uint32_t index, std::uint32_t type, std::string_view data) {
  number(log, index, 4);
  number(log, type, 4);
  number(log, 2, 4);
  number(log, kSha256, 2);
  append(log, crypto::sha256(as_bytes(data)).view());
  number(log, kSha384, 2);
  append(log, crypto::sha384(as_bytes(data)).view());
  number(log, data.size(), 4);
  text(log, data);
}

Digest32 extended(const Digest32& value, std::string_view data) {
  return crypto::sha256({value.view(), crypto::sha256(as_bytes(data)).view()});
}

std::string refusal(const Bytes& log, std::uint16_t algorithm = kSha256) {
  const auto parsed = parse_event_log(log, algorithm);
  return parsed ? "" : parsed.error().message;
}

TEST(EventLog, EventsAreReadInTheAskedAlgorithm) {
  Bytes log = both();
  event(log, 7, kSeparator, "seven");
  event(log, 1, kNoAction, "");
  for (const std::uint16_t algorithm : {kSha256, kSha384}) {
    const auto events = parse_event_log(log, algorithm)->events;
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].register_index, 7U);
    EXPECT_EQ(events[0].type, kSeparator);
    EXPECT_EQ(as_text(events[0].data), "seven");
    EXPECT_EQ(events[0].digest.size(), algorithm == kSha256 ? 32U : 48U);
    EXPECT_TRUE(events[1].data.empty());
  }
}

TEST(EventLog, FillerEndsIt) {
  for (const std::uint8_t filler : {std::uint8_t{0x00}, std::uint8_t{0xff}}) {
    Bytes log = both();
    event(log, 1, kSeparator, "one");
    log.resize(log.size() + 100, filler);
    EXPECT_EQ(parse_event_log(log, kSha256)->events.size(), 1U);
    log.push_back(1);
    EXPECT_FALSE(parse_event_log(log, kSha256).ok());
  }
}

TEST(EventLog, PcrsAreReplayed) {
  Bytes log = both();
  event(log, 0, kSeparator, "a");
  event(log, 0, kSeparator, "b");
  event(log, 17, kSeparator, "c");
  event(log, 5, kNoAction, "told only");
  const auto pcrs = replay_pcrs(log).value();
  ASSERT_EQ(pcrs.size(), kPcrCount);
  EXPECT_EQ(pcrs[0], extended(extended({}, "a"), "b"));
  Digest32 ones;
  ones.data.fill(0xff);
  EXPECT_EQ(pcrs[17], extended(ones, "c"));
  EXPECT_EQ(pcrs[18], ones);
  EXPECT_TRUE(pcrs[5].is_zero());
  EXPECT_TRUE(pcrs[23].is_zero());
}

TEST(EventLog, StartupLocalityIsWherePcr0Begins) {
  const std::string_view locality("StartupLocality\0\3", 17);
  Bytes log = both();
  event(log, 0, kNoAction, locality);
  event(log, 0, kSeparator, "a");
  Digest32 start;
  start.data[31] = 3;
  EXPECT_EQ(replay_pcrs(log).value()[0], extended(start, "a"));
  event(log, 0, kNoAction, locality);
  EXPECT_EQ(replay_pcrs(log).error().message,
            "event log: the startup locality told after a measurement");
}

TEST(EventLog, RtmrsAreRegistersOneToFour) {
  Bytes log = both();
  event(log, 1, kSeparator, "a");
  event(log, 4, kSeparator, "b");
  const auto registers = replay_rtmrs(log).value();
  EXPECT_FALSE(registers[0].is_zero());
  EXPECT_TRUE(registers[1].is_zero());
  EXPECT_FALSE(registers[3].is_zero());
  for (const std::uint32_t index : {0U, 5U}) {
    Bytes other = log;
    event(other, index, kSeparator, "c");
    EXPECT_EQ(replay_rtmrs(other).error().message,
              "event log: an event of a register that a TD doesn't have");
  }
  EXPECT_EQ(replay_rtmrs(head({{kSha256, 32}})).error().code, Errc::unsupported);
}

TEST(EventLog, WhatIsNotWellFormedIsRefused) {
  EXPECT_EQ(refusal({}), "truncated");
  EXPECT_EQ(refusal(Bytes(64)), "event log: it isn't a crypto-agile one (Spec ID Event03)");
  EXPECT_EQ(refusal(head({})), "event log: no or too many algorithms");
  EXPECT_EQ(refusal(head({{kSha256, 31}})), "event log: a wrong algorithm");
  EXPECT_EQ(refusal(head({{0x12, 65}})), "event log: a wrong algorithm");
  EXPECT_EQ(refusal(head({{kSha256, 32}, {kSha256, 32}})), "event log: a wrong algorithm");
  EXPECT_EQ(refusal(head({{kSha384, 48}})), "event log: no digests of the asked algorithm");
  EXPECT_EQ(refusal(Bytes(kEventLogSizeMax + 1)), "event log of 1048577 bytes, at most 1048576");
  Bytes log = both();
  const std::size_t at = log.size();
  event(log, 1, kSeparator, "data");
  const auto changed = [&](std::size_t offset, std::uint8_t value) {
    Bytes other = log;
    other[at + offset] = value;
    return refusal(other);
  };
  EXPECT_EQ(changed(0, 32), "event log: an event of an unknown register");
  EXPECT_EQ(changed(8, 1), "event log: an event without a digest of each algorithm");
  EXPECT_EQ(changed(12, 4), "event log: a digest of an unknown algorithm");
  EXPECT_EQ(changed(12 + 34, kSha256), "event log: a digest of an unknown algorithm");
  EXPECT_EQ(changed(12 + 34 + 50, 5), "truncated");
  log.pop_back();
  EXPECT_EQ(refusal(log), "truncated");
}

}  // namespace
}  // namespace sp::attest
