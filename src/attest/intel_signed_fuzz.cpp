// TDX and SGX evidence of a vendor of our own, spoiled before it is signed: certificates, lists,
// TCB info, QE identity and quote are signed anew over what the input changed, so that what lies
// behind the signatures is reached. What is accepted says what was signed.
#include "attest/intel.hpp"
#include "attest/testing/vendors.hpp"
#include "base/testing/fuzz_json.hpp"

namespace sp::attest {
namespace {

using sp::testing::FuzzInput;
using testing::IntelRecipe;
using testing::IntelVendor;

constexpr std::size_t kQeReportSize = 384;

constexpr std::array<const char*, 6> kWords{
    "UpToDate", "OutOfDate", "Revoked", "TDX", "2025-06-22T00:00:00Z", "TDX_01"};

void spoil(FuzzInput& input, IntelRecipe& recipe) {
  for (int changes = input.byte() % 4; changes > 0; --changes) {
    switch (input.byte() % 9) {
      case 0:
      case 1:
        spoil_json(input, recipe.tcb_info, kWords);
        break;
      case 2:
        spoil_json(input, recipe.qe_identity, kWords);
        break;
      case 3:
        recipe.body = input.spoiled(std::move(recipe.body));
        break;
      case 4:
        // Of its own size: the hash of the attestation key goes into it afterwards.
        recipe.qe_report = input.spoiled(std::move(recipe.qe_report));
        recipe.qe_report.resize(kQeReportSize);
        break;
      case 5:
        recipe.sgx_extension = input.spoiled(testing::sgx_extension(recipe.pck));
        break;
      case 6:
        recipe.qe_auth_data = to_bytes(input.bytes(100));
        break;
      case 7:
        recipe.certification_type = input.byte() % 8;
        break;
      default:
        recipe.inner_certification_type = input.byte() % 8;
    }
  }
}

}  // namespace
}  // namespace sp::attest

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::attest;
  sp::testing::FuzzInput input({data, size});
  testing::IntelOptions options;
  const bool sgx = input.byte() % 4 == 0;
  options.version = input.flag() ? 4 : 5;
  options.measurement.data[0] = 0x5a;
  const ReportData report_data{.data = {0x17}};
  IntelRecipe recipe = sgx ? testing::intel().sgx_recipe(report_data, options)
                           : testing::intel().tdx_recipe(report_data, options);
  const bool whole = input.empty();
  spoil(input, recipe);
  const sp::Bytes quote = input.spoiled(testing::intel().quote(recipe));
  const EvidenceKind kind = sgx ? EvidenceKind::sgx : EvidenceKind::tdx;
  const auto claims = verify_intel(kind, quote, IntelVendor::collateral(recipe),
                                   testing::intel().anchors(), testing::kIntelNow);
  SP_CHECK(claims.ok() || !whole);
  if (claims) SP_CHECK(claims->kind == kind);
  static_cast<void>(show_intel(kind, quote, testing::intel().anchors(), testing::kIntelNow));
  return 0;
}
