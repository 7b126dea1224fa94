// AMD's certificate tables and certificate files: what comes out is collateral that encodes.
#include "attest/snp.hpp"
#include "attest/snp_chain.hpp"

namespace sp::attest {
namespace {

void check(const Result<Collateral>& collateral) {
  if (!collateral || collateral->encode().size() > kCollateralMax) return;
  SP_CHECK(Collateral::decode(collateral->encode()).value() == *collateral);
  static_cast<void>(verify_snp_chain(*collateral, Anchors::vendors(), 1'700'000'000));
}

}  // namespace
}  // namespace sp::attest

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sp::ByteView input(data, size);
  sp::attest::check(sp::attest::collateral_from_certificate_table(input));
  sp::attest::check(sp::attest::collateral_from_amd_certificates(input));
  return 0;
}
