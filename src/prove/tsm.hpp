// Evidence inside a guest through Linux's configfs-tsm (Documentation/ABI/testing/configfs-tsm;
// since Linux 6.7): one folder per request under /sys/kernel/config/tsm/report, whose attributes
// are files. SEV-SNP ("sev_guest") and TDX ("tdx_guest").
#pragma once

#include <memory>

#include "base/files.hpp"
#include "base/world.hpp"
#include "prove/prover.hpp"

namespace sp::prove {

inline constexpr const char* kTsmFolder = "/sys/kernel/config/tsm/report";
inline constexpr unsigned kTsmTriesMax = 5;  ///< where others write to the same request

/// The file operations that a request needs. Separate, so that a test can play the kernel behind
/// them. Implementations are safe to call from any thread.
class Tsm {
 public:
  virtual ~Tsm() = default;
  /// Makes a request's folder. Errc::not_found where the kernel offers no reports; Errc::conflict
  /// where it exists; Errc::io.
  virtual Status make(const std::string& request) = 0;
  /// Errc::io, Errc::unavailable where the platform is busy.
  virtual Status write(const std::string& request, const std::string& attribute,
                       ByteView bytes) = 0;
  /// At most `size_max` bytes. Errc::not_found, Errc::too_large, Errc::io, Errc::unavailable.
  virtual Result<Bytes> read(const std::string& request, const std::string& attribute,
                             std::size_t size_max) = 0;
  virtual Status remove(const std::string& request) = 0;
};

/// The kernel's own, below `folder`.
std::unique_ptr<Tsm> kernel_tsm(Path folder = kTsmFolder);

struct TsmOptions {
  /// SNP: VMPL at which the report is asked for; must not be more privileged than the guest's own.
  std::optional<unsigned> privilege_level;
};

/// One fresh report: kind by the provider's name, the platform's bytes, and, where the platform
/// gives certificates along (SNP's table), the collateral. Errc::unsupported for a provider that
/// isn't known; Errc::unavailable where others kept writing to the request.
Result<attest::Evidence> collect_tsm(Tsm& tsm, const attest::ReportData& report_data,
                                     const TsmOptions& options, Random& random);

/// The prover of a program inside an SNP or TDX guest.
class TsmProver final : public Prover {
 public:
  /// Asks once who this platform is. The errors of collect_tsm.
  static Result<std::unique_ptr<TsmProver>> open(std::unique_ptr<Tsm> tsm,
                                                 const TsmOptions& options, Random& random);

  [[nodiscard]] ProverIdentity identity() const override { return identity_; }
  Result<attest::Evidence> evidence(const attest::ReportData& report_data) override;

 private:
  TsmProver(std::unique_ptr<Tsm> tsm, const TsmOptions& options, Random& random)
      : tsm_(std::move(tsm)), options_(options), random_(random) {}

  std::unique_ptr<Tsm> tsm_;
  TsmOptions options_;
  Random& random_;
  ProverIdentity identity_;
};

}  // namespace sp::prove
