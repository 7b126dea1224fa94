#include "collateral/wanted.hpp"

#include <gtest/gtest.h>

#include <set>

namespace sp::collateral {
namespace {

Fmspc fmspc(std::string_view hex) { return Fmspc::from_hex(hex).value(); }

// One of every kind, with its path at a vendor's service.
struct Example {
  Wanted wanted;
  std::string path;
  attest::Vendor vendor;
};
std::vector<Example> examples() {
  using attest::Vendor;
  const Bytes hwid(kHwidSize, 0xa1);
  const Bytes turin(kTurinHwidSize, 0xb2);
  std::string long_hex;
  for (int i = 0; i < 64; ++i) long_hex += "a1";
  return {
      {AmdChipCertificate{AmdProduct::milan, hwid, {3, 0, 8, 115, 0}},
       "/vcek/v1/Milan/" + long_hex + "?blSPL=03&teeSPL=00&snpSPL=08&ucodeSPL=115", Vendor::amd},
      {AmdChipCertificate{AmdProduct::turin, turin, {1, 2, 3, 4, 5}},
       "/vcek/v1/Turin/b2b2b2b2b2b2b2b2?fmcSPL=05&blSPL=01&teeSPL=02&snpSPL=03&ucodeSPL=04",
       Vendor::amd},
      {AmdCertificateChain{AmdKey::vcek, AmdProduct::genoa}, "/vcek/v1/Genoa/cert_chain",
       Vendor::amd},
      {AmdCertificateChain{AmdKey::vlek, AmdProduct::milan}, "/vlek/v1/Milan/cert_chain",
       Vendor::amd},
      {AmdCrl{AmdKey::vcek, AmdProduct::turin}, "/vcek/v1/Turin/crl", Vendor::amd},
      {AmdCrl{AmdKey::vlek, AmdProduct::turin}, "/vlek/v1/Turin/crl", Vendor::amd},
      {IntelPckCrl{IntelCa::platform}, "/sgx/certification/v4/pckcrl?ca=platform&encoding=der",
       Vendor::intel},
      {IntelPckCrl{IntelCa::processor}, "/sgx/certification/v4/pckcrl?ca=processor&encoding=der",
       Vendor::intel},
      {IntelRootCrl{}, "/sgx/certification/v4/rootcacrl", Vendor::intel},
      {IntelTcbInfo{IntelTee::sgx, fmspc("00906ED50000")},
       "/sgx/certification/v4/tcb?fmspc=00906ed50000", Vendor::intel},
      {IntelTcbInfo{IntelTee::tdx, fmspc("00806f050000")},
       "/tdx/certification/v4/tcb?fmspc=00806f050000", Vendor::intel},
      {IntelQeIdentity{IntelTee::sgx}, "/sgx/certification/v4/qe/identity", Vendor::intel},
      {IntelQeIdentity{IntelTee::tdx}, "/tdx/certification/v4/qe/identity", Vendor::intel}};
}

TEST(Wanted, HasItsPathAtItsVendor) {
  for (const Example& example : examples()) {
    EXPECT_EQ(path_of(example.wanted), example.path);
    EXPECT_EQ(vendor_of(example.wanted), example.vendor) << example.path;
    EXPECT_FALSE(name_of(example.wanted).empty());
  }
}

TEST(Wanted, HasOneEncoding) {
  std::set<Digest32> keys;
  for (const Example& example : examples()) {
    const Bytes encoded = encode(example.wanted);
    EXPECT_LE(encoded.size(), kWantedSizeMax);
    const auto decoded = decode_wanted(encoded);
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(*decoded, example.wanted);
    EXPECT_TRUE(keys.insert(key_of(example.wanted)).second) << example.path;
    for (std::size_t size = 0; size < encoded.size(); ++size) {
      EXPECT_EQ(decode_wanted(ByteView(encoded).first(size)).error().code, Errc::malformed);
    }
    Bytes longer = encoded;
    longer.push_back(0);
    EXPECT_EQ(decode_wanted(longer).error().code, Errc::malformed);
  }
}

TEST(Wanted, UnknownValuesAreRefused) {
  for (const Bytes& bytes : {Bytes{0}, Bytes{8}, Bytes{2, 0, 1}, Bytes{2, 3, 1}, Bytes{2, 1, 4},
                             Bytes{4, 0}, Bytes{4, 3}, Bytes{7, 3}, Bytes{7, 0}}) {
    EXPECT_EQ(decode_wanted(bytes).error().code, Errc::malformed) << to_hex(bytes);
  }
  Bytes milan_with_fmc =
      encode(AmdChipCertificate{AmdProduct::milan, Bytes(kHwidSize, 1), {1, 2, 3, 4, 0}});
  milan_with_fmc.back() = 1;
  EXPECT_EQ(decode_wanted(milan_with_fmc).error().message,
            "an FMC version of another product than Turin");
}

TEST(Wanted, ProductsHaveNames) {
  EXPECT_EQ(product_from_name("Genoa").value(), AmdProduct::genoa);
  EXPECT_EQ(product_from_name("Venice").error().code, Errc::unsupported);
}

}  // namespace
}  // namespace sp::collateral
