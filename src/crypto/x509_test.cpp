#include "crypto/x509.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto/ecdsa.hpp"
#include "crypto/hash.hpp"
#include "crypto/openssl.hpp"
#include "crypto/test_support.hpp"

namespace sp::crypto {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kNow = 1'700'000'000;  // November 2023: all of AMD's chains are valid
constexpr const char* kCaUsage = "critical,keyCertSign,cRLSign";

// ---- Certificates made at test time ----

struct Recipe {
  std::string subject = "leaf";
  std::string issuer = "root";
  std::vector<std::pair<int, std::string>> extensions;  // by NID, in OpenSSL's words
  std::int64_t from = kNow - kDay;
  std::int64_t to = kNow + kDay;
  const EVP_MD* digest = sha256_algorithm();
};

Recipe ca(std::string subject, std::string issuer, const std::string& constraints = "CA:TRUE") {
  return {std::move(subject),
          std::move(issuer),
          {{NID_basic_constraints, "critical," + constraints}, {NID_key_usage, kCaUsage}}};
}

void set_name(X509_NAME* name, const std::string& common_name) {
  SP_CHECK(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      reinterpret_cast<const unsigned char*>(common_name.c_str()),
                                      -1, -1, 0) == 1);
}

Bytes der_of(X509* certificate) {
  unsigned char* encoded = nullptr;
  const int size = i2d_X509(certificate, &encoded);
  SP_CHECK(size > 0);
  Bytes der(encoded, encoded + size);
  OPENSSL_free(encoded);
  return der;
}

Bytes make_der(const Recipe& recipe, EVP_PKEY* key, EVP_PKEY* issuer_key) {
  const X509Owner made(X509_new());
  X509* certificate = made.get();
  SP_CHECK(X509_set_version(certificate, X509_VERSION_3) == 1);
  SP_CHECK(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7) == 1);
  set_name(X509_get_subject_name(certificate), recipe.subject);
  set_name(X509_get_issuer_name(certificate), recipe.issuer);
  SP_CHECK(ASN1_TIME_set(X509_getm_notBefore(certificate), recipe.from) != nullptr);
  SP_CHECK(ASN1_TIME_set(X509_getm_notAfter(certificate), recipe.to) != nullptr);
  SP_CHECK(X509_set_pubkey(certificate, key) == 1);
  for (const auto& [nid, value] : recipe.extensions) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    SP_CHECK(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
  }
  SP_CHECK(X509_sign(certificate, issuer_key, recipe.digest) > 0);
  return der_of(certificate);
}

Key ec_key(const char* group = "P-256") { return Key(EVP_EC_gen(group)); }

Certificate parsed(ByteView der) { return Certificate::from_der(der).value(); }

// root -> middle -> leaf, each with its key.
class Chain : public testing::Test {
 protected:
  Certificate make(const Recipe& recipe, const Key& key, const Key& issuer_key) {
    return parsed(make_der(recipe, key.get(), issuer_key.get()));
  }
  Status verify(const std::vector<Certificate>& chain, std::int64_t at = kNow) {
    return verify_chain(chain, pin_, at);
  }
  // The code of the chain's refusal; a chain that is accepted fails the test.
  Errc code(const std::vector<Certificate>& chain, std::int64_t at = kNow) {
    const Status status = verify(chain, at);
    EXPECT_FALSE(status.ok());
    return status ? Errc::usage : status.error().code;
  }

  Key root_key_ = ec_key("P-384");
  Key middle_key_ = ec_key();
  Key leaf_key_ = ec_key();
  Certificate root_ = make(ca("root", "root"), root_key_, root_key_);
  Certificate middle_ = make(ca("middle", "root", "CA:TRUE,pathlen:0"), middle_key_, root_key_);
  Certificate leaf_ = make({"leaf", "middle", {}}, leaf_key_, middle_key_);
  Digest48 pin_ = sha384(root_.public_key_info());
};

TEST_F(Chain, ReadsFields) {
  EXPECT_EQ(leaf_.subject(), "CN=leaf");
  EXPECT_EQ(leaf_.issuer(), "CN=middle");
  EXPECT_EQ(leaf_.not_before(), kNow - kDay);
  EXPECT_EQ(leaf_.not_after(), kNow + kDay);
  EXPECT_FALSE(leaf_.is_ca());
  EXPECT_TRUE(root_.is_ca());
  EXPECT_EQ(middle_.path_length(), 0U);
  EXPECT_EQ(root_.path_length(), std::nullopt);
  EXPECT_EQ(to_hex(ByteView(leaf_.public_key_info()).first(2)), "3059");
  EXPECT_EQ(parsed(leaf_.der()).der(), leaf_.der());
}

TEST_F(Chain, TimesBeyond2050AreRead) {
  // RFC 5280 section 4.1.2.5: GeneralizedTime from 2050 on. 4102444800 = 2100-01-01T00:00:00Z.
  Recipe recipe{"leaf", "middle", {}};
  recipe.to = 4'102'444'800;
  EXPECT_EQ(make(recipe, leaf_key_, middle_key_).not_after(), 4'102'444'800);
}

TEST_F(Chain, AGoodChainIsAccepted) {
  EXPECT_TRUE(verify({leaf_, middle_, root_}).ok());
  EXPECT_TRUE(verify({middle_, root_}).ok());
  EXPECT_TRUE(verify({root_}).ok());
  EXPECT_TRUE(verify({leaf_, middle_, root_}, kNow - kDay).ok());
  EXPECT_TRUE(verify({leaf_, middle_, root_}, kNow + kDay).ok());
}

TEST_F(Chain, OrderLengthAndPinMatter) {
  EXPECT_EQ(code({}), Errc::malformed);
  EXPECT_EQ(code({middle_, leaf_, root_}), Errc::mismatch);
  EXPECT_EQ(code({root_, middle_, leaf_}), Errc::mismatch);
  EXPECT_EQ(code({leaf_, root_}), Errc::mismatch);
  EXPECT_EQ(code({leaf_, middle_}), Errc::mismatch);
  EXPECT_EQ(code({leaf_, leaf_, middle_, root_}), Errc::mismatch);
  EXPECT_EQ(code(std::vector<Certificate>(kChainLengthMax + 1, root_)), Errc::too_large);
  pin_.data[0] ^= 1;
  EXPECT_EQ(code({leaf_, middle_, root_}), Errc::mismatch);
}

TEST_F(Chain, TimeMatters) {
  EXPECT_EQ(code({leaf_, middle_, root_}, kNow - kDay - 1), Errc::expired);
  EXPECT_EQ(code({leaf_, middle_, root_}, kNow + kDay + 1), Errc::expired);
  Recipe old = ca("middle", "root");
  old.to = kNow - 1;
  EXPECT_EQ(code({leaf_, make(old, middle_key_, root_key_), root_}), Errc::expired);
  Recipe early = ca("root", "root");
  early.from = kNow + 1;
  EXPECT_EQ(code({leaf_, middle_, make(early, root_key_, root_key_)}), Errc::expired);
}

TEST_F(Chain, AnotherIssuerIsRefused) {
  const Key other = ec_key();
  // The right names, another key.
  EXPECT_EQ(code({make({"leaf", "middle", {}}, leaf_key_, other), middle_, root_}),
            Errc::bad_signature);
  EXPECT_EQ(code({leaf_, make(ca("middle", "root"), middle_key_, other), root_}),
            Errc::bad_signature);
  // The pinned key in a certificate that it didn't sign itself.
  EXPECT_EQ(code({leaf_, middle_, make(ca("root", "root"), root_key_, other)}),
            Errc::bad_signature);
  EXPECT_EQ(code({leaf_, middle_, make(ca("root", "above"), root_key_, root_key_)}),
            Errc::mismatch);
  // Names that don't meet.
  EXPECT_EQ(code({make({"leaf", "centre", {}}, leaf_key_, middle_key_), middle_, root_}),
            Errc::mismatch);
  EXPECT_EQ(leaf_.verify_issued_by(root_).error().code, Errc::mismatch);
  EXPECT_TRUE(leaf_.verify_issued_by(middle_).ok());
}

TEST_F(Chain, OnlyCertificateAuthoritiesIssue) {
  const auto with_middle = [&](std::vector<std::pair<int, std::string>> extensions) {
    return code(
        {leaf_, make({"middle", "root", std::move(extensions)}, middle_key_, root_key_), root_});
  };
  const std::pair<int, std::string> yes{NID_basic_constraints, "critical,CA:TRUE"};
  const std::pair<int, std::string> no{NID_basic_constraints, "critical,CA:FALSE"};
  EXPECT_EQ(with_middle({}), Errc::mismatch);
  EXPECT_EQ(with_middle({yes}), Errc::mismatch);  // no keyUsage
  EXPECT_EQ(with_middle({{NID_key_usage, kCaUsage}}), Errc::mismatch);
  EXPECT_EQ(with_middle({no, {NID_key_usage, "critical,digitalSignature"}}), Errc::mismatch);
  EXPECT_EQ(with_middle({yes, {NID_key_usage, "critical,digitalSignature"}}), Errc::mismatch);
}

TEST_F(Chain, PathLengthsAreKept) {
  const Key low_key = ec_key();
  const Certificate low = make(ca("low", "middle"), low_key, middle_key_);
  const Certificate leaf = make({"leaf", "low", {}}, leaf_key_, low_key);
  EXPECT_EQ(code({leaf, low, middle_, root_}), Errc::mismatch);  // middle: pathlen 0
  const Certificate wide = make(ca("middle", "root", "CA:TRUE,pathlen:1"), middle_key_, root_key_);
  EXPECT_TRUE(verify({leaf, low, wide, root_}).ok());
  const Certificate tight = make(ca("root", "root", "CA:TRUE,pathlen:1"), root_key_, root_key_);
  EXPECT_EQ(code({leaf, low, wide, tight}), Errc::mismatch);
}

TEST_F(Chain, UnknownCriticalExtensionsAreRefused) {
  const auto leaf_with = [&](const char* value) {
    return std::vector<Certificate>{
        make({"leaf", "middle", {{NID_ext_key_usage, value}}}, leaf_key_, middle_key_), middle_,
        root_};
  };
  EXPECT_TRUE(verify(leaf_with("serverAuth")).ok());
  EXPECT_EQ(code(leaf_with("critical,serverAuth")), Errc::unsupported);
}

TEST_F(Chain, WeakSignaturesAreRefused) {
  Recipe recipe{"leaf", "middle", {}};
  recipe.digest = EVP_sha1();
  EXPECT_EQ(code({make(recipe, leaf_key_, middle_key_), middle_, root_}), Errc::bad_signature);

  const Key small(EVP_RSA_gen(1024));
  const Certificate weak = make(ca("weak", "root"), small, root_key_);
  EXPECT_EQ(code({make({"leaf", "weak", {}}, leaf_key_, small), weak, root_}), Errc::bad_signature);
}

TEST_F(Chain, ExtensionsAreReadByOid) {
  const std::string oid = "1.3.6.1.4.1.3704.1.1";
  const int nid = OBJ_create(oid.c_str(), "spTest", "spTest");
  ASSERT_NE(nid, NID_undef);
  const auto with = [&](int times) {
    X509Owner certificate(X509_new());
    const Bytes der = leaf_.der();
    const unsigned char* at = der.data();
    certificate.reset(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    ASN1_OCTET_STRING* value = ASN1_OCTET_STRING_new();
    SP_CHECK(ASN1_OCTET_STRING_set(value, reinterpret_cast<const unsigned char*>("\x04\x01\x02"),
                                   3) == 1);
    X509_EXTENSION* extension = X509_EXTENSION_create_by_NID(nullptr, nid, 0, value);
    for (int i = 0; i < times; ++i) SP_CHECK(X509_add_ext(certificate.get(), extension, -1) == 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    SP_CHECK(X509_sign(certificate.get(), middle_key_.get(), sha256_algorithm()) > 0);
    return Certificate::from_der(der_of(certificate.get()));
  };
  EXPECT_EQ(with(1)->extension(oid).value(), hex("040102"));
  EXPECT_EQ(with(2).error().code, Errc::malformed);
  EXPECT_EQ(with(0)->extension(oid).error().code, Errc::not_found);
  EXPECT_EQ(with(1)->extension("1.2.3").error().code, Errc::not_found);
  EXPECT_EQ(with(1)->extension("not an oid").error().code, Errc::not_found);
  EXPECT_EQ(with(1)->extension("").error().code, Errc::not_found);
  EXPECT_EQ(middle_.extension("2.5.29.19").value(), hex("30060101ff020100"));
}

TEST_F(Chain, VerifiesMessagesByEcKeys) {
  const auto sign = [](const Key& key, ByteView message, const EVP_MD* digest) {
    const DigestContext context(EVP_MD_CTX_new());
    SP_CHECK(EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key.get()) == 1);
    Bytes signature(200);
    std::size_t size = signature.size();
    SP_CHECK(EVP_DigestSign(context.get(), signature.data(), &size, message.data(),
                            message.size()) == 1);
    signature.resize(size);
    return signature;
  };
  const Bytes with_sha256 = hex("300a06082a8648ce3d040302");
  const Bytes with_sha384 = hex("300a06082a8648ce3d040303");
  const ByteView message = as_bytes("collateral");
  const Bytes by_leaf = sign(leaf_key_, message, sha256_algorithm());
  const Bytes by_root = sign(root_key_, message, sha384_algorithm());
  EXPECT_TRUE(leaf_.verify_signed(with_sha256, message, by_leaf).ok());
  EXPECT_TRUE(root_.verify_signed(with_sha384, message, by_root).ok());
  const auto refuses = [](const Status& status) {
    EXPECT_EQ(status.ok() ? "accepted" : errc_name(status.error().code), "bad_signature");
  };
  refuses(root_.verify_signed(with_sha256, message, by_root));
  refuses(leaf_.verify_signed(with_sha256, message, by_root));
  refuses(leaf_.verify_signed(with_sha256, as_bytes("x"), by_leaf));
  refuses(leaf_.verify_signed(hex("300906072a8648ce3d0401"), message, by_leaf));  // SHA-1
  for (const Key& other : {Key(EVP_RSA_gen(2048)), ec_key("secp256k1")}) {
    refuses(make({"leaf", "middle", {}}, other, middle_key_)
                .verify_signed(with_sha256, message, by_leaf));
  }
}

TEST_F(Chain, BytesThatArentOneDerCertificateAreRefused) {
  const auto code_of = [](ByteView der) { return Certificate::from_der(der).error().code; };
  Bytes der = leaf_.der();
  EXPECT_EQ(code_of({}), Errc::malformed);
  EXPECT_EQ(code_of(ByteView(der).first(der.size() - 1)), Errc::malformed);
  der.push_back(0);
  EXPECT_EQ(code_of(der), Errc::malformed);
  der.resize(kCertificateSizeMax + 1);
  EXPECT_EQ(code_of(der), Errc::too_large);

  // BER: the outer length in more bytes than needed.
  der = leaf_.der();
  ASSERT_EQ(to_hex(ByteView(der).first(2)), "3082");
  der[1] = 0x83;
  der.insert(der.begin() + 2, 0);
  EXPECT_EQ(code_of(der), Errc::malformed);
}

TEST_F(Chain, ContradictingExtensionsAreRefused) {
  const auto code_of = [&](std::vector<std::pair<int, std::string>> extensions) {
    const Bytes der =
        make_der({"x", "root", std::move(extensions)}, leaf_key_.get(), root_key_.get());
    const auto result = Certificate::from_der(der);
    return result ? Errc::usage : result.error().code;
  };
  EXPECT_EQ(code_of({{NID_basic_constraints, "CA:TRUE"}, {NID_basic_constraints, "CA:FALSE"}}),
            Errc::malformed);
  EXPECT_EQ(code_of({{NID_basic_constraints, "CA:TRUE,pathlen:-1"}}), Errc::malformed);
}

std::string pem_of(const Certificate& certificate) {
  const Bytes& der = certificate.der();
  const unsigned char* at = der.data();
  const X509Owner x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  const Bio out(BIO_new(BIO_s_mem()));
  SP_CHECK(PEM_write_bio_X509(out.get(), x509.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

TEST_F(Chain, ReadsPemInOrder) {
  const std::string text =
      "a remark\n" + pem_of(leaf_) + "\n" + pem_of(middle_) + pem_of(root_) + "\n";
  const auto chain = Certificate::from_pem(text);
  ASSERT_TRUE(chain.ok());
  ASSERT_EQ(chain->size(), 3U);
  EXPECT_TRUE(verify(*chain).ok());
  // Collateral in JSON often ends with the C string's zero.
  EXPECT_EQ(Certificate::from_pem(text + '\0')->size(), 3U);
}

TEST_F(Chain, PemThatIsntCertificatesIsRefused) {
  const auto code_of = [](std::string_view text) {
    const auto result = Certificate::from_pem(text);
    return result ? Errc::usage : result.error().code;
  };
  const std::string good = pem_of(leaf_);
  EXPECT_EQ(code_of(""), Errc::malformed);
  EXPECT_EQ(code_of("no certificate here"), Errc::malformed);
  EXPECT_EQ(code_of(std::string_view(good).substr(0, good.size() - 20)), Errc::malformed);
  EXPECT_EQ(code_of(good + good.substr(0, 200)), Errc::malformed);
  EXPECT_EQ(code_of("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            Errc::malformed);
  std::string other = good;
  for (std::size_t at = 0; (at = other.find("CERTIFICATE", at)) != std::string::npos;) {
    other.replace(at, 11, "PUBLIC KEY");
  }
  EXPECT_EQ(code_of(good + other), Errc::malformed);
  std::string many;
  for (std::size_t i = 0; i < kChainLengthMax + 1; ++i) many += good;
  EXPECT_EQ(code_of(many), Errc::too_large);
  EXPECT_EQ(code_of(std::string(2 * kChainLengthMax * kCertificateSizeMax + 1, 'x')),
            Errc::too_large);
}

TEST_F(Chain, LeavesNoErrorsInOpenSslsQueue) {
  ERR_clear_error();
  static_cast<void>(Certificate::from_der(Bytes(10, 0x30)));
  static_cast<void>(Certificate::from_pem("-----BEGIN CERTIFICATE-----\n"));
  static_cast<void>(leaf_.extension("not an oid"));
  static_cast<void>(make({"leaf", "middle", {}}, leaf_key_, root_key_).verify_issued_by(middle_));
  static_cast<void>(
      leaf_.verify_signed(hex("300a06082a8648ce3d040302"), {}, hex("3006020101020101")));
  static_cast<void>(EcPublic::from_point(Curve::p256, Bytes(64, 1)));
  EXPECT_EQ(ERR_peek_error(), 0UL);
}

// ---- AMD's own chains ----

class Amd : public testing::Test {
 protected:
  void SetUp() override {
    if (!evidence("snp/milan-ask-ark.pem")) GTEST_SKIP() << "evidence/snp is absent";
  }
  static std::vector<Certificate> pem(const std::string& name) {
    return Certificate::from_pem(evidence("snp/" + name).value()).value();
  }
  static Certificate der(const std::string& name) {
    return parsed(as_bytes(evidence("snp/" + name).value()));
  }
  static Digest48 pin(const std::vector<Certificate>& chain) {
    return sha384(chain.back().public_key_info());
  }
};

TEST_F(Amd, IntermediatesAreIssuedByTheRoots) {
  for (const char* name : {"milan-ask-ark.pem", "milan-asvk-ark.pem", "genoa-ask-ark.pem",
                           "genoa-asvk-ark.pem", "turin-ask-ark.pem", "turin-asvk-ark.pem"}) {
    const auto chain = pem(name);
    ASSERT_EQ(chain.size(), 2U) << name;
    EXPECT_TRUE(chain[0].is_ca() && chain[1].is_ca()) << name;
    EXPECT_TRUE(verify_chain(chain, pin(chain), kNow).ok()) << name;
    EXPECT_EQ(verify_chain({chain[1], chain[0]}, pin(chain), kNow).error().code, Errc::mismatch);
    EXPECT_EQ(verify_chain(chain, Digest48(), kNow).error().code, Errc::mismatch) << name;
  }
  EXPECT_NE(pin(pem("milan-ask-ark.pem")), pin(pem("genoa-ask-ark.pem")));
  EXPECT_EQ(pin(pem("milan-ask-ark.pem")), pin(pem("milan-asvk-ark.pem")));
}

TEST_F(Amd, ChipKeysAreIssuedByTheirProduct) {
  const auto milan = pem("milan-ask-ark.pem");
  const auto turin = pem("turin-ask-ark.pem");
  const Certificate milan_chip = der("milan-a/vcek.der");
  const Certificate turin_chip = der("turin-vcek.der");
  constexpr std::int64_t kStartOf2025 = 1'735'689'600;
  EXPECT_TRUE(verify_chain({milan_chip, milan[0], milan[1]}, pin(milan), kNow).ok());
  EXPECT_TRUE(verify_chain({turin_chip, turin[0], turin[1]}, pin(turin), kStartOf2025).ok());

  const auto code = [](const std::vector<Certificate>& chain, const Digest48& root,
                       std::int64_t at) { return verify_chain(chain, root, at).error().code; };
  EXPECT_EQ(code({turin_chip, milan[0], milan[1]}, pin(milan), kStartOf2025), Errc::mismatch);
  EXPECT_EQ(code({milan_chip, milan[0], milan[1]}, pin(turin), kNow), Errc::mismatch);
  EXPECT_EQ(code({turin_chip, turin[0], turin[1]}, pin(turin), kNow), Errc::expired);  // not yet
  EXPECT_EQ(code({milan_chip, milan[0], milan[1]}, pin(milan), milan_chip.not_after() + 1),
            Errc::expired);
  // The VLEK's intermediate has the same root but another key and name.
  EXPECT_EQ(code({milan_chip, pem("milan-asvk-ark.pem")[0], milan[1]}, pin(milan), kNow),
            Errc::mismatch);
}

TEST_F(Amd, ChipExtensionsAreThere) {
  const Certificate chip = der("milan-a/vcek.der");
  // AMD's VCEK specification (57230), table 9: hardware id, 64 bytes without a wrapper.
  EXPECT_EQ(chip.extension("1.3.6.1.4.1.3704.1.4")->size(), 64U);
  // Boot loader SVN, a DER INTEGER.
  EXPECT_EQ(chip.extension("1.3.6.1.4.1.3704.1.3.1")->front(), 0x02);
  EXPECT_EQ(chip.extension("1.3.6.1.4.1.3704.1.3.9").error().code, Errc::not_found);
}

TEST_F(Amd, AFlippedBitIsRefused) {
  const auto milan = pem("milan-ask-ark.pem");
  Bytes changed = der("milan-a/vcek.der").der();
  changed.back() ^= 1;
  const auto certificate = Certificate::from_der(changed);
  ASSERT_TRUE(certificate.ok());
  EXPECT_EQ(certificate->verify_issued_by(milan[0]).error().code, Errc::bad_signature);
}

}  // namespace
}  // namespace sp::crypto
