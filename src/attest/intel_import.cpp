// Collateral from JSON, as tools of others write it.
#include <nlohmann/json.hpp>

#include "attest/intel.hpp"
#include "base/json.hpp"
#include "crypto/pem.hpp"

namespace sp::attest {
namespace {

constexpr std::string_view kPemBegin = "-----BEGIN ";
constexpr std::string_view kCrlLabel = "X509 CRL";  // RFC 7468 section 7

struct Field {
  std::string_view name;
  PieceKind piece;
  enum class Form : std::uint8_t { text, bytes } form;
  bool required = true;
};
constexpr Field kFields[] = {
    {"pck_certificate_chain", PieceKind::intel_pck_chain, Field::Form::text, false},
    {"pck_crl", PieceKind::intel_pck_crl, Field::Form::bytes},
    {"pck_crl_issuer_chain", PieceKind::intel_pck_crl_chain, Field::Form::text},
    {"root_ca_crl", PieceKind::intel_root_crl, Field::Form::bytes},
    {"tcb_info", PieceKind::intel_tcb_info, Field::Form::text},
    {"tcb_info_signature", PieceKind::intel_tcb_info_signature, Field::Form::bytes},
    {"tcb_info_issuer_chain", PieceKind::intel_tcb_info_chain, Field::Form::text},
    {"qe_identity", PieceKind::intel_qe_identity, Field::Form::text},
    {"qe_identity_signature", PieceKind::intel_qe_identity_signature, Field::Form::bytes},
    {"qe_identity_issuer_chain", PieceKind::intel_qe_identity_chain, Field::Form::text}};

// Hexadecimal, PEM or base64. DER and signatures in base64 that are hexadecimal as well don't
// occur: DER begins with "MI", and 88 characters end in "==".
Result<Bytes> bytes_of(std::string_view text) {
  if (text.starts_with(kPemBegin)) {
    SP_ASSIGN(std::vector<Bytes> blocks,
              crypto::pem_blocks(text, kCrlLabel, {2 * kPieceSizeMax, 1, kPieceSizeMax}));
    return std::move(blocks.front());
  }
  if (auto bytes = from_hex(text)) return bytes;
  return crypto::from_base64(text);
}

Result<Bytes> piece_of(const Field& field, std::string_view text) {
  Bytes piece;
  if (field.form == Field::Form::text) {
    piece = to_bytes(as_bytes(text));
  } else if (auto bytes = bytes_of(text)) {
    piece = std::move(*bytes);
  } else {
    return Error{Errc::malformed, std::string(field.name) + " isn't hexadecimal, base64 or PEM"};
  }
  if (piece.empty()) return Error{Errc::malformed, std::string(field.name) + " is empty"};
  if (piece.size() > kPieceSizeMax) {
    return Error{Errc::too_large, std::string(field.name) + " of " + std::to_string(piece.size()) +
                                      " bytes, at most " + std::to_string(kPieceSizeMax)};
  }
  return piece;
}

}  // namespace

Result<Collateral> intel_collateral_from_json(std::string_view text) {
  SP_ASSIGN(const Json json, parse_json(text, 2 * kCollateralMax));
  JsonObject object(json, "collateral");
  Collateral collateral;
  for (const Field& field : kFields) {
    if (!field.required && !object.has(field.name)) continue;
    const std::string value = object.text(field.name, 2 * kPieceSizeMax);
    if (value.empty() && !object.has(field.name)) continue;  // finish() tells of it
    SP_ASSIGN(Bytes piece, piece_of(field, value));
    collateral.pieces[field.piece] = std::move(piece);
  }
  SP_TRY(object.finish());
  return collateral;
}

}  // namespace sp::attest
