#include "prove/dev.hpp"

#include <algorithm>

#include "base/codec.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"

namespace sp::prove {
namespace {

constexpr std::string_view kMagic = "SPDP";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kScalarSize = 32;
constexpr std::size_t kEncodedSize = 4 + 2 + attest::HardwareId::kSize + kScalarSize;
constexpr std::size_t kReadSize = 1 << 20;

static_assert(kEncodedSize <= kDevPlatformSizeMax);

}  // namespace

DevPlatform DevPlatform::generate(Random& random) {
  return {crypto::EcKey::generate(crypto::Curve::p256, random),
          crypto::random_fixed<attest::HardwareId>(random)};
}

attest::ChipId DevPlatform::chip() const {
  return attest::chip_id(attest::Vendor::dev, hardware_id.view());
}

SecretBytes DevPlatform::encode() const {
  SP_CHECK(key.secret().size() == kScalarSize);
  Writer head;
  head.raw(as_bytes(kMagic)).u16(kVersion).raw(hardware_id.view());
  SecretBytes encoded(kEncodedSize);
  const ByteView scalar = key.secret().reveal();
  const auto end = std::copy(head.bytes().begin(), head.bytes().end(), encoded.writable().begin());
  std::copy(scalar.begin(), scalar.end(), end);
  return encoded;
}

Result<DevPlatform> DevPlatform::decode(ByteView bytes) {
  Reader reader(bytes);
  if (as_text(reader.raw(kMagic.size())) != kMagic) {
    reader.fail(Errc::malformed, "not a dev platform: it doesn't begin with SPDP");
  }
  if (reader.u16() != kVersion) reader.fail(Errc::unsupported, "unknown version of dev platform");
  const auto hardware_id = reader.fixed<attest::HardwareId>();
  const ByteView scalar = reader.raw(kScalarSize);
  SP_TRY(reader.finish());
  SP_ASSIGN(crypto::EcKey key,
            crypto::EcKey::from_secret(crypto::Curve::p256, SecretBytes(scalar)));
  return DevPlatform{std::move(key), hardware_id};
}

Result<attest::Measurement> measure_program(const Files& files, const Path& program) {
  SP_ASSIGN(const std::uint64_t size, files.size(program));
  if (size > kProgramSizeMax) {
    return Error{Errc::too_large, program.string() + " has " + std::to_string(size) +
                                      " bytes, at most " + std::to_string(kProgramSizeMax) +
                                      " are measured"};
  }
  crypto::Hasher hasher(crypto::Hasher::Kind::sha384);
  for (std::uint64_t at = 0; at < size;) {
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(kReadSize, size - at));
    SP_ASSIGN(const Bytes bytes, files.read_range(program, at, piece));
    hasher.update(bytes);
    at += piece;
  }
  return attest::Measurement::from(hasher.finish());
}

ProverIdentity DevProver::identity() const {
  return {attest::EvidenceKind::dev, attest::Vendor::dev, platform_.chip(),
          attest::measurement_digest(attest::EvidenceKind::dev, measurement_)};
}

Result<attest::Evidence> DevProver::evidence(const attest::ReportData& report_data) {
  return attest::make_dev_evidence(platform_.key, platform_.hardware_id, measurement_, report_data);
}

}  // namespace sp::prove
