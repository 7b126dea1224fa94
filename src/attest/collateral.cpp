#include "attest/collateral.hpp"

#include "attest/evidence.hpp"
#include "base/codec.hpp"

namespace sp::attest {
namespace {

constexpr std::string_view kMagic = "SPCO";
constexpr std::uint16_t kVersion = 1;

struct PieceName {
  PieceKind kind;
  std::string_view name;
};
constexpr PieceName kPieceNames[] = {
    {PieceKind::amd_chip_certificate, "amdChipCertificate"},
    {PieceKind::amd_intermediate, "amdIntermediate"},
    {PieceKind::amd_root, "amdRoot"},
    {PieceKind::amd_crl, "amdCrl"},
    {PieceKind::intel_pck_chain, "pckChain"},
    {PieceKind::intel_pck_crl, "pckCrl"},
    {PieceKind::intel_pck_crl_chain, "pckCrlIssuerChain"},
    {PieceKind::intel_root_crl, "rootCaCrl"},
    {PieceKind::intel_tcb_info, "tcbInfo"},
    {PieceKind::intel_tcb_info_signature, "tcbInfoSignature"},
    {PieceKind::intel_tcb_info_chain, "tcbInfoIssuerChain"},
    {PieceKind::intel_qe_identity, "qeIdentity"},
    {PieceKind::intel_qe_identity_signature, "qeIdentitySignature"},
    {PieceKind::intel_qe_identity_chain, "qeIdentityIssuerChain"}};

}  // namespace

std::string_view piece_name(PieceKind kind) {
  for (const auto& entry : kPieceNames) {
    if (entry.kind == kind) return entry.name;
  }
  return "";
}

ByteView Collateral::get(PieceKind kind) const {
  const auto found = pieces.find(kind);
  return found == pieces.end() ? ByteView() : ByteView(found->second);
}

Bytes Collateral::encode() const {
  if (pieces.empty()) return {};
  Writer writer;
  writer.raw(as_bytes(kMagic)).u16(kVersion).u16(static_cast<std::uint16_t>(pieces.size()));
  for (const auto& [kind, bytes] : pieces) {
    SP_CHECK(!bytes.empty());
    writer.u8(static_cast<std::uint8_t>(kind)).var(bytes);
  }
  return std::move(writer).take();
}

Result<Collateral> Collateral::decode(ByteView bytes) {
  Collateral collateral;
  if (bytes.empty()) return collateral;
  if (bytes.size() > kCollateralMax) return Error{Errc::too_large, "collateral is too large"};
  Reader reader(bytes);
  if (as_text(reader.raw(kMagic.size())) != kMagic) {
    reader.fail(Errc::malformed, "not collateral: it doesn't begin with SPCO");
  }
  if (reader.u16() != kVersion) reader.fail(Errc::unsupported, "unknown version of collateral");
  const std::size_t count = reader.count(std::size(kPieceNames));
  if (count == 0) reader.fail(Errc::malformed, "collateral without a piece");
  int last = 0;
  for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
    const std::uint8_t kind = reader.u8();
    const ByteView piece = reader.var(kPieceSizeMax);
    if (kind <= last || piece_name(static_cast<PieceKind>(kind)).empty() || piece.empty()) {
      reader.fail(Errc::malformed, "a piece of collateral is unknown, empty or out of order");
    }
    last = kind;
    collateral.pieces.emplace(static_cast<PieceKind>(kind), to_bytes(piece));
  }
  SP_TRY(reader.finish());
  return collateral;
}

}  // namespace sp::attest
