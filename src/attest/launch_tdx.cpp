#include "attest/launch_tdx.hpp"

#include "attest/little_endian.hpp"
#include "crypto/hash.hpp"

namespace sp::attest {
namespace {

// Sections of TDX metadata: QEMU starts those up to permanent memory, which the guest accepts by
// itself and nothing measures.
constexpr std::uint32_t kPermanentMemory = 4;
constexpr std::uint32_t kExtendAttribute = 1;
constexpr std::uint32_t kAugmentAttribute = 2;

// TDH.MEM.PAGE.ADD and TDH.MR.EXTEND update the digest by a block of 128 bytes that names the
// operation and the address; the latter by its 256 bytes of memory too.
constexpr std::size_t kBlockSize = 128;
constexpr std::size_t kBlockAddressAt = 16;
constexpr std::size_t kChunkSize = 256;
constexpr std::string_view kPageAdd = "MEM.PAGE.ADD";
constexpr std::string_view kExtend = "MR.EXTEND";

void update(crypto::Hasher& hasher, std::string_view operation, std::uint64_t address) {
  std::array<std::uint8_t, kBlockSize> block{};
  const ByteView name = as_bytes(operation);
  std::copy(name.begin(), name.end(), block.begin());
  put_little(address, MutableByteView(block).subspan(kBlockAddressAt, 8));
  hasher.update(block);
}

void add_page(crypto::Hasher& hasher, std::uint64_t address, ByteView data, bool extend) {
  update(hasher, kPageAdd, address);
  if (!extend) return;
  Bytes page = to_bytes(data);
  page.resize(kPageSize);
  for (std::size_t at = 0; at < kPageSize; at += kChunkSize) {
    update(hasher, kExtend, address + at);
    hasher.update(ByteView(page).subspan(at, kChunkSize));
  }
}

Status add_section(crypto::Hasher& hasher, ByteView firmware, const TdxSection& section) {
  if (section.type > kPermanentMemory) {
    return Error{Errc::unsupported, "firmware: TDX metadata with a section of unknown type " +
                                        std::to_string(section.type)};
  }
  if (section.type == kPermanentMemory || (section.attributes & kAugmentAttribute) != 0) return {};
  if (section.data_offset > firmware.size() ||
      section.data_size > firmware.size() - section.data_offset ||
      section.data_size > section.memory_size) {
    return Error{Errc::malformed, "firmware: a section's data lies outside"};
  }
  const ByteView data = firmware.subspan(section.data_offset, section.data_size);
  const bool extend = (section.attributes & kExtendAttribute) != 0;
  for (std::uint64_t at = 0; at < section.memory_size; at += kPageSize) {
    const std::size_t from = std::min<std::size_t>(at, data.size());
    const ByteView rest = data.subspan(from);
    add_page(hasher, section.memory_address + at, rest.first(std::min(rest.size(), kPageSize)),
             extend);
  }
  return {};
}

// ---- PE images ----

constexpr std::size_t kPeOffsetAt = 0x3c;
constexpr std::size_t kCoffSize = 24;  // with the signature
constexpr std::size_t kSectionSize = 40;
constexpr std::size_t kChecksumAt = 64;  // in the optional header
constexpr std::size_t kHeadersSizeAt = 60;
constexpr std::size_t kCertificateEntry = 4;  // of the data directories
constexpr std::uint16_t kPe32 = 0x10b, kPe32Plus = 0x20b;

Error malformed_image(std::string_view what) {
  return {Errc::malformed, "PE image: " + std::string(what)};
}

struct Range {
  std::size_t offset, size;
};

struct PeLayout {
  std::size_t checksum = 0;           // offset of its 4 bytes
  std::size_t certificate_entry = 0;  // offset of its 8 bytes
  std::size_t certificates_size = 0;
  std::size_t headers_size = 0;
  std::vector<Range> sections;  // in the order of the file
};

Result<std::uint32_t> number_at(ByteView image, std::size_t offset, std::size_t size) {
  if (offset > image.size() || size > image.size() - offset) return malformed_image("truncated");
  return static_cast<std::uint32_t>(little_number(image.subspan(offset, size)));
}

Result<std::vector<Range>> read_sections(ByteView image, std::size_t at, std::size_t count) {
  if (count > kPeSectionsMax) {
    return Error{Errc::too_large, "PE image: " + std::to_string(count) + " sections, at most " +
                                      std::to_string(kPeSectionsMax)};
  }
  std::vector<Range> sections;
  for (std::size_t i = 0; i < count; ++i) {
    SP_ASSIGN(const std::size_t size, number_at(image, at + i * kSectionSize + 16, 4));
    SP_ASSIGN(const std::size_t offset, number_at(image, at + i * kSectionSize + 20, 4));
    if (size == 0) continue;
    if (offset > image.size() || size > image.size() - offset) {
      return malformed_image("a section lies outside");
    }
    sections.push_back({offset, size});
  }
  std::sort(sections.begin(), sections.end(),
            [](const Range& a, const Range& b) { return a.offset < b.offset; });
  return sections;
}

Result<PeLayout> read_layout(ByteView image) {
  SP_ASSIGN(const std::size_t pe, number_at(image, kPeOffsetAt, 4));
  SP_ASSIGN(const std::uint32_t signature, number_at(image, pe, 4));
  if (signature != little_number(as_bytes(std::string_view("PE\0\0", 4)))) {
    return malformed_image("it has no PE header");
  }
  SP_ASSIGN(const std::size_t count, number_at(image, pe + 6, 2));
  SP_ASSIGN(const std::size_t optional_size, number_at(image, pe + 20, 2));
  const std::size_t optional = pe + kCoffSize;
  SP_ASSIGN(const std::uint32_t magic, number_at(image, optional, 2));
  if (magic != kPe32 && magic != kPe32Plus) return malformed_image("of unknown kind");
  const std::size_t directories = optional + (magic == kPe32Plus ? 112 : 96);
  SP_ASSIGN(const std::uint32_t directory_count, number_at(image, directories - 4, 4));
  if (directory_count <= kCertificateEntry) return malformed_image("without directories");
  PeLayout layout;
  layout.checksum = optional + kChecksumAt;
  layout.certificate_entry = directories + 8 * kCertificateEntry;
  SP_ASSIGN(layout.certificates_size, number_at(image, layout.certificate_entry + 4, 4));
  SP_ASSIGN(layout.headers_size, number_at(image, optional + kHeadersSizeAt, 4));
  if (layout.headers_size < layout.certificate_entry + 8 || layout.headers_size > image.size()) {
    return malformed_image("its headers lie outside");
  }
  SP_ASSIGN(layout.sections, read_sections(image, optional + optional_size, count));
  return layout;
}

}  // namespace

Result<Measurement> tdx_mrtd(ByteView firmware) {
  SP_ASSIGN(const Ovmf ovmf, parse_ovmf(firmware));
  if (ovmf.tdx.empty()) return Error{Errc::mismatch, "firmware has no TDX metadata"};
  crypto::Hasher hasher(crypto::Hasher::Kind::sha384);
  for (const TdxSection& section : ovmf.tdx) SP_TRY(add_section(hasher, firmware, section));
  return Measurement::from(hasher.finish());
}

Result<Digest48> pe_image_digest(ByteView image) {
  if (image.size() > kKernelSizeMax) return Error{Errc::too_large, "PE image: too large"};
  SP_ASSIGN(const PeLayout layout, read_layout(image));
  crypto::Hasher hasher(crypto::Hasher::Kind::sha384);
  const auto hash = [&](std::size_t from, std::size_t end) {
    hasher.update(image.subspan(from, end - from));
  };
  hash(0, layout.checksum);
  hash(layout.checksum + 4, layout.certificate_entry);
  hash(layout.certificate_entry + 8, layout.headers_size);
  std::uint64_t hashed = layout.headers_size;
  for (const Range& section : layout.sections) {
    hash(section.offset, section.offset + section.size);
    hashed += section.size;
  }
  // What follows the sections counts, except the signatures themselves.
  const std::uint64_t end = hashed + layout.certificates_size;
  if (end > image.size()) return malformed_image("its sections overlap");
  hash(hashed, image.size() - layout.certificates_size);
  return Digest48::from(hasher.finish());
}

Digest48 rtmr_extend(const Digest48& value, const Digest48& digest) {
  Bytes both = to_bytes(value.view());
  append(both, digest.view());
  return crypto::sha384(both);
}

Digest48 tdx_rtmr1(const Digest48& kernel_image, BootSeparator separator) {
  const auto text = [](std::string_view action) { return crypto::sha384(as_bytes(action)); };
  Digest48 value = rtmr_extend({}, kernel_image);
  value = rtmr_extend(value, text("Calling EFI Application from Boot Option"));
  if (separator == BootSeparator::present) {
    value = rtmr_extend(value, crypto::sha384(Bytes{0, 0, 0, 0}));
  }
  value = rtmr_extend(value, text("Exit Boot Services Invocation"));
  return rtmr_extend(value, text("Exit Boot Services Returned with Success"));
}

Result<Digest48> load_options_digest(std::string_view load_options) {
  Bytes wide;
  for (const std::uint8_t byte : as_bytes(load_options)) {
    if (byte == 0 || byte > 0x7f) return Error{Errc::malformed, "load options must be ASCII"};
    wide.push_back(byte);
    wide.push_back(0);
  }
  wide.resize(wide.size() + 2);
  return crypto::sha384(wide);
}

Digest48 tdx_rtmr2(const Digest48& load_options, const Digest48& initrd) {
  return rtmr_extend(rtmr_extend({}, load_options), initrd);
}

}  // namespace sp::attest
