// TCG crypto-agile event logs ("PC Client Platform Firmware Profile" revision 1.06 section 10.2;
// for CC logs UEFI 2.10 section 38.4.1): a first event in the old format that names the algorithms,
// then events with a digest in each of them. Numbers are little-endian.
#include <map>

#include "attest/little_endian.hpp"
#include "attest/tpm.hpp"
#include "crypto/hash.hpp"

namespace sp::attest {
namespace {

constexpr std::uint16_t kSha256 = 0x000b;
constexpr std::uint16_t kSha384 = 0x000c;
constexpr std::uint32_t kNoAction = 3;  // EV_NO_ACTION: told, not measured
constexpr std::size_t kSha1Size = 20;
constexpr std::size_t kSpecSignatureSize = 16;
constexpr std::string_view kSpecSignature("Spec ID Event03\0", kSpecSignatureSize);
constexpr std::string_view kLocalitySignature("StartupLocality\0", 16);
constexpr std::size_t kAlgorithmsMax = 8;
constexpr std::size_t kDigestSizeMax = 64;
constexpr std::size_t kEventsMax = 16 * 1024;
constexpr std::uint32_t kRegisterMax = 31;
constexpr std::size_t kRtmrCount = 4;
constexpr std::size_t kDynamicFirst = 17, kDynamicLast = 22;  // PCRs that start as ff...ff

using Algorithms = std::map<std::uint16_t, std::size_t>;  // digest sizes

Error malformed(std::string_view what) {
  return {Errc::malformed, "event log: " + std::string(what)};
}

// The first event: TCG_PCClientPCREvent around a TCG_EfiSpecIDEvent.
Result<Algorithms> read_head(LittleReader& reader) {
  const std::uint32_t index = reader.u32();
  const std::uint32_t type = reader.u32();
  reader.raw(kSha1Size);
  LittleReader spec(reader.raw(reader.u32()));
  SP_TRY(reader.status());
  // PCR 0; in CC logs RTMR 0, which is register 1.
  if (index > 1 || type != kNoAction || as_text(spec.raw(kSpecSignatureSize)) != kSpecSignature) {
    return Error{Errc::unsupported, "event log: it isn't a crypto-agile one (Spec ID Event03)"};
  }
  spec.u32();  // platform class
  spec.u32();  // version, errata, size of UINTN
  const std::uint32_t count = spec.u32();
  if (count < 1 || count > kAlgorithmsMax) return malformed("no or too many algorithms");
  Algorithms algorithms;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint16_t id = spec.u16();
    const std::uint16_t size = spec.u16();
    const bool wrong = (id == kSha256 && size != Digest32::kSize) ||
                       (id == kSha384 && size != Digest48::kSize) || size > kDigestSizeMax;
    if (wrong || !algorithms.emplace(id, size).second) return malformed("a wrong algorithm");
  }
  spec.raw(spec.u8());  // the vendor's
  SP_TRY(spec.status());
  if (spec.remaining() != 0) return malformed("bytes left over in its first event");
  return algorithms;
}

// Whether nothing but filler is left: firmware hands over the whole area that it set aside.
bool at_end(ByteView rest) {
  if (rest.empty()) return true;
  if (rest[0] != 0x00 && rest[0] != 0xff) return false;
  return std::all_of(rest.begin(), rest.end(), [&](std::uint8_t byte) { return byte == rest[0]; });
}

Result<LogEvent> read_event(LittleReader& reader, const Algorithms& algorithms,
                            std::uint16_t algorithm) {
  LogEvent event;
  event.register_index = reader.u32();
  event.type = reader.u32();
  const std::uint32_t count = reader.u32();
  if (count != algorithms.size()) return malformed("an event without a digest of each algorithm");
  std::uint16_t before = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint16_t id = reader.u16();
    const auto known = algorithms.find(id);
    if (known == algorithms.end() || (i > 0 && id == before)) {
      return malformed("a digest of an unknown algorithm");
    }
    before = id;
    const ByteView digest = reader.raw(known->second);
    if (id == algorithm) event.digest = to_bytes(digest);
  }
  event.data = to_bytes(reader.raw(reader.u32()));
  SP_TRY(reader.status());
  if (event.register_index > kRegisterMax) return malformed("an event of an unknown register");
  if (event.digest.empty()) return malformed("an event without a digest of each algorithm");
  return event;
}

Bytes extend(ByteView value, ByteView digest) {
  Bytes both = to_bytes(value);
  append(both, digest);
  return value.size() == Digest48::kSize ? to_bytes(crypto::sha384(both).view())
                                         : to_bytes(crypto::sha256(both).view());
}

// The locality that the TPM was started from, where an event of PCR 0 tells it.
std::optional<std::uint8_t> startup_locality(const LogEvent& event) {
  const bool is_one = event.type == kNoAction && event.register_index == 0 &&
                      event.data.size() == kLocalitySignature.size() + 1 &&
                      as_text(event.data).starts_with(kLocalitySignature);
  if (!is_one) return std::nullopt;
  return event.data.back();
}

}  // namespace

Result<EventLog> parse_event_log(ByteView log, std::uint16_t algorithm) {
  if (log.size() > kEventLogSizeMax) {
    return Error{Errc::too_large, "event log of " + std::to_string(log.size()) +
                                      " bytes, at most " + std::to_string(kEventLogSizeMax)};
  }
  LittleReader reader(log);
  SP_ASSIGN(const Algorithms algorithms, read_head(reader));
  if (!algorithms.contains(algorithm)) {
    return Error{Errc::unsupported, "event log: no digests of the asked algorithm"};
  }
  EventLog events;
  while (!at_end(reader.rest())) {
    if (events.events.size() == kEventsMax) {
      return Error{Errc::too_large, "event log: over " + std::to_string(kEventsMax) + " events"};
    }
    SP_ASSIGN(LogEvent event, read_event(reader, algorithms, algorithm));
    events.events.push_back(std::move(event));
  }
  return events;
}

Result<std::vector<Digest48>> replay_rtmrs(ByteView ccel) {
  SP_ASSIGN(const EventLog log, parse_event_log(ccel, kSha384));
  std::vector<Digest48> registers(kRtmrCount);
  for (const LogEvent& event : log.events) {
    if (event.type == kNoAction) continue;
    // Register 0 is MRTD, which nothing extends (UEFI 2.10 section 38.4.1).
    if (event.register_index < 1 || event.register_index > kRtmrCount) {
      return malformed("an event of a register that a TD doesn't have");
    }
    Digest48& value = registers[event.register_index - 1];
    SP_ASSIGN(value, Digest48::from(extend(value.view(), event.digest)));
  }
  return registers;
}

Result<std::vector<Digest32>> replay_pcrs(ByteView log) {
  SP_ASSIGN(const EventLog parsed, parse_event_log(log, kSha256));
  std::vector<Digest32> pcrs(kPcrCount);
  for (std::size_t i = kDynamicFirst; i <= kDynamicLast; ++i) pcrs[i].data.fill(0xff);
  bool extended = false;
  for (const LogEvent& event : parsed.events) {
    if (const auto locality = startup_locality(event)) {
      if (extended) return malformed("the startup locality told after a measurement");
      pcrs[0].data.back() = *locality;
    }
    if (event.type == kNoAction) continue;
    if (event.register_index >= kPcrCount) return malformed("an event of an unknown PCR");
    extended = extended || event.register_index == 0;
    Digest32& value = pcrs[event.register_index];
    SP_ASSIGN(value, Digest32::from(extend(value.view(), event.digest)));
  }
  return pcrs;
}

}  // namespace sp::attest
