// TPM evidence and its parts: the first byte says which part the rest is; everything that reads
// hostile bytes is called with it.
#include <nlohmann/json.hpp>

#include "attest/azure_hcl.hpp"
#include "attest/tpm_quote.hpp"

namespace sp::attest {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;

void check_evidence(ByteView input) {
  const auto evidence = TpmEvidence::decode(input);
  if (evidence) SP_CHECK(evidence->encode() == to_bytes(input));
  static_cast<void>(show_tpm(input));
  SP_CHECK(!verify_tpm(input, {}, Anchors::vendors(), kNow).ok());
}

void check_hcl(ByteView input) {
  const auto hcl = parse_hcl_report(input);
  if (!hcl) return;
  SP_CHECK(hcl->hardware_report.size() == kHclHardwareSize);
  static_cast<void>(parse_hcl_runtime(hcl->runtime_data));
}

void check_quote(ByteView input) {
  const auto quote = parse_tpm_quote(input);
  if (!quote) return;
  static_cast<void>(tpm_quote_json(*quote).dump());
  const std::vector<std::optional<Digest32>> pcrs(kPcrCount, Digest32());
  static_cast<void>(check_tpm_pcrs(*quote, pcrs));
}

void check_signature(ByteView input) {
  Bytes modulus(256, 0xff);
  SP_CHECK(!check_tpm_signature({}, input, {modulus, {1, 0, 1}, {}}).ok());
  SP_CHECK(!check_tpm_signature({}, input, {{}, {}, Bytes(64, 1)}).ok());
}

void check_azure(ByteView input) {
  if (const auto azure = azure_evidence_from_json(as_text(input))) {
    static_cast<void>(azure->evidence.encode());
  }
  if (const auto evidence = azure_quote_from_v0(input)) {
    SP_CHECK(TpmEvidence::decode(evidence->encode()).ok());
  }
}

}  // namespace
}  // namespace sp::attest

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::attest;
  if (size == 0) return 0;
  const sp::ByteView input(data + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      check_evidence(input);
      break;
    case 1:
      check_hcl(input);
      break;
    case 2:
      check_quote(input);
      break;
    case 3:
      check_signature(input);
      break;
    case 4:
      check_azure(input);
      break;
    default:
      static_cast<void>(parse_hcl_runtime(input));
      break;
  }
  return 0;
}
