// The encoding of evidence of kind tpm (FORMATS.md section 3).
#include "attest/tpm.hpp"
#include "base/codec.hpp"

namespace sp::attest {
namespace {

constexpr std::string_view kMagic = "SPTP";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kTdQuoteMax = 32 * 1024;
constexpr std::size_t kQuoteMax = 1024;
constexpr std::size_t kSignatureMax = 1024;

}  // namespace

Bytes TpmEvidence::encode() const {
  SP_CHECK(pcrs.empty() || pcrs.size() == kPcrCount);
  Writer writer;
  writer.raw(as_bytes(kMagic)).u16(kVersion);
  writer.var(hcl_report).var(td_quote).var(quote).var(signature);
  writer.u16(static_cast<std::uint16_t>(pcrs.size()));
  for (const auto& pcr : pcrs) {
    writer.u8(pcr ? 1 : 0);
    if (pcr) writer.raw(pcr->view());
  }
  return std::move(writer).take();
}

Result<TpmEvidence> TpmEvidence::decode(ByteView bytes) {
  Reader reader(bytes);
  if (as_text(reader.raw(kMagic.size())) != kMagic) {
    reader.fail(Errc::malformed, "not TPM evidence: it doesn't begin with SPTP");
  }
  if (reader.u16() != kVersion) reader.fail(Errc::unsupported, "unknown version of TPM evidence");
  TpmEvidence evidence;
  evidence.hcl_report = to_bytes(reader.var(kHclReportSizeMax));
  evidence.td_quote = to_bytes(reader.var(kTdQuoteMax));
  evidence.quote = to_bytes(reader.var(kQuoteMax));
  evidence.signature = to_bytes(reader.var(kSignatureMax));
  const std::size_t count = reader.count(kPcrCount);
  if (count != 0 && count != kPcrCount) reader.fail(Errc::malformed, "PCRs must be 0 or 24");
  for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
    std::optional<Digest32> pcr;
    if (reader.boolean()) pcr = reader.fixed<Digest32>();
    evidence.pcrs.push_back(pcr);
  }
  SP_TRY(reader.finish());
  return evidence;
}

}  // namespace sp::attest
