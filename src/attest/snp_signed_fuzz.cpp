// SEV-SNP evidence of a vendor of our own, spoiled before it is signed: report, certificates and
// revocation list are signed anew over what the input changed, so that what lies behind the
// signatures is reached. What is accepted says what was signed.
#include <nlohmann/json.hpp>

#include "attest/snp.hpp"
#include "attest/testing/vendors.hpp"
#include "crypto/testing/spoiled_recipes.hpp"

namespace sp::attest {
namespace {

using sp::testing::FuzzInput;
using testing::SnpOptions;

SnpTcbParts versions(FuzzInput& input) {
  SnpTcbParts parts;
  parts.fmc = input.byte();
  parts.bootloader = input.byte();
  parts.tee = input.byte();
  parts.snp = input.byte();
  parts.microcode = input.byte();
  return parts;
}

// Of the size that it had: its signature stands at its end.
void spoil(FuzzInput& input, MutableByteView report) {
  Bytes changed = input.spoiled(Bytes(report.begin(), report.end()));
  changed.resize(report.size());
  std::ranges::copy(changed, report.begin());
}

void spoil(FuzzInput& input, SnpOptions& options) {
  if (input.flag()) options.committed = versions(input);
  options.masked_chip_id = input.byte() % 8 == 1;
  options.crl = input.byte() % 4 != 1;
  const std::size_t what = input.byte() % 6;
  if (what == 1) options.change_report = [&](MutableByteView report) { spoil(input, report); };
  const auto change = [&](auto& recipe) { crypto::testing::spoil(input, recipe); };
  if (what == 2) options.change_chip = change;
  if (what == 3) options.change_intermediate = change;
  if (what == 4) options.change_root = change;
  if (what == 5) options.change_crl = change;
}

}  // namespace
}  // namespace sp::attest

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::attest;
  sp::testing::FuzzInput input({data, size});
  const bool whole = input.empty();
  const ReportData report_data{.data = {0x17}};
  SnpOptions options;
  options.version = 2 + input.byte() % 4;
  options.family = input.one_of(std::array{SnpFamily::genoa, SnpFamily::milan, SnpFamily::turin});
  options.key = input.byte() % 4 == 1 ? SnpKey::vlek : SnpKey::vcek;
  if (whole) options.version = 3;
  spoil(input, options);
  const Evidence evidence = testing::amd().snp(report_data, options);
  const auto collateral = Collateral::decode(evidence.collateral);
  SP_CHECK(collateral.ok());
  const sp::Bytes report = input.spoiled(evidence.body);
  const auto claims =
      verify_snp(report, *collateral, testing::amd().anchors(), testing::kVendorNow);
  SP_CHECK(claims.ok() || !whole);
  if (claims) {
    SP_CHECK(claims->kind == EvidenceKind::sev_snp);
    SP_CHECK(report.size() == kSnpReportSize && snp_signature(report).size() == 96);
  }
  static_cast<void>(show_snp(report));
  return 0;
}
