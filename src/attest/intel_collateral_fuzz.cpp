// Intel collateral: whole, with its own root as the anchor, and each piece for itself. The first
// byte says what the rest is.
#include "attest/intel.hpp"
#include "attest/intel_pck.hpp"
#include "attest/intel_tcb.hpp"
#include "crypto/crl.hpp"
#include "crypto/hash.hpp"

namespace sp::attest {
namespace {

constexpr std::int64_t kNow = 1'750'550'400;

void verify_whole(ByteView bytes) {
  const auto collateral = Collateral::decode(bytes);
  if (!collateral) return;
  SP_CHECK(collateral->encode() == to_bytes(bytes));
  Anchors anchors;
  const auto chain =
      crypto::Certificate::from_pem(as_text(collateral->get(PieceKind::intel_pck_crl_chain)));
  if (chain) anchors.intel = {crypto::sha384(chain->back().public_key_info())};
  const auto verified = IntelCollateral::verify(*collateral, anchors, kNow);
  if (verified) SP_CHECK(!verify_intel(EvidenceKind::tdx, bytes, *verified, kNow).ok());
}

void read_crl(ByteView bytes) {
  const auto crl = crypto::Crl::from_der(bytes);
  if (!crl) return;
  static_cast<void>(crl->issuer());
  SP_CHECK(!crl->contains({}) && crl->this_update() <= crl->next_update());
}

}  // namespace
}  // namespace sp::attest

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::attest;  // NOLINT(google-build-using-namespace)
  if (size == 0) return 0;
  const sp::ByteView rest(data + 1, size - 1);
  switch (data[0]) {
    case 0:
      verify_whole(rest);
      break;
    case 1: {
      const auto info = intel::read_tcb_info(sp::as_text(rest));
      if (info) SP_CHECK(!info->levels.empty());
      break;
    }
    case 2: {
      const auto identity = intel::read_qe_identity(sp::as_text(rest));
      if (identity) SP_CHECK(!identity->levels.empty());
      break;
    }
    case 3:
      read_crl(rest);
      break;
    case 4:
      static_cast<void>(intel::read_pck_facts(rest));
      break;
    default:
      static_cast<void>(intel_collateral_from_json(sp::as_text(rest)));
  }
  return 0;
}
