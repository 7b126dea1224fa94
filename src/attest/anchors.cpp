#include "attest/anchors.hpp"

namespace sp::attest {
namespace {

Digest48 key(std::string_view hex) {
  auto digest = Digest48::from_hex(hex);
  SP_CHECK(digest.ok());
  return *digest;
}

}  // namespace

const Anchors& Anchors::vendors() {
  static const Anchors anchors{
      // ARK-Milan, ARK-Genoa, ARK-Turin, as AMD's key distribution service publishes them.
      {key("1249f67f15cf229a4069195e1a9ce537d1765ef706a1f4a123c36be9518786515d25ecc007f366b564d2b3f"
           "3"
           "1c48082e"),
       key("32ab53a6ce5ec14926207396e5c475ae768a6a9831b7e860b5acf2e1c1dff222bc5a8bfc43eb5e06393189c"
           "1"
           "f246d880"),
       key("3475f08a9727f8ac9a1deaea5f2a2097aa59d64d05c2a678c229c873e6359d3a6926287a2a22cd5f88a385e"
           "3"
           "33a2fcc5")},
      // Intel SGX Root CA.
      {key(
          "3cdf1feb4e5eac629170f17625648da4a16effa22ae2bcca030b4358a8961c1bf26cf54a9598cd6a2d4a9cbb"
          "62377d22")}};
  return anchors;
}

bool Anchors::is_vendor(const Digest48& root) {
  const auto in = [&](const std::vector<Digest48>& keys) {
    return std::find(keys.begin(), keys.end(), root) != keys.end();
  };
  return in(vendors().amd) || in(vendors().intel);
}

}  // namespace sp::attest
