// AMD's collateral as it comes: the certificate table of an extended guest request, and plain
// certificates.
#include "attest/little_endian.hpp"
#include "attest/snp.hpp"
#include "attest/snp_chain.hpp"
#include "crypto/der.hpp"

namespace sp::attest {
namespace {

using crypto::Certificate;

// GHCB specification (56421) section 4.1.8.1: an entry is a GUID (RFC 4122, big-endian), the
// offset from the table's start and the length (u32, little-endian); an entry of zeros ends it.
constexpr std::size_t kGuidSize = 16;
constexpr std::size_t kEntrySize = kGuidSize + 4 + 4;
constexpr std::size_t kEntriesMax = 32;

struct TablePiece {
  std::string_view guid;
  PieceKind kind;
};
constexpr TablePiece kTablePieces[] = {
    {"c0b406a4a803495297433fb6014cd0ae", PieceKind::amd_root},
    {"4ab7b379bbac4fe4a02f05aef327c782", PieceKind::amd_intermediate},
    {"63da758de6644564adc5f4b93be8accd", PieceKind::amd_chip_certificate},
    {"a8074bc2a25a483eaae639c045a0b8a1", PieceKind::amd_chip_certificate},
    {"92f81bc358114d3d97ffd19f88dc67ea", PieceKind::amd_crl}};

std::optional<PieceKind> kind_of(ByteView guid) {
  const std::string hex = to_hex(guid);
  for (const TablePiece& piece : kTablePieces) {
    if (piece.guid == hex) return piece.kind;
  }
  return std::nullopt;
}

Status add(Collateral& collateral, PieceKind kind, ByteView bytes) {
  if (bytes.size() > kPieceSizeMax) {
    return Error{Errc::too_large, std::string(piece_name(kind)) + " of " +
                                      std::to_string(bytes.size()) + " bytes, at most " +
                                      std::to_string(kPieceSizeMax)};
  }
  if (!collateral.pieces.emplace(kind, to_bytes(bytes)).second) {
    return Error{Errc::malformed,
                 "two certificates that are each " + std::string(piece_name(kind))};
  }
  return {};
}

Status add_entry(Collateral& collateral, ByteView table, ByteView entry, std::size_t head_size) {
  const auto kind = kind_of(entry.first(kGuidSize));
  if (!kind) return {};
  const std::uint64_t offset = little_number(entry.subspan(kGuidSize, 4));
  const std::uint64_t size = little_number(entry.subspan(kGuidSize + 4, 4));
  if (offset < head_size || offset > table.size() || size > table.size() - offset || size == 0) {
    return Error{Errc::malformed, "certificate table: " + std::string(piece_name(*kind)) +
                                      " isn't within the table"};
  }
  return add(collateral, *kind, table.subspan(offset, size));
}

// The piece that a certificate is, by its common name.
Result<PieceKind> piece_of(const Certificate& certificate) {
  const std::string subject = certificate.subject();
  std::string name = snp_common_name(subject);
  if (name == "SEV-VCEK" || name == "SEV-VLEK") return PieceKind::amd_chip_certificate;
  for (const std::string_view prefix : {"SEV-VLEK-", "SEV-", "ARK-"}) {
    if (name.starts_with(prefix) && family_from_name(name.substr(prefix.size()))) {
      return prefix == "ARK-" ? PieceKind::amd_root : PieceKind::amd_intermediate;
    }
  }
  return Error{Errc::unsupported, "the certificate of " + subject + " isn't one of AMD's"};
}

Result<std::vector<Certificate>> certificates_of(ByteView bytes) {
  constexpr std::string_view kPemStart = "-----BEGIN";
  if (as_text(bytes).find(kPemStart) != std::string_view::npos) {
    return Certificate::from_pem(as_text(bytes));
  }
  std::vector<Certificate> certificates;
  crypto::DerReader reader(bytes);
  while (!reader.at_end()) {
    if (certificates.size() == crypto::kChainLengthMax) {
      return Error{Errc::too_large,
                   "over " + std::to_string(crypto::kChainLengthMax) + " certificates"};
    }
    SP_ASSIGN(const crypto::DerElement element, reader.next());
    SP_ASSIGN(Certificate certificate, Certificate::from_der(element.whole));
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

}  // namespace

Result<Collateral> collateral_from_certificate_table(ByteView table) {
  if (table.size() > kCollateralMax) return Error{Errc::too_large, "certificate table too large"};
  std::vector<ByteView> entries;
  ByteView rest = table;
  for (;;) {
    if (rest.size() < kEntrySize) {
      return Error{Errc::malformed, "certificate table: its entries have no end"};
    }
    const ByteView entry = rest.first(kEntrySize);
    rest = rest.subspan(kEntrySize);
    if (std::all_of(entry.begin(), entry.end(), [](std::uint8_t b) { return b == 0; })) break;
    if (entries.size() == kEntriesMax) {
      return Error{Errc::too_large,
                   "certificate table: over " + std::to_string(kEntriesMax) + " entries"};
    }
    entries.push_back(entry);
  }
  Collateral collateral;
  for (const ByteView entry : entries) {
    SP_TRY(add_entry(collateral, table, entry, table.size() - rest.size()));
  }
  return collateral;
}

Result<Collateral> collateral_from_amd_certificates(ByteView pem_or_der) {
  SP_ASSIGN(const std::vector<Certificate> certificates, certificates_of(pem_or_der));
  if (certificates.empty()) return Error{Errc::malformed, "no certificate"};
  Collateral collateral;
  for (const Certificate& certificate : certificates) {
    SP_ASSIGN(const PieceKind kind, piece_of(certificate));
    SP_TRY(add(collateral, kind, certificate.der()));
  }
  return collateral;
}

}  // namespace sp::attest
