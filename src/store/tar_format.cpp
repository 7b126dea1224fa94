#include "store/tar_format.hpp"

#include <string>

namespace sp::store {
namespace {

// Offsets and sizes of POSIX ustar's fields (IEEE 1003.1-2017, pax, "ustar Interchange Format").
struct Field {
  std::size_t offset;
  std::size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kTime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kType = 156;
constexpr Field kMagic{257, 8};
constexpr Field kDeviceMajor{329, 8};
constexpr Field kDeviceMinor{337, 8};

constexpr std::uint64_t kUstarSizeMax = (std::uint64_t{1} << 33) - 1;  // eleven octal digits
constexpr std::string_view kPaxName = "PaxHeader";

void put_text(Bytes& block, Field field, std::string_view text) {
  SP_CHECK(text.size() <= field.size);
  std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(field.offset));
}

/// size-1 octal digits and a NUL.
void put_octal(Bytes& block, Field field, std::uint64_t value) {
  for (std::size_t i = field.size - 1; i > 0; --i, value >>= 3) {
    block[field.offset + i - 1] = static_cast<std::uint8_t>('0' + (value & 7));
  }
  SP_CHECK(value == 0);
}

/// Six octal digits, a NUL and a space, of the sum of all bytes with this field as spaces.
void put_checksum(Bytes& block) {
  put_text(block, kChecksum, "        ");
  std::uint64_t sum = 0;
  for (const std::uint8_t byte : block) sum += byte;
  put_octal(block, {kChecksum.offset, kChecksum.size - 1}, sum);
  block[kChecksum.offset + 6] = 0;
}

Bytes header_block(std::string_view name, unsigned mode, std::uint64_t size, char type) {
  Bytes block(kTarBlock);
  put_text(block, kName, name.substr(0, kName.size));
  put_octal(block, kMode, mode);
  put_octal(block, kUid, 0);
  put_octal(block, kGid, 0);
  put_octal(block, kSize, size);
  put_octal(block, kTime, 0);
  block[kType] = static_cast<std::uint8_t>(type);
  put_text(block, kMagic, std::string_view("ustar\00000", 8));
  put_octal(block, kDeviceMajor, 0);
  put_octal(block, kDeviceMinor, 0);
  put_checksum(block);
  return block;
}

/// "LENGTH KEY=VALUE\n", where LENGTH counts the whole record, its own digits included.
std::string pax_record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;  // space, '=', newline
  std::size_t length = rest + std::to_string(rest).size();
  length = rest + std::to_string(length).size();
  std::string record = std::to_string(length) + ' ';
  record.append(key).append("=").append(value).append("\n");
  SP_CHECK(record.size() == length);
  return record;
}

}  // namespace

Bytes tar_header(const TarEntry& entry) {
  SP_CHECK(!entry.path.empty());
  std::string name(entry.path);
  if (entry.is_folder) name += '/';
  std::string records;
  if (name.size() > kName.size) records += pax_record("path", name);
  const bool large = entry.size > kUstarSizeMax;
  if (large) records += pax_record("size", std::to_string(entry.size));

  Bytes header;
  if (!records.empty()) {
    header = header_block(kPaxName, 0644, records.size(), 'x');
    append(header, as_bytes(records));
    header.resize(header.size() + tar_padding(records.size()));
  }
  const bool executable = entry.is_folder || entry.is_executable;
  append(header, header_block(name, executable ? 0755 : 0644, large ? 0 : entry.size,
                              entry.is_folder ? '5' : '0'));
  return header;
}

}  // namespace sp::store
