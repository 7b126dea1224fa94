// Event logs: no more than the input holds comes out, and every log that replays parses.
#include "attest/tpm.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::attest;
  constexpr std::uint16_t kSha256 = 0x000b, kSha384 = 0x000c;
  const sp::ByteView input(data, size);
  bool parsed[2] = {};
  for (const std::uint16_t algorithm : {kSha256, kSha384}) {
    const auto log = parse_event_log(input, algorithm);
    parsed[algorithm - kSha256] = log.ok();
    if (!log) continue;
    std::size_t total = 0;
    for (const LogEvent& event : log->events) {
      SP_CHECK(event.digest.size() == (algorithm == kSha256 ? 32U : 48U));
      total += event.data.size() + event.digest.size();
    }
    SP_CHECK(total <= size);
  }
  SP_CHECK(!replay_pcrs(input).ok() || parsed[0]);
  SP_CHECK(!replay_rtmrs(input).ok() || parsed[1]);
  return 0;
}
