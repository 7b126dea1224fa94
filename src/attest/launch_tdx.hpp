// What an Intel TDX quote reports of a guest that QEMU starts with OVMF, as far as it can be
// computed from the files that it starts from:
//
// - MRTD: from the firmware alone. The order of pages and extensions is that of upstream KVM (Linux
//   6.16 and later): each page added, then extended where its section asks for it.
// - RTMR 0: not from files; it measures the hand-off block, variables and tables that QEMU makes
// up.
//   Take it from the event log of a boot that is trusted (replay_rtmrs() of tpm.hpp).
// - RTMR 1 and 2: of a kernel that is started directly, by events that differ between versions of
//   OVMF and Linux in two places, which the caller must know: BootSeparator and the load options.
// - RTMR 3: zero until the guest itself extends it.
//
// (Intel "TDX Module Base Architecture Specification" section 12.2; UEFI 2.10 section 38; "TDX
// Virtual Firmware Design Guide" sections 8 and 11; Linux drivers/firmware/efi/libstub.) Pure.
#pragma once

#include "attest/evidence.hpp"
#include "attest/launch_ovmf.hpp"

namespace sp::attest {

inline constexpr std::size_t kKernelSizeMax = 256 * 1024 * 1024;
inline constexpr std::size_t kPeSectionsMax = 96;  ///< Microsoft's own limit

/// MRTD of a TD with this firmware. Errc::malformed, Errc::too_large, Errc::unsupported (a type of
/// section that QEMU doesn't start), Errc::mismatch for firmware without TDX metadata.
Result<Measurement> tdx_mrtd(ByteView firmware);

/// SHA-384 over a PE image as firmware measures it before it starts it ("Windows Authenticode
/// Portable Executable Signature Format", "Calculating the PE Image Hash"). For a kernel that is
/// started directly: the bytes as QEMU hands them over, whose header some versions of it change.
/// Errc::malformed, Errc::too_large.
Result<Digest48> pe_image_digest(ByteView image);

/// A register after one more measurement: SHA-384(register || digest).
Digest48 rtmr_extend(const Digest48& value, const Digest48& digest);

/// Whether OVMF measures a separator into RTMR 1 before it starts the kernel.
enum class BootSeparator : std::uint8_t { absent, present };
Digest48 tdx_rtmr1(const Digest48& kernel_image, BootSeparator separator);

/// SHA-384 of load options as the kernel's EFI stub measures them: UTF-16, with a terminator. OVMF
/// puts "initrd=initrd " before the command line or " initrd=initrd" behind it where there is an
/// initial ramdisk, by its version. Errc::malformed for what isn't ASCII.
Result<Digest48> load_options_digest(std::string_view load_options);
Digest48 tdx_rtmr2(const Digest48& load_options, const Digest48& initrd);

}  // namespace sp::attest
