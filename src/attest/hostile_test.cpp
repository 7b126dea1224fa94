// Certificates, keys, signatures and lists that an attacker would hand in, beyond the one row that
// each check has of its own: the check that stops each, by its id.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "attest/intel.hpp"
#include "attest/snp.hpp"
#include "attest/testing/recorded.hpp"
#include "attest/testing/vendors.hpp"
#include "attest/verdict.hpp"
#include "crypto/x509.hpp"

namespace sp::attest {
namespace {

namespace issue = crypto::testing;
using crypto::DerTag;
using testing::amd;
using testing::AmdVendor;
using testing::intel;
using testing::IntelRecipe;
using testing::IntelVendor;
using testing::kIntelNow;
using testing::kVendorNow;
using testing::random;
using testing::SnpOptions;

const issue::SigningKey& p384() {
  static const issue::SigningKey key = issue::SigningKey::ec(crypto::Curve::p384, random());
  return key;
}

const issue::SigningKey& p256() {
  static const issue::SigningKey key = issue::SigningKey::ec(crypto::Curve::p256, random());
  return key;
}

std::string outcome(EvidenceKind kind, const IntelRecipe& recipe) {
  const auto claims = verify_intel(kind, intel().quote(recipe), IntelVendor::collateral(recipe),
                                   intel().anchors(), kIntelNow);
  return claims ? "accepted" : claims.error().message;
}

std::string outcome(const SnpOptions& options) {
  const auto claims = verify_snp(amd().report({}, options), amd().collateral(options),
                                 AmdVendor::anchors(), kVendorNow);
  return claims ? "accepted" : claims.error().message;
}

// ---- Intel's ----

struct IntelRow {
  std::string expected;  ///< what the error begins with
  std::function<void(IntelRecipe&)> spoil;
};

void expect_intel(const std::vector<IntelRow>& rows) {
  for (const IntelRow& row : rows) {
    IntelRecipe recipe = intel().tdx_recipe({});
    row.spoil(recipe);
    EXPECT_EQ(outcome(EvidenceKind::tdx, recipe).substr(0, row.expected.size()), row.expected);
  }
}

struct ChainOf {
  std::string id;
  testing::IntelChain IntelRecipe::*chain;
};
const ChainOf kChains[] = {{"intel.pck.chain", &IntelRecipe::pck_chain},
                           {"intel.pckcrl.chain", &IntelRecipe::pckcrl_chain},
                           {"intel.tcbinfo.chain", &IntelRecipe::tcbinfo_chain},
                           {"intel.qeidentity.chain", &IntelRecipe::qeidentity_chain}};

TEST(Hostile, HugeChains) {
  for (const ChainOf& of : kChains) {
    const auto chain = of.chain;
    expect_intel({{of.id + ".form: PEM of more than 8 blocks",
                   [=](IntelRecipe& recipe) {
                     auto& certificates = recipe.*chain;
                     while (certificates.size() <= crypto::kChainLengthMax) {
                       certificates.push_back(certificates.back());
                     }
                   }},
                  {of.id + ".form: PEM: a block of ", [=](IntelRecipe& recipe) {
                     (recipe.*chain)[0].recipe.extensions.push_back(
                         {"1.2.3", false, Bytes(crypto::kCertificateSizeMax)});
                   }}});
  }
}

TEST(Hostile, CertificatesThatAreNotYetValid) {
  for (const ChainOf& of : kChains) {
    const auto chain = of.chain;
    expect_intel({{of.id + ".current: expected CN=Intel SGX ",
                   [=](IntelRecipe& recipe) { (recipe.*chain)[0].recipe.from = kIntelNow + 1; }}});
  }
  expect_intel(
      {{"intel.rootcrl.current: expected a time from 1750550401",
        [](IntelRecipe& r) { r.root_crl.this_update = kIntelNow + 1; }},
       {"intel.pckcrl.current: expected a time from 1750550401",
        [](IntelRecipe& r) { r.pck_crl.this_update = kIntelNow + 1; }},
       {"intel.tcbinfo.current: expected a time from 1750550401",
        [](IntelRecipe& r) { r.tcb_info["issueDate"] = testing::iso_date(kIntelNow + 1); }},
       {"intel.qeidentity.current: expected a time from ",
        [](IntelRecipe& r) { r.qe_identity["nextUpdate"] = testing::iso_date(kIntelNow - 1); }}});
}

// A chain of the same names whose leaf has the key `info`.
std::string chain_with_key(const testing::IntelChain& chain, ByteView info) {
  std::string text;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const testing::IntelCertificate& one = chain[i];
    const Bytes own = one.key->public_key_info();
    text += issue::pem(issue::issue(one.recipe, i == 0 ? info : ByteView(own), *one.issuer_key));
  }
  return text;
}

// SubjectPublicKeyInfo of the generator of secp256k1: a curve that no vendor uses.
Bytes secp256k1_info() {
  const Bytes point = from_hex(
                          "000479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
                          "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8")
                          .value();
  const Bytes kind = issue::der(
      DerTag::sequence, {issue::der_oid("1.2.840.10045.2.1"), issue::der_oid("1.3.132.0.10")});
  return issue::der(DerTag::sequence, {kind, issue::der(DerTag::bit_string, {ByteView(point)})});
}

TEST(Hostile, KeysOnOtherCurves) {
  const std::string tcb = " the key of CN=Intel SGX TCB Signing isn't on P-256";
  const std::string pck = " the key of CN=Intel SGX PCK Certificate isn't on P-256";
  const auto other_key = [](PieceKind piece, testing::IntelChain IntelRecipe::*chain) {
    return [=](IntelRecipe& recipe) {
      const std::string text = chain_with_key(recipe.*chain, secp256k1_info());
      recipe.spoil_collateral = [=](Collateral& collateral) {
        collateral.pieces[piece] = to_bytes(as_bytes(text));
      };
    };
  };
  expect_intel({{"intel.tcbinfo.signature:" + tcb,
                 [](IntelRecipe& r) { r.tcbinfo_chain[0].key = r.tcbinfo_key = &p384(); }},
                {"intel.qeidentity.signature:" + tcb,
                 [](IntelRecipe& r) { r.qeidentity_chain[0].key = r.qeidentity_key = &p384(); }},
                {"intel.qe.signature:" + pck, [](IntelRecipe& r) { r.pck_chain[0].key = &p384(); }},
                {"intel.tcbinfo.signature:" + tcb,
                 other_key(PieceKind::intel_tcb_info_chain, &IntelRecipe::tcbinfo_chain)},
                {"intel.qeidentity.signature:" + tcb,
                 other_key(PieceKind::intel_qe_identity_chain, &IntelRecipe::qeidentity_chain)},
                {"intel.pckcrl.issued: the CRL isn't signed by the key of ",
                 other_key(PieceKind::intel_pck_crl_chain, &IntelRecipe::pckcrl_chain)}});
}

TEST(Hostile, CertificatesWithWrongUsage) {
  const std::string not_for = " isn't one for signatures";
  const auto no_ca = [](testing::IntelChain IntelRecipe::*chain, std::size_t place) {
    return [=](IntelRecipe& recipe) {
      (recipe.*chain)[place].recipe.key_usage = issue::kDigitalSignature | issue::kCrlSign;
    };
  };
  expect_intel(
      {{"intel.tcbinfo.signature: the key of CN=Intel SGX TCB Signing" + not_for,
        [](IntelRecipe& r) { r.tcbinfo_chain[0].recipe.key_usage = issue::kNonRepudiation; }},
       {"intel.qeidentity.signature: the key of CN=Intel SGX TCB Signing" + not_for,
        [](IntelRecipe& r) { r.qeidentity_chain[0].recipe.key_usage = issue::kKeyCertSign; }},
       {"intel.qe.signature: the key of CN=Intel SGX PCK Certificate" + not_for,
        [](IntelRecipe& r) { r.pck_chain[0].recipe.key_usage = issue::kNonRepudiation; }},
       {"intel.pck.chain.issued: CN=Intel SGX PCK Platform CA isn't a CA that may sign cert",
        no_ca(&IntelRecipe::pck_chain, 1)},
       {"intel.pck.chain.issued: CN=Intel SGX Root CA isn't a CA that may sign cert",
        no_ca(&IntelRecipe::pck_chain, 2)},
       {"intel.tcbinfo.chain.issued: CN=Intel SGX Root CA isn't a CA that may sign cert",
        no_ca(&IntelRecipe::tcbinfo_chain, 1)},
       {"intel.qeidentity.chain.issued: CN=Intel SGX Root CA isn't a CA that may sign cert",
        no_ca(&IntelRecipe::qeidentity_chain, 1)},
       {"intel.rootcrl.issued: CN=Intel SGX Root CA isn't a CA that may sign CRLs",
        [](IntelRecipe& r) { r.pckcrl_chain[1].recipe.key_usage = issue::kKeyCertSign; }},
       {"intel.pckcrl.issued: CN=Intel SGX PCK Platform CA isn't a CA that may sign CRLs",
        [](IntelRecipe& r) { r.pckcrl_chain[0].recipe.key_usage = issue::kKeyCertSign; }}});
}

TEST(Hostile, RevocationListsOfOthers) {
  const auto swap = [](PieceKind to, PieceKind from) {
    return [=](IntelRecipe& recipe) {
      recipe.spoil_collateral = [=](Collateral& collateral) {
        collateral.pieces[to] = collateral.pieces[from];
      };
    };
  };
  expect_intel({{"intel.rootcrl.issued: CRL of CN=Intel SGX PCK Platform CA, expected one of ",
                 swap(PieceKind::intel_root_crl, PieceKind::intel_pck_crl)},
                {"intel.pckcrl.issued: CRL of CN=Intel SGX Root CA, expected one of ",
                 swap(PieceKind::intel_pck_crl, PieceKind::intel_root_crl)}});
  SnpOptions options;
  options.change_crl = [](auto& crl) {
    crl.issuer = issue::der_name(
        {{"2.5.4.10", "Test Micro Devices"}, {std::string(issue::kCommonName), "ARK-Milan"}});
  };
  EXPECT_TRUE(outcome(options).starts_with("snp.crl.signature: CRL of CN=ARK-Milan"))
      << outcome(options);
}

TEST(Hostile, RevocationListsOfTheLargestSize) {
  IntelRecipe recipe = intel().tdx_recipe({});
  const auto entry = recipe.root_crl.revoked[0];
  recipe.root_crl.revoked.assign(13'000, entry);
  EXPECT_EQ(outcome(EvidenceKind::tdx, recipe), "accepted");
  recipe.root_crl.revoked.assign(14'000, entry);
  EXPECT_TRUE(outcome(EvidenceKind::tdx, recipe).starts_with("intel.rootcrl.form: CRL of "));
  EXPECT_TRUE(outcome(EvidenceKind::tdx, recipe).ends_with(" bytes, at most 262144"));
}

// ---- AMD's ----

TEST(Hostile, ChipKeysThatSignNoReports) {
  SnpOptions options;
  for (const Bytes& info : {p256().public_key_info(), secp256k1_info()}) {
    options.chip_key_info = info;
    EXPECT_EQ(outcome(options), "snp.report.signature: the chip certificate's key isn't on P-384");
  }
  options.chip_key_info.reset();
  options.change_chip = [](auto& recipe) { recipe.key_usage = issue::kKeyCertSign; };
  EXPECT_EQ(outcome(options),
            "snp.report.signature: the chip certificate's key isn't one for signatures");
}

// A report whose signature, of two small numbers, would fit a key on P-256.
TEST(Hostile, AP256SignatureInAReport) {
  SnpOptions options;
  options.chip_key_info = p256().public_key_info();
  options.change_signed_report = [](MutableByteView report) {
    const Bytes raw = p256().ec_key().sign_raw(ByteView(report).first(kSnpSignedSize));
    const auto numbers = report.subspan(kSnpSignedSize, 2 * 72);
    std::fill(numbers.begin(), numbers.end(), std::uint8_t{0});
    std::copy_n(raw.rend() - 32, 32, numbers.begin());
    std::copy_n(raw.rbegin(), 32, numbers.begin() + 72);
  };
  EXPECT_EQ(outcome(options), "snp.report.signature: the chip certificate's key isn't on P-384");
}

TEST(Hostile, AmdCertificatesWithWrongUsage) {
  SnpOptions options;
  options.change_intermediate = [](auto& recipe) { recipe.key_usage = issue::kDigitalSignature; };
  EXPECT_TRUE(outcome(options).starts_with("snp.chain.vcek: ")) << outcome(options);
  options = {};
  options.change_intermediate = [](auto& recipe) { recipe.ca.reset(); };
  EXPECT_TRUE(outcome(options).starts_with("snp.chain.vcek: ")) << outcome(options);
  options = {};
  options.change_root = [](auto& recipe) { recipe.key_usage = issue::kCrlSign; };
  EXPECT_TRUE(outcome(options).starts_with("snp.chain.ark: ")) << outcome(options);
  options = {};
  options.change_root = [](auto& recipe) { recipe.key_usage = issue::kKeyCertSign; };
  EXPECT_TRUE(outcome(options).starts_with("snp.crl.signature: ")) << outcome(options);
}

TEST(Hostile, AmdCertificatesThatAreNotYetValid) {
  const auto later = [](auto& recipe) { recipe.from = kVendorNow + 1; };
  SnpOptions options;
  options.change_chip = later;
  EXPECT_TRUE(outcome(options).starts_with("snp.vcek.dates: ")) << outcome(options);
  options = {};
  options.change_intermediate = later;
  EXPECT_TRUE(outcome(options).starts_with("snp.ask.dates: ")) << outcome(options);
  options = {};
  options.change_root = later;
  EXPECT_TRUE(outcome(options).starts_with("snp.ark.dates: ")) << outcome(options);
}

// RSASSA-PSS parameters as a certificate states them.
Bytes pss(std::string_view hash_oid, std::uint64_t salt) {
  const Bytes null = issue::der(DerTag::null, {});
  const Bytes hash = issue::der(DerTag::sequence, {issue::der_oid(hash_oid), null});
  const Bytes mask = issue::der(DerTag::sequence, {issue::der_oid("1.2.840.113549.1.1.8"), hash});
  const auto field = [](std::uint8_t number, const Bytes& value) {
    return issue::der(crypto::der_context(number, true), {ByteView(value)});
  };
  const Bytes parameters = issue::der(
      DerTag::sequence, {field(0, hash), field(1, mask), field(2, issue::der_integer(salt))});
  return issue::der(DerTag::sequence, {issue::der_oid("1.2.840.113549.1.1.10"), parameters});
}

TEST(Hostile, PssWithOtherParameters) {
  constexpr std::string_view kSha256 = "2.16.840.1.101.3.4.2.1";
  constexpr std::string_view kSha384 = "2.16.840.1.101.3.4.2.2";
  const auto stating = [](const Bytes& algorithm) {
    SnpOptions options;
    options.change_intermediate = [=](auto& recipe) {
      recipe.inner_algorithm = recipe.outer_algorithm = algorithm;
    };
    return outcome(options);
  };
  EXPECT_EQ(stating(pss(kSha384, 48)), "accepted");
  for (const Bytes& algorithm : {pss(kSha384, 32), pss(kSha384, 0), pss(kSha256, 48)}) {
    const std::string said = stating(algorithm);
    EXPECT_TRUE(said.starts_with("snp.chain.ask: ")) << said;
    EXPECT_TRUE(said.ends_with("a weak or unknown kind, or not of the key's kind")) << said;
  }
}

// ---- One vendor's things in place of another's ----

TEST(Hostile, CollateralOfAnotherFamily) {
  SnpOptions milan;
  milan.family = SnpFamily::milan;
  const Collateral others = amd().collateral(SnpOptions());  // Genoa's
  milan.change_collateral = [&](Collateral& collateral) {
    collateral.pieces[PieceKind::amd_intermediate] = others.pieces.at(PieceKind::amd_intermediate);
  };
  EXPECT_EQ(outcome(milan), "snp.ask.name: expected SEV-Milan, actual SEV-Genoa");
  milan.change_collateral = [&](Collateral& collateral) {
    collateral.pieces[PieceKind::amd_root] = others.pieces.at(PieceKind::amd_root);
  };
  EXPECT_EQ(outcome(milan), "snp.ark.name: expected ARK-Milan, actual ARK-Genoa");

  const Bytes tdx = intel().quote(intel().tdx_recipe({}));
  const Bytes sgx = intel().quote(intel().sgx_recipe({}));
  const Collateral of_tdx = IntelVendor::collateral(intel().tdx_recipe({}));
  const Collateral of_sgx = IntelVendor::collateral(intel().sgx_recipe({}));
  const Anchors anchors = intel().anchors();
  EXPECT_EQ(verify_intel(EvidenceKind::tdx, tdx, of_sgx, anchors, kIntelNow).error().message,
            "intel.tcbinfo.kind: expected tdx, actual sgx");
  EXPECT_EQ(verify_intel(EvidenceKind::sgx, sgx, of_tdx, anchors, kIntelNow).error().message,
            "intel.tcbinfo.kind: expected sgx, actual tdx");
}

TEST(Hostile, RecordedChipWithAnotherFamilysCertificates) {
  SP_RECORDED(report, "snp/milan-b/report.bin");
  SP_RECORDED(vcek, "snp/milan-b/vcek.der");
  SP_RECORDED(genoa, "snp/genoa-ask-ark.pem");
  Collateral collateral = collateral_from_amd_certificates(genoa).value();
  collateral.pieces[PieceKind::amd_chip_certificate] = vcek;
  const auto claims =
      verify_snp(report, collateral, Anchors::vendors(), testing::day("2023-06-01"));
  ASSERT_FALSE(claims.ok());
  EXPECT_EQ(claims.error().message, "snp.ask.name: expected SEV-Milan, actual SEV-Genoa");
}

TEST(Hostile, EvidenceOfTheOtherVendor) {
  const Evidence snp = amd().snp({});
  const Evidence tdx = intel().tdx({});
  const Anchors swapped{intel().anchors().intel, AmdVendor::anchors().amd};
  const auto said = [](const Evidence& evidence, std::int64_t now, const Anchors& anchors) {
    const auto verdict = verify(evidence, now, anchors);
    return verdict ? "accepted" : verdict.error().message;
  };
  // The root of the one vendor doesn't count for evidence of the other.
  EXPECT_TRUE(said(snp, kVendorNow, swapped).starts_with("snp.ark.anchor: expected one of 1 keys"));
  EXPECT_TRUE(said(tdx, kIntelNow, swapped).starts_with("intel.pckcrl.chain.anchor: expected "));
  // Nor does its collateral.
  const Anchors all{AmdVendor::anchors().amd, intel().anchors().intel};
  EXPECT_EQ(said({EvidenceKind::sev_snp, snp.body, tdx.collateral}, kVendorNow, all),
            "snp.vcek.present: expected a VCEK or VLEK in the collateral, actual none");
  EXPECT_EQ(
      said({EvidenceKind::tdx, tdx.body, snp.collateral}, kIntelNow, all),
      "intel.collateral.complete: expected every piece, actual without pckCrl pckCrlIssuerChain "
      "rootCaCrl tcbInfo tcbInfoIssuerChain tcbInfoSignature qeIdentity "
      "qeIdentityIssuerChain qeIdentitySignature");
  // Nor is evidence of a kind that it isn't.
  EXPECT_TRUE(said({EvidenceKind::sev_snp, tdx.body, snp.collateral}, kVendorNow, all)
                  .starts_with("snp.report.size: expected 1184, actual "));
  EXPECT_EQ(said({EvidenceKind::tdx, snp.body, tdx.collateral}, kIntelNow, all),
            "intel.quote.key_type: expected 2 (ECDSA on P-256), actual 0");
  EXPECT_EQ(said({EvidenceKind::tpm, snp.body, snp.collateral}, kVendorNow, all),
            "tpm.evidence.form: not TPM evidence: it doesn't begin with SPTP");
}

TEST(Hostile, CertificatesOfTheOtherVendor) {
  const IntelRecipe recipe = intel().tdx_recipe({});
  SnpOptions options;
  options.change_collateral = [&](Collateral& collateral) {
    const testing::IntelCertificate& pck = recipe.pck_chain[0];
    collateral.pieces[PieceKind::amd_chip_certificate] =
        issue::issue(pck.recipe, pck.key->public_key_info(), *pck.issuer_key);
  };
  EXPECT_EQ(outcome(options),
            "snp.vcek.name: expected SEV-VCEK or SEV-VLEK, actual Intel SGX PCK Certificate");
  const Bytes ark = amd().collateral().pieces.at(PieceKind::amd_root);
  expect_intel({{"intel.tcbinfo.chain.anchor: expected ", [&](IntelRecipe& r) {
                   const std::string text = issue::pem(ark) + issue::pem(ark);
                   r.spoil_collateral = [=](Collateral& collateral) {
                     collateral.pieces[PieceKind::intel_tcb_info_chain] = to_bytes(as_bytes(text));
                   };
                 }}});
}

}  // namespace
}  // namespace sp::attest
