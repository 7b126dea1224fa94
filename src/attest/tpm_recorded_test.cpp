// Confidential VMs of Azure and event logs of real machines.
#include <nlohmann/json.hpp>

#include "attest/check.hpp"
#include "attest/snp.hpp"
#include "attest/testing/recorded.hpp"
#include "attest/tpm.hpp"

namespace sp::attest {
namespace {

constexpr std::size_t kTdRtmrAt = 48 + 328;  // header, then the fields before RTMR 0
constexpr std::size_t kTdReportDataAt = kTdRtmrAt + 4 * Digest48::kSize;
constexpr std::uint16_t kSha384 = 0x000c;

using testing::day;

ReportData challenge() {
  ReportData data;
  const ByteView text = as_bytes("challenge");
  std::copy(text.begin(), text.end(), data.data.begin());
  return data;
}

TEST(TpmRecorded, AzureSnpV1) {
  SP_RECORDED(json, "tpm/azure-snp-v1/evidence.json");
  const auto azure = azure_evidence_from_json(as_text(json));
  ASSERT_TRUE(azure.ok()) << azure.error().message;
  const Bytes body = azure->evidence.encode();
  const auto claims = verify_tpm(body, azure->collateral, Anchors::vendors(), day("2025-06-01"));
  ASSERT_TRUE(claims.ok()) << claims.error().message;
  EXPECT_EQ(claims->kind, EvidenceKind::tpm);
  EXPECT_EQ(claims->vendor, Vendor::amd);
  EXPECT_EQ(claims->report_data, challenge());
  EXPECT_EQ(claims->measurement.hex().substr(0, 8), "6a063be9");
  EXPECT_EQ(to_hex(claims->hardware_id).substr(0, 8), "66a5a7b4");
  EXPECT_EQ(claims->tcb_status, TcbStatus::up_to_date);
  EXPECT_FALSE(claims->debug);
  EXPECT_FALSE(claims->revocation_checked);
  ASSERT_EQ(claims->pcrs.size(), kPcrCount);
  EXPECT_EQ(claims->pcrs[0]->hex().substr(0, 8), "e15c4479");
  EXPECT_EQ(claims->details["hardware"]["family"], "Milan");
  EXPECT_EQ(claims->details["hardware"]["version"], 3);
  EXPECT_EQ(claims->details["runtime"]["vmConfiguration"]["secure-boot"], true);
}

// The evidence was made in 2025: before its chip certificate's time nothing can be said of it.
TEST(TpmRecorded, AzureSnpV1BeforeItsCertificate) {
  SP_RECORDED(json, "tpm/azure-snp-v1/evidence.json");
  const auto azure = azure_evidence_from_json(as_text(json)).value();
  const auto claims =
      verify_tpm(azure.evidence.encode(), azure.collateral, Anchors::vendors(), day("2024-01-01"));
  ASSERT_FALSE(claims.ok());
  EXPECT_TRUE(claims.error().message.starts_with("snp.vcek.dates: "));
}

TEST(TpmRecorded, AzureSnpV0) {
  SP_RECORDED(hcl, "tpm/azure-snp-v0/hcl-report.bin");
  SP_RECORDED(quote, "tpm/azure-snp-v0/quote.bin");
  SP_RECORDED(chain, "tpm/azure-snp-v0/vcek-and-chain.pem");
  const auto collateral = collateral_from_amd_certificates(chain);
  ASSERT_TRUE(collateral.ok()) << collateral.error().message;
  EXPECT_EQ(collateral->pieces.size(), 3U);
  auto evidence = azure_quote_from_v0(quote);
  ASSERT_TRUE(evidence.ok()) << evidence.error().message;
  evidence->hcl_report = hcl;
  const auto claims =
      verify_tpm(evidence->encode(), *collateral, Anchors::vendors(), day("2024-01-01"));
  ASSERT_TRUE(claims.ok()) << claims.error().message;
  EXPECT_EQ(claims->report_data, challenge());
  EXPECT_EQ(claims->measurement.hex().substr(0, 8), "9ac48fca");
  EXPECT_EQ(claims->details["hardware"]["version"], 2);
  // A byte of the runtime data, of the quote or of a PCR more or less, and nothing holds.
  for (Bytes* part : {&evidence->hcl_report, &evidence->quote, &evidence->signature}) {
    (*part)[part->size() / 2] ^= 1;
    EXPECT_FALSE(
        verify_tpm(evidence->encode(), *collateral, Anchors::vendors(), day("2024-01-01")).ok());
    (*part)[part->size() / 2] ^= 1;
  }
}

TEST(TpmRecorded, AzureTdxV0HasNoCollateral) {
  SP_RECORDED(hcl, "tpm/azure-tdx-v0/hcl-report.bin");
  SP_RECORDED(quote, "tpm/azure-tdx-v0/quote.bin");
  SP_RECORDED(td_quote, "tpm/azure-tdx-v0/td-quote.bin");
  auto evidence = azure_quote_from_v0(quote).value();
  evidence.hcl_report = hcl;
  evidence.td_quote = td_quote;
  const auto claims = verify_tpm(evidence.encode(), {}, Anchors::vendors(), day("2024-01-01"));
  ASSERT_FALSE(claims.ok());
  EXPECT_TRUE(claims.error().message.starts_with("intel.")) << claims.error().message;
  const auto shown = show_tpm(evidence.encode());
  ASSERT_TRUE(shown.ok()) << shown.error().message;
  EXPECT_EQ((*shown)["hardwareKind"], "tdx");
  EXPECT_EQ((*shown)["akSignsQuote"], true);
  EXPECT_EQ((*shown)["pcrsMatchQuote"], true);
  EXPECT_EQ((*shown)["reportBindsRuntime"], true);
}

TEST(TpmRecorded, ShowTellsWhatHoldsOfSnp) {
  SP_RECORDED(json, "tpm/azure-snp-v1/evidence.json");
  const auto azure = azure_evidence_from_json(as_text(json)).value();
  const auto shown = show_tpm(azure.evidence.encode());
  ASSERT_TRUE(shown.ok()) << shown.error().message;
  EXPECT_EQ((*shown)["hardwareKind"], "snp");
  EXPECT_EQ((*shown)["akSignsQuote"], true);
  EXPECT_EQ((*shown)["reportBindsRuntime"], true);
  EXPECT_EQ((*shown)["hardware"]["cpuid"]["family"], 0x19);
}

// ---- Event logs ----

TEST(EventLogRecorded, ReplayGivesTheQuotesRtmrs) {
  SP_RECORDED(log, "eventlog/gcp-cos-113/ccel_data.bin");
  SP_RECORDED(quote, "eventlog/gcp-cos-113/quote.bin");
  SP_RECORDED(nonce, "eventlog/gcp-cos-113/nonce.bin");
  const auto registers = replay_rtmrs(log);
  ASSERT_TRUE(registers.ok()) << registers.error().message;
  ASSERT_EQ(registers->size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    const ByteView quoted = ByteView(quote).subspan(kTdRtmrAt + i * Digest48::kSize, 48);
    EXPECT_EQ((*registers)[i].hex(), to_hex(quoted)) << i;
  }
  EXPECT_EQ(to_hex(ByteView(quote).subspan(kTdReportDataAt, 64)), to_hex(nonce));
}

TEST(EventLogRecorded, OvmfParses) {
  SP_RECORDED(log, "eventlog/ovmf/ccel_data.bin");
  const auto events = parse_event_log(log, kSha384);
  ASSERT_TRUE(events.ok()) << events.error().message;
  ASSERT_EQ(events->events.size(), 20U);
  EXPECT_EQ(events->events[0].type, 0x8000000bU);
  EXPECT_EQ(as_text(events->events[19].data), "Exit Boot Services Returned with Success");
}

}  // namespace
}  // namespace sp::attest
