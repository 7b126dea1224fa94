// TPM evidence of a confidential VM of our own, spoilt before it is signed or behind that: hardware
// report and quote are signed anew over what the input changed, so that what lies behind the
// signatures is reached. What is accepted says what was signed.
#include "attest/azure_hcl.hpp"
#include "attest/testing/tpm_vendor.hpp"
#include "attest/testing/vendors.hpp"
#include "attest/tpm_quote.hpp"
#include "base/testing/fuzz_json.hpp"

namespace sp::attest {
namespace {

using sp::testing::FuzzInput;
using testing::TpmOptions;
using testing::TpmVendor;

constexpr std::array<const char*, 4> kWords{"HCLAkPub", "RSA", "sign", "AQAB"};

void spoil(FuzzInput& input, TpmEvidence& evidence) {
  const auto change = [&](Bytes& bytes) { bytes = input.spoiled(std::move(bytes)); };
  const std::size_t what = input.below(4);
  if (what == 0) change(evidence.hcl_report);
  if (what == 1) change(evidence.signature);
  if (what == 2) evidence.pcrs[input.below(kPcrCount)].reset();
  if (what == 3) evidence.pcrs[input.below(kPcrCount)] = input.fixed<Digest32>();
}

void spoil(FuzzInput& input, TpmOptions& options) {
  options.pcrs = input.flag();
  const std::size_t what = input.byte() % 5;
  if (what == 1) {
    options.change_runtime = [&](std::string& runtime) {
      Json json = parse_json(runtime, kHclReportSizeMax).value();
      spoil_json(input, json, kWords);
      runtime = sp::testing::json_text(json);
    };
  }
  if (what == 2) options.change_quote = [&](Bytes& quote) { quote = input.spoiled(quote); };
  if (what == 3) {
    options.pcrs = true;
    options.change_evidence = [&](TpmEvidence& evidence) { spoil(input, evidence); };
  }
  if (what == 4) {
    options.snp.change_report = [&](MutableByteView report) {
      report[input.number<std::uint16_t>() % report.size()] ^= input.byte();
    };
  }
}

}  // namespace
}  // namespace sp::attest

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::attest;
  static const TpmVendor vendor(testing::amd());
  sp::testing::FuzzInput input({data, size});
  const bool whole = input.empty();
  const ReportData report_data{.data = {0x17}};
  TpmOptions options;
  spoil(input, options);
  const TpmEvidence made = vendor.evidence(report_data, options);
  const sp::Bytes body = input.spoiled(made.encode());
  const auto claims = verify_tpm(body, testing::amd().collateral(options.snp),
                                 testing::amd().anchors(), testing::kVendorNow);
  SP_CHECK(claims.ok() || !whole);
  static_cast<void>(show_tpm(body));
  if (!claims) return 0;
  SP_CHECK(claims->kind == EvidenceKind::tpm && claims->vendor == Vendor::amd);
  SP_CHECK(options.change_quote || claims->report_data == report_data);
  SP_CHECK(claims->pcrs.empty() || options.change_quote || claims->pcrs == TpmVendor::pcrs());
  const TpmEvidence read = TpmEvidence::decode(body).value();
  SP_CHECK(read.quote == made.quote && parse_tpm_quote(read.quote).ok());
  return 0;
}
