// SEV-SNP reports: the input is a report, or edits of one that is all zeros but for its version;
// and the input as a chip certificate. Without a good certificate nothing is ever accepted.
#include <nlohmann/json.hpp>

#include "attest/snp.hpp"
#include "attest/snp_chain.hpp"
#include "attest/snp_report.hpp"

namespace sp::attest {
namespace {

constexpr std::size_t kEditSize = 3;  // offset (2 bytes), value

// Version, then edits.
Bytes edited_report(ByteView input) {
  Bytes report(kSnpReportSize);
  if (input.empty()) return report;
  report[0] = input[0] % 8;
  for (std::size_t at = 1; at + kEditSize <= input.size(); at += kEditSize) {
    const std::size_t offset = std::size_t{input[at]} << 8 | input[at + 1];
    report[offset % report.size()] = input[at + 2];
  }
  return report;
}

void check_report(ByteView bytes) {
  const auto report = parse_snp_report(bytes);
  const auto shown = show_snp(bytes);
  SP_CHECK(report.ok() == shown.ok());
  const auto claims = verify_snp(bytes, {}, Anchors::vendors(), 0);
  SP_CHECK(!claims.ok());
  if (!report) return;
  SP_CHECK(snp_signature(bytes).size() == 96);
  SP_CHECK((*shown)["measurement"] == report->measurement.hex());
  static_cast<void>(check_snp_report(*report));
}

}  // namespace
}  // namespace sp::attest

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::attest;
  const sp::ByteView input(data, size);
  check_report(input);
  check_report(edited_report(input));
  if (const auto chip = read_snp_chip(input)) {
    const Collateral collateral{{{PieceKind::amd_chip_certificate, sp::to_bytes(input)}}};
    SP_CHECK(!chip->product.empty());
    static_cast<void>(verify_snp_chain(collateral, Anchors::vendors(), 1'700'000'000));
  }
  return 0;
}
