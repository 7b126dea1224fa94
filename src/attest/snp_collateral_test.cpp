// AMD's certificate tables and certificate files.
#include <gtest/gtest.h>

#include "attest/little_endian.hpp"
#include "attest/snp.hpp"
#include "attest/testing/amd_vendor.hpp"
#include "crypto/random.hpp"

namespace sp::attest {
namespace {

using testing::AmdVendor;

constexpr std::string_view kArk = "c0b406a4a803495297433fb6014cd0ae";
constexpr std::string_view kAsk = "4ab7b379bbac4fe4a02f05aef327c782";
constexpr std::string_view kVcek = "63da758de6644564adc5f4b93be8accd";
constexpr std::string_view kVlek = "a8074bc2a25a483eaae639c045a0b8a1";
constexpr std::string_view kCrl = "92f81bc358114d3d97ffd19f88dc67ea";
constexpr std::string_view kOther = "00000000000000000000000000000001";

struct Entry {
  std::string_view guid;
  Bytes data;
};

void number(Bytes& to, std::uint64_t value) {
  Bytes bytes(4);
  put_little(value, bytes);
  append(to, bytes);
}

Bytes table_of(const std::vector<Entry>& entries) {
  std::size_t offset = 24 * (entries.size() + 1);
  Bytes table;
  for (const Entry& entry : entries) {
    append(table, from_hex(entry.guid).value());
    number(table, offset);
    number(table, entry.data.size());
    offset += entry.data.size();
  }
  table.resize(table.size() + 24);
  for (const Entry& entry : entries) append(table, entry.data);
  return table;
}

const AmdVendor& vendor() {
  static crypto::SystemRandom random;
  static const AmdVendor kVendor(random);
  return kVendor;
}

std::string refusal(const Bytes& table) {
  const auto collateral = collateral_from_certificate_table(table);
  return collateral ? "" : collateral.error().message;
}

TEST(SnpTable, EntriesBecomePieces) {
  const Bytes table =
      table_of({{kVcek, {1}}, {kOther, {9, 9}}, {kAsk, {2, 2}}, {kArk, {3}}, {kCrl, {4}}});
  const auto collateral = collateral_from_certificate_table(table);
  ASSERT_TRUE(collateral.ok()) << collateral.error().message;
  const Collateral expected{{{PieceKind::amd_chip_certificate, {1}},
                             {PieceKind::amd_intermediate, {2, 2}},
                             {PieceKind::amd_root, {3}},
                             {PieceKind::amd_crl, {4}}}};
  EXPECT_EQ(*collateral, expected);
  EXPECT_EQ(collateral_from_certificate_table(table_of({{kVlek, {5}}}))->pieces.size(), 1U);
  EXPECT_TRUE(collateral_from_certificate_table(Bytes(24))->pieces.empty());
}

TEST(SnpTable, WhatIsNotWellFormedIsRefused) {
  EXPECT_EQ(refusal({}), "certificate table: its entries have no end");
  EXPECT_EQ(refusal(Bytes(23)), "certificate table: its entries have no end");
  Bytes table = table_of({{kVcek, {1, 2, 3}}});
  table.pop_back();
  EXPECT_EQ(refusal(table), "certificate table: amdChipCertificate isn't within the table");
  table = table_of({{kVcek, {1, 2, 3}}});
  table[16] = 47;  // before the end of the entries
  EXPECT_EQ(refusal(table), "certificate table: amdChipCertificate isn't within the table");
  EXPECT_EQ(refusal(table_of({{kVcek, {}}})),
            "certificate table: amdChipCertificate isn't within the table");
  EXPECT_EQ(refusal(table_of({{kVcek, {1}}, {kVlek, {2}}})),
            "two certificates that are each amdChipCertificate");
  EXPECT_EQ(refusal(table_of({{kCrl, Bytes(kPieceSizeMax + 1)}})),
            "amdCrl of 262145 bytes, at most 262144");
  EXPECT_EQ(refusal(Bytes(33 * 24, 1)), "certificate table: over 32 entries");
  EXPECT_EQ(refusal(Bytes(kCollateralMax + 1)), "certificate table too large");
}

TEST(SnpCertificates, AreSortedByTheirNames) {
  for (const SnpKey key : {SnpKey::vcek, SnpKey::vlek}) {
    testing::SnpOptions options;
    options.key = key;
    options.crl = false;
    const Collateral made = vendor().collateral(options);
    std::string pem;
    Bytes der;
    for (const auto& [kind, bytes] : made.pieces) {
      pem += crypto::testing::pem(bytes);
      append(der, bytes);
    }
    EXPECT_EQ(collateral_from_amd_certificates(as_bytes(pem)).value(), made);
    EXPECT_EQ(collateral_from_amd_certificates(der).value(), made);
  }
}

TEST(SnpCertificates, OthersAreRefused) {
  const Bytes chip = vendor().collateral().pieces.at(PieceKind::amd_chip_certificate);
  Bytes twice = chip;
  append(twice, chip);
  EXPECT_EQ(collateral_from_amd_certificates(twice).error().message,
            "two certificates that are each amdChipCertificate");
  EXPECT_EQ(collateral_from_amd_certificates({}).error().message, "no certificate");
  testing::SnpOptions options;
  options.change_chip = [](auto& recipe) {
    recipe.subject = crypto::testing::common_name("SEV-Naples");
  };
  const Bytes other = vendor().collateral(options).pieces.at(PieceKind::amd_chip_certificate);
  EXPECT_EQ(collateral_from_amd_certificates(other).error(),
            (Error{Errc::unsupported, "the certificate of CN=SEV-Naples isn't one of AMD's"}));
  Bytes many;
  for (int i = 0; i < 9; ++i) append(many, chip);
  EXPECT_EQ(collateral_from_amd_certificates(many).error().code, Errc::too_large);
}

}  // namespace
}  // namespace sp::attest
