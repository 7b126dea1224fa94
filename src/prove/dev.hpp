// The dev platform: a key in a file that stands for a machine's hardware where there is no TEE.
//
// Whoever reads the file can claim anything, so what it signs is worthless for confidentiality and
// is marked so everywhere (attest/dev.hpp).
#pragma once

#include "attest/dev.hpp"
#include "base/files.hpp"
#include "prove/prover.hpp"

namespace sp::prove {

inline constexpr std::size_t kDevPlatformSizeMax = 256;            ///< bytes of an encoded platform
inline constexpr std::size_t kProgramSizeMax = 512 * 1024 * 1024;  ///< bytes that can be measured

/// A stand-in for one machine: its signing key and its hardware id. Move-only.
struct DevPlatform {
  crypto::EcKey key;  ///< P-256
  attest::HardwareId hardware_id;

  static DevPlatform generate(Random& random);

  /// The chip identity that offers and attestations name.
  [[nodiscard]] attest::ChipId chip() const;
  /// What a policy pins ("devKeys").
  [[nodiscard]] Digest48 anchor() const { return attest::dev_anchor(key.public_key()); }

  /// The file's content: "SPDP" | u16 version | hardware id 32 | private scalar 32. Secret.
  [[nodiscard]] SecretBytes encode() const;
  /// Errc::malformed, Errc::unsupported.
  static Result<DevPlatform> decode(ByteView bytes);
};

/// The dev measurement of a program: SHA-384 of its file. A program's own is at kOwnProgram.
/// Errc::not_found, Errc::too_large, Errc::io.
Result<attest::Measurement> measure_program(const Files& files, const Path& program);
inline constexpr const char* kOwnProgram = "/proc/self/exe";

class DevProver final : public Prover {
 public:
  DevProver(DevPlatform platform, const attest::Measurement& measurement)
      : platform_(std::move(platform)), measurement_(measurement) {}

  [[nodiscard]] ProverIdentity identity() const override;
  Result<attest::Evidence> evidence(const attest::ReportData& report_data) override;

 private:
  DevPlatform platform_;
  attest::Measurement measurement_;
};

}  // namespace sp::prove
