#include "attest/launch_ovmf.hpp"

#include <map>

#include "attest/little_endian.hpp"

namespace sp::attest {
namespace {

// An entry ends with its size (u16, itself included) and its GUID, so the table is read from its
// end, which lies 32 bytes before the end of the image. GUIDs as they lie in memory (UEFI's mixed
// byte order).
constexpr std::size_t kTableEnd = 32;
constexpr std::size_t kGuidSize = 16;
constexpr std::size_t kEntryHeadSize = 2 + kGuidSize;
constexpr std::string_view kTableGuid = "de82b596b21ff745baeaa366c55a082d";
constexpr std::string_view kHashesGuid = "1f3755723b3a044b927b1da6efa8d454";
constexpr std::string_view kResetBlockGuid = "de71f7007e1acb4f890e68c77e2fb44e";
constexpr std::string_view kSevMetadataGuid = "666588dc4a989847a75e5585a7bf67cc";
constexpr std::string_view kTdxMetadataGuid = "35657ae44a989847865e4685a7bf8ec2";

constexpr std::string_view kSevSignature = "ASEV";
constexpr std::string_view kTdxSignature = "TDVF";
constexpr std::uint32_t kMetadataVersion = 1;
constexpr std::size_t kMetadataHeadSize = 16;  // signature, size, version, count
constexpr std::size_t kSevSectionSize = 12;
constexpr std::size_t kTdxSectionSize = 32;

using Table = std::map<std::string, ByteView, std::less<>>;

Error malformed(std::string_view what) {
  return {Errc::malformed, "firmware: " + std::string(what)};
}

// Takes the last entry off `rest`: its GUID and the data before its size.
Result<std::pair<std::string, ByteView>> take_last(ByteView& rest) {
  if (rest.size() < kEntryHeadSize) return malformed("an entry of its table is truncated");
  const std::uint64_t size =
      little_number(rest.subspan(rest.size() - kEntryHeadSize, sizeof(std::uint16_t)));
  if (size < kEntryHeadSize || size > rest.size()) {
    return malformed("an entry of its table has a wrong size");
  }
  const std::string guid = to_hex(rest.last(kGuidSize));
  const ByteView data = rest.last(size).first(size - kEntryHeadSize);
  rest = rest.first(rest.size() - size);
  return std::pair(guid, data);
}

Result<Table> read_table(ByteView firmware) {
  ByteView rest = firmware.first(firmware.size() - kTableEnd);
  SP_ASSIGN(const auto footer, take_last(rest));
  if (footer.first != kTableGuid) return malformed("it has no table of GUIDed entries");
  rest = footer.second;
  Table table;
  while (!rest.empty()) {
    if (table.size() == kFirmwareEntriesMax) {
      return Error{Errc::too_large, "firmware: its table has over " +
                                        std::to_string(kFirmwareEntriesMax) + " entries"};
    }
    SP_ASSIGN(const auto entry, take_last(rest));
    if (!table.insert(entry).second) return malformed("an entry of its table stands twice");
  }
  return table;
}

// The number that an entry holds; empty where there is no such entry.
Result<std::optional<std::uint32_t>> number_of(const Table& table, std::string_view guid) {
  const auto found = table.find(guid);
  if (found == table.end()) return std::optional<std::uint32_t>();
  if (found->second.size() < sizeof(std::uint32_t)) return malformed("an entry is truncated");
  return std::optional(
      static_cast<std::uint32_t>(little_number(found->second.first(sizeof(std::uint32_t)))));
}

// A reader of the sections that start `offset` bytes before the image's end, and their count.
struct Sections {
  LittleReader reader;
  std::uint32_t count;
};
Result<Sections> open_metadata(ByteView firmware, std::uint32_t offset, std::string_view signature,
                               std::size_t section_size) {
  if (offset > firmware.size()) return malformed("its metadata lies outside");
  LittleReader reader(firmware.last(offset));
  if (as_text(reader.raw(signature.size())) != signature) {
    return malformed("its metadata has the wrong signature");
  }
  const std::uint32_t size = reader.u32();
  const std::uint32_t version = reader.u32();
  const std::uint32_t count = reader.u32();
  SP_TRY(reader.status());
  if (version != kMetadataVersion) {
    return Error{Errc::unsupported,
                 "firmware: metadata of version " + std::to_string(version) + ", known is 1"};
  }
  if (count > kFirmwareSectionsMax) {
    return Error{Errc::too_large, "firmware: " + std::to_string(count) +
                                      " sections of metadata, at most " +
                                      std::to_string(kFirmwareSectionsMax)};
  }
  if (size != kMetadataHeadSize + count * section_size) {
    return malformed("its metadata has a wrong size");
  }
  return Sections{reader, count};
}

Status add_up(std::uint64_t& total, std::uint64_t address, std::uint64_t size) {
  if (address % kPageSize != 0 || size % kPageSize != 0) {
    return malformed("a section isn't whole pages");
  }
  if (size > kSectionsSizeMax - total) {
    return Error{Errc::too_large,
                 "firmware: its sections span over " + std::to_string(kSectionsSizeMax) + " bytes"};
  }
  total += size;
  return {};
}

Result<std::vector<SevSection>> read_sev(ByteView firmware, std::uint32_t offset) {
  SP_ASSIGN(Sections sections, open_metadata(firmware, offset, kSevSignature, kSevSectionSize));
  std::vector<SevSection> list;
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < sections.count; ++i) {
    SevSection section;
    section.address = sections.reader.u32();
    section.size = sections.reader.u32();
    section.type = sections.reader.u32();
    SP_TRY(sections.reader.status());
    SP_TRY(add_up(total, section.address, section.size));
    list.push_back(section);
  }
  return list;
}

Result<std::vector<TdxSection>> read_tdx(ByteView firmware, std::uint32_t offset) {
  SP_ASSIGN(Sections sections, open_metadata(firmware, offset, kTdxSignature, kTdxSectionSize));
  std::vector<TdxSection> list;
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < sections.count; ++i) {
    TdxSection section;
    section.data_offset = sections.reader.u32();
    section.data_size = sections.reader.u32();
    section.memory_address = sections.reader.u64();
    section.memory_size = sections.reader.u64();
    section.type = sections.reader.u32();
    section.attributes = sections.reader.u32();
    SP_TRY(sections.reader.status());
    SP_TRY(add_up(total, section.memory_address, section.memory_size));
    list.push_back(section);
  }
  return list;
}

}  // namespace

Result<Ovmf> parse_ovmf(ByteView firmware) {
  if (firmware.size() > kFirmwareSizeMax) {
    return Error{Errc::too_large, "firmware of " + std::to_string(firmware.size()) +
                                      " bytes, at most " + std::to_string(kFirmwareSizeMax)};
  }
  if (firmware.empty() || firmware.size() % kPageSize != 0) {
    return malformed("it isn't whole pages");
  }
  SP_ASSIGN(const Table table, read_table(firmware));
  Ovmf ovmf;
  SP_ASSIGN(ovmf.reset_vector, number_of(table, kResetBlockGuid));
  SP_ASSIGN(ovmf.hashes_table, number_of(table, kHashesGuid));
  SP_ASSIGN(const auto sev, number_of(table, kSevMetadataGuid));
  if (sev) {
    SP_ASSIGN(ovmf.sev, read_sev(firmware, *sev));
  }
  SP_ASSIGN(const auto tdx, number_of(table, kTdxMetadataGuid));
  if (tdx) {
    SP_ASSIGN(ovmf.tdx, read_tdx(firmware, *tdx));
  }
  return ovmf;
}

}  // namespace sp::attest
