// Evidence and collateral in every form in which people have them, and the project's own forms of
// both. What is read has one encoding of ours, and is of the kind that was asked for.
#include "attest/inputs.hpp"

#include "attest/dev.hpp"
#include "base/testing/fuzz_input.hpp"

namespace sp::attest {
namespace {

void check_dev(ByteView bytes) {
  const auto report = DevReport::decode_unverified(bytes);
  if (report) SP_CHECK(std::ranges::equal(report->encode(), bytes));
}

void check_evidence(ByteView bytes) {
  const auto evidence = read_evidence(bytes, std::nullopt);
  if (!evidence) return;
  SP_CHECK(evidence->kind != EvidenceKind::none);
  SP_CHECK(evidence->body.size() <= kEvidenceBodyMax);
  SP_CHECK(Evidence::decode(evidence->encode()).value() == *evidence);
  SP_CHECK(read_evidence(bytes, evidence->kind).value() == *evidence);
  SP_CHECK(read_evidence(evidence->encode(), evidence->kind).value() == *evidence);
}

void check_collateral(ByteView bytes) {
  auto collateral = read_collateral(bytes);
  if (!collateral || collateral->encode().size() > kCollateralMax) return;
  SP_CHECK(Collateral::decode(collateral->encode()).value() == *collateral);
  const Collateral once = *collateral;
  SP_CHECK(add_collateral(*collateral, once).ok() && *collateral == once);
}

}  // namespace
}  // namespace sp::attest

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::attest;
  const sp::ByteView bytes(data, size);
  sp::testing::check_one_encoding<Evidence>(bytes);
  sp::testing::check_one_encoding<OrderSession>(bytes);
  sp::testing::check_one_encoding<Collateral>(bytes);
  check_dev(bytes);
  check_evidence(bytes);
  check_collateral(bytes);
  return 0;
}
