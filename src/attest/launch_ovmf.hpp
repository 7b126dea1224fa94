// What an OVMF firmware image says about itself: the table of GUIDed entries at its end, and the
// metadata of AMD SEV and Intel TDX that it points to (OvmfPkg of EDK II: ResetVectorVtf0.asm,
// OvmfSevMetadata.asm; "Intel TDX Virtual Firmware Design Guide" section 11). Reads hostile bytes;
// pure.
#pragma once

#include <optional>
#include <vector>

#include "base/bytes.hpp"

namespace sp::attest {

inline constexpr std::size_t kFirmwareSizeMax = 16 * 1024 * 1024;
inline constexpr std::size_t kFirmwareEntriesMax = 32;   ///< of the table
inline constexpr std::size_t kFirmwareSectionsMax = 64;  ///< of one kind of metadata
inline constexpr std::size_t kPageSize = 4096;
/// The memory that the sections of one kind of metadata may span: no firmware asks for more.
inline constexpr std::uint64_t kSectionsSizeMax = 64ULL * 1024 * 1024;

/// A section of SEV metadata.
struct SevSection {
  std::uint32_t address = 0, size = 0, type = 0;
};
/// The types that OVMF and QEMU know.
inline constexpr std::uint32_t kSevMemory = 1, kSevSecrets = 2, kSevCpuid = 3, kSevSvsmArea = 4,
                               kSevKernelHashes = 0x10;

/// A section of TDX metadata; `memory_address` and sizes in bytes of guest memory.
struct TdxSection {
  std::uint32_t data_offset = 0, data_size = 0;
  std::uint64_t memory_address = 0, memory_size = 0;
  std::uint32_t type = 0, attributes = 0;
};

struct Ovmf {
  std::optional<std::uint32_t> reset_vector;  ///< where application processors start (SEV-ES)
  std::optional<std::uint32_t> hashes_table;  ///< address of the table of kernel hashes
  std::vector<SevSection> sev;
  std::vector<TdxSection> tdx;
};

/// Errc::too_large over kFirmwareSizeMax and the limits above; Errc::malformed for an image that
/// isn't whole pages, has no table, or whose table or metadata isn't well formed;
/// Errc::unsupported for another version of metadata.
Result<Ovmf> parse_ovmf(ByteView firmware);

}  // namespace sp::attest
