// The launch digest that an AMD processor reports of a guest which QEMU starts: from the firmware,
// the number and type of its processors, and, where the kernel is started directly, kernel, initial
// ramdisk and command line (56860 section 8.17.2 "PAGE_INFO"; AMD64 APM volume 2 table B-4 for the
// processors' state; QEMU target/i386/sev.c and OvmfPkg for what lies where).
//
// Pure functions over bytes. Other hypervisors start processors in another state: their guests have
// other digests.
#pragma once

#include "attest/evidence.hpp"
#include "attest/launch_ovmf.hpp"

namespace sp::attest {

inline constexpr std::uint32_t kLaunchCpusMax = 4096;

/// SHA-256 of what QEMU measures when it starts a kernel directly.
struct KernelHashes {
  Digest32 kernel, initrd, append;
};
/// `append` is the command line as given to QEMU, without a terminator; no initrd is an empty one.
/// The kernel is measured as the file is: QEMU with SEV doesn't change its header.
KernelHashes hash_kernel(ByteView kernel, ByteView initrd, std::string_view append);

struct SevLaunch {
  std::uint32_t cpus = 1;            ///< 1 to kLaunchCpusMax
  std::uint32_t cpu_signature = 0;   ///< CPUID 1 EAX, of cpu_signature()
  std::uint64_t guest_features = 1;  ///< SEV_FEATURES of the VMSA; SNP alone is 1
  std::optional<KernelHashes> kernel;
};

/// CPUID 1 EAX of QEMU's processor models: "EPYC-v4", "EPYC-Milan", and "Milan", "Genoa", "Turin"
/// for short. Errc::not_found.
Result<std::uint32_t> cpu_signature(std::string_view model);

/// The digest of the firmware's pages alone, with which a launch digest begins. CHECK for firmware
/// that isn't whole pages.
Measurement snp_firmware_digest(ByteView firmware);

/// The launch digest of an SNP guest. Errc::malformed, Errc::too_large, Errc::unsupported (a kind
/// of section that isn't known), Errc::mismatch for a kernel where the firmware measures none.
Result<Measurement> snp_launch_digest(ByteView firmware, const SevLaunch& launch);
/// The same from the firmware's own digest; `ovmf` is what parse_ovmf() found in it.
Result<Measurement> snp_launch_digest(const Ovmf& ovmf, const Measurement& firmware_digest,
                                      const SevLaunch& launch);

/// The launch digest of an SEV-ES guest; guest_features aren't part of it.
Result<Digest32> sev_es_launch_digest(ByteView firmware, const SevLaunch& launch);

}  // namespace sp::attest
