// Signatures whose numbers or encoding aren't the one that counts, and certificates in BER: refused
// by which check, and why.
#include <gtest/gtest.h>

#include "attest/intel.hpp"
#include "attest/testing/vendors.hpp"
#include "crypto/x509.hpp"

namespace sp::attest {
namespace {

namespace issue = crypto::testing;
using crypto::DerTag;
using testing::intel;
using testing::IntelRecipe;
using testing::IntelVendor;
using testing::kIntelNow;

std::string said(const Result<Claims>& result) {
  return result ? "accepted" : result.error().message;
}

std::string said_of(const IntelRecipe& recipe) {
  return said(verify_intel(EvidenceKind::tdx, intel().quote(recipe),
                           IntelVendor::collateral(recipe), intel().anchors(), kIntelNow));
}

// ---- Signatures ----

// FIPS 186-4 D.1.2.3: the order of P-256.
Bytes order() {
  return from_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").value();
}

Bytes joined(ByteView r, ByteView s) {
  Bytes both = to_bytes(r);
  append(both, s);
  return both;
}

// order() - number.
Bytes negated(ByteView number) {
  Bytes result = order();
  int borrow = 0;
  for (std::size_t i = result.size(); i-- > 0;) {
    const int difference = result[i] - number[i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    result[i] = static_cast<std::uint8_t>(difference);
  }
  return result;
}

TEST(HostileSignatures, NumbersOutsideTheGroup) {
  const IntelRecipe recipe = intel().tdx_recipe({});
  const Bytes quote = intel().quote(recipe);
  const Collateral collateral = IntelVendor::collateral(recipe);
  constexpr std::size_t kAt = 48 + 584 + 4;
  const ByteView good = ByteView(quote).subspan(kAt, 64);
  const Bytes r = to_bytes(good.first(32)), s = to_bytes(good.last(32));
  const Bytes zero(32, 0), all(32, 0xff);
  const auto with = [&](const Bytes& signature) {
    Bytes changed = quote;
    std::copy(signature.begin(), signature.end(), changed.begin() + kAt);
    return said(verify_intel(EvidenceKind::tdx, changed, collateral, intel().anchors(), kIntelNow));
  };
  for (const Bytes& bad : {joined(zero, s), joined(r, zero), joined(zero, zero), joined(order(), s),
                           joined(r, order()), joined(all, s), joined(r, all), joined(s, r)}) {
    EXPECT_EQ(with(bad),
              "intel.quote.signature: ECDSA signature doesn't verify with the P-256 key");
  }
  // Neither Intel nor AMD says which of s and n - s it is, so both are (docs/ATTESTATION.md).
  EXPECT_EQ(with(joined(r, negated(s))), "accepted");
}

// ---- DER ----

// The same certificate with other bytes of its signature.
Bytes with_signature(ByteView certificate, const std::function<Bytes(const Bytes&)>& change) {
  crypto::DerReader outer(certificate);
  crypto::DerReader fields = outer.enter(DerTag::sequence).value();
  const ByteView to_sign = fields.next()->whole;
  const ByteView algorithm = fields.next()->whole;
  const Bytes changed = change(to_bytes(fields.read(DerTag::bit_string)->subspan(1)));
  const Bytes bits = issue::der(DerTag::bit_string, {Bytes{0}, changed});
  return issue::der(DerTag::sequence, {to_sign, algorithm, bits});
}

Bytes numbers(ByteView r, ByteView s) {
  return issue::der(DerTag::sequence,
                    {issue::der(DerTag::integer, {r}), issue::der(DerTag::integer, {s})});
}

// What becomes of evidence whose TCB signing certificate is changed.
std::string with_signer(const std::function<Bytes(const Bytes&)>& change) {
  IntelRecipe recipe = intel().tdx_recipe({});
  recipe.spoil_collateral = [&](Collateral& collateral) {
    Bytes& piece = collateral.pieces.at(PieceKind::intel_tcb_info_chain);
    const auto blocks = crypto::certificates_of_pem(as_text(piece)).value();
    piece = to_bytes(as_bytes(issue::pem(change(blocks[0])) + issue::pem(blocks[1])));
  };
  return said_of(recipe);
}

TEST(HostileDer, SignaturesOfCertificates) {
  const auto with = [](const std::function<Bytes(const Bytes& r, const Bytes& s)>& encode) {
    return with_signer([&](const Bytes& certificate) {
      return with_signature(certificate, [&](const Bytes& signature) {
        const Bytes raw = crypto::ecdsa_raw_from_der(signature, 32).value();
        return encode(to_bytes(ByteView(raw).first(32)), to_bytes(ByteView(raw).last(32)));
      });
    });
  };
  const auto refused = [&](const std::string& why, const auto& encode) {
    const std::string what = with(encode);
    EXPECT_TRUE(
        what.starts_with("intel.tcbinfo.chain.issued: the certificate of CN=Intel SGX TCB "
                         "Signing isn't signed by the key of CN=Intel SGX Root CA: "))
        << what;
    EXPECT_TRUE(what.ends_with(why)) << what;
  };
  const Bytes pad{0, 0}, negative{0x80};
  EXPECT_EQ(with([](const Bytes& r, const Bytes& s) {
              return crypto::ecdsa_der_from_raw(joined(r, negated(s)));
            }),
            "accepted");
  refused("DER: an integer with a needless leading zero",
          [&](const Bytes& r, const Bytes& s) { return numbers(joined(pad, r), s); });
  refused("DER: a negative integer",
          [&](const Bytes&, const Bytes& s) { return numbers(negative, s); });
  refused("DER: an empty integer", [&](const Bytes&, const Bytes& s) { return numbers({}, s); });
  refused("doesn't verify with the P-256 key", [&](const Bytes&, const Bytes& s) {
    return crypto::ecdsa_der_from_raw(joined(Bytes(32, 0), s));
  });
  refused("doesn't verify with the P-256 key", [&](const Bytes& r, const Bytes&) {
    return crypto::ecdsa_der_from_raw(joined(r, order()));
  });
  refused("DER: an integer of 33 bytes, at most 32",
          [&](const Bytes& r, const Bytes&) { return numbers(Bytes(33, 1), r); });
  refused("DER: 1 bytes after the end", [](const Bytes& r, const Bytes& s) {
    return joined(crypto::ecdsa_der_from_raw(joined(r, s)), Bytes{0});
  });
  refused("DER: indefinite length", [](const Bytes& r, const Bytes& s) {
    Bytes der = crypto::ecdsa_der_from_raw(joined(r, s));
    der[1] = 0x80;
    return joined(der, Bytes{0, 0});
  });
  refused("DER: length in a longer form than needed", [](const Bytes& r, const Bytes& s) {
    Bytes der = crypto::ecdsa_der_from_raw(joined(r, s));
    der.insert(der.begin() + 1, 0x81);
    return der;
  });
}

TEST(HostileDer, Certificates) {
  EXPECT_EQ(with_signer([](const Bytes& certificate) {
              Bytes changed{0x30, 0x80};
              append(changed, ByteView(certificate).subspan(4));
              append(changed, Bytes{0, 0});
              return changed;
            }),
            "intel.tcbinfo.chain.form: DER: indefinite length");
  EXPECT_EQ(with_signer([](const Bytes& certificate) {
              Bytes changed{0x30, 0x83, 0x00};
              append(changed, ByteView(certificate).subspan(2));
              return changed;
            }),
            "intel.tcbinfo.chain.form: DER: length in a longer form than needed");
  EXPECT_EQ(with_signer([](Bytes certificate) {
              const Bytes yes{0x01, 0x01, 0xff};
              const auto at =
                  std::search(certificate.begin(), certificate.end(), yes.begin(), yes.end());
              SP_CHECK(at != certificate.end());
              at[2] = 0x01;
              return certificate;
            }),
            "intel.tcbinfo.chain.form: DER: a boolean that isn't 00 or ff");
  EXPECT_EQ(with_signer([](Bytes certificate) { return joined(certificate, Bytes{0}); }),
            "intel.tcbinfo.chain.form: DER: 1 bytes after the end");
}

}  // namespace
}  // namespace sp::attest
