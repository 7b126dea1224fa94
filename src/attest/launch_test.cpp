// Launch digests against published vectors, and firmware that isn't well formed.
#include <nlohmann/json.hpp>

#include "attest/launch_snp.hpp"
#include "attest/launch_tdx.hpp"
#include "attest/little_endian.hpp"
#include "attest/testing/recorded.hpp"
#include "attest/tpm.hpp"
#include "base/json.hpp"
#include "crypto/hash.hpp"

namespace sp::attest {
namespace {

constexpr std::uint16_t kSha384 = 0x000c;

// ---- Published ----

SevLaunch launch_of(const Json& vector) {
  SevLaunch launch;
  launch.cpus = vector["vcpus"];
  launch.cpu_signature = cpu_signature(vector["vcpu_type"].get<std::string>()).value();
  launch.guest_features = vector["guest_features"];
  if (!vector["kernel"].is_null()) {
    launch.kernel = hash_kernel({}, {}, vector["append"].get<std::string>());
  }
  return launch;
}

std::string digest_of(const Json& vector, ByteView firmware) {
  const SevLaunch launch = launch_of(vector);
  if (vector["mode"] == "seves") return sev_es_launch_digest(firmware, launch).value().hex();
  if (vector.contains("firmware_hash")) {
    const auto start = Measurement::from_hex(vector["firmware_hash"].get<std::string>());
    return snp_launch_digest(parse_ovmf(firmware).value(), *start, launch).value().hex();
  }
  const auto digest = snp_launch_digest(firmware, launch);
  return digest ? digest->hex() : digest.error().message;
}

TEST(Launch, PublishedVectors) {
  SP_RECORDED(text, "launch/vectors.json");
  const Json json = parse_json(as_text(text), 1 << 20).value();
  ASSERT_EQ(json["vectors"].size(), 8U);
  for (const Json& vector : json["vectors"]) {
    SCOPED_TRACE(vector["name"]);
    for (const char* file : {"kernel", "initrd"}) {
      ASSERT_TRUE(vector[file].is_null() || vector[file] == "empty");
    }
    SP_RECORDED(firmware, "launch/" + vector["firmware"].get<std::string>());
    const Json& expected = vector["expect"].is_null() ? vector["error"] : vector["expect"];
    EXPECT_EQ(digest_of(vector, firmware), expected.get<std::string>());
  }
}

// A kernel that OVMF started directly: all but the kernel, options and ramdisk themselves is
// computed.
TEST(Launch, RtmrsOfADirectBootAreThoseOfItsLog) {
  SP_RECORDED(log, "eventlog/ovmf/ccel_data.bin");
  const auto events = parse_event_log(log, kSha384)->events;
  const auto registers = replay_rtmrs(log).value();
  const auto digest_of_first = [&](std::uint32_t index, std::string_view data) {
    const auto found = std::find_if(events.begin(), events.end(), [&](const LogEvent& event) {
      return event.register_index == index && as_text(event.data).find(data) != std::string::npos;
    });
    SP_CHECK(found != events.end());
    return Digest48::from(found->digest).value();
  };
  const std::string_view kernel("k\0e\0r\0n\0e\0l\0", 12);
  EXPECT_EQ(tdx_rtmr1(digest_of_first(2, kernel), BootSeparator::absent), registers[1]);
  EXPECT_EQ(
      tdx_rtmr2(digest_of_first(3, "LOADED_IMAGE::LoadOptions"), digest_of_first(3, "initrd")),
      registers[2]);
  EXPECT_TRUE(registers[3].is_zero());
}

// ---- Firmware of a test's own: one page of code, table and metadata at its end ----

constexpr std::string_view kTableGuid = "de82b596b21ff745baeaa366c55a082d";
constexpr std::string_view kHashesGuid = "1f3755723b3a044b927b1da6efa8d454";
constexpr std::string_view kResetGuid = "de71f7007e1acb4f890e68c77e2fb44e";
constexpr std::string_view kSevGuid = "666588dc4a989847a75e5585a7bf67cc";
constexpr std::string_view kTdxGuid = "35657ae44a989847865e4685a7bf8ec2";
constexpr std::uint32_t kSevAt = 0x800;  // both before the image's end
constexpr std::uint32_t kTdxAt = 0xc00;

void number(Bytes& to, std::uint64_t value, std::size_t size) {
  Bytes bytes(size);
  put_little(value, bytes);
  append(to, bytes);
}

void entry(Bytes& table, std::uint32_t value, std::string_view guid) {
  number(table, value, 4);
  number(table, 4 + 18, 2);
  append(table, from_hex(guid).value());
}

struct Recipe {
  std::vector<SevSection> sev = {{0x800000, 0x1000, kSevMemory},
                                 {0x801000, 0x1000, kSevSecrets},
                                 {0x802000, 0x1000, kSevCpuid},
                                 {0x803000, 0x1000, kSevKernelHashes}};
  std::vector<TdxSection> tdx = {{0, 0x1000, 0xfffff000, 0x1000, 0, 1},
                                 {0, 0, 0x80b000, 0x2000, 3, 0},
                                 {0, 0, 0x809000, 0x1000, 4, 2}};
  std::uint32_t hashes_table = 0x803c00;
  bool reset_block = true;
  std::function<void(Bytes&)> change;
};

void put(Bytes& image, std::size_t before_end, const Bytes& what) {
  std::copy(what.begin(), what.end(), image.end() - static_cast<std::ptrdiff_t>(before_end));
}

Bytes head(std::string_view signature, std::size_t count, std::size_t section_size) {
  Bytes metadata = to_bytes(as_bytes(signature));
  number(metadata, 16 + count * section_size, 4);
  number(metadata, 1, 4);
  number(metadata, count, 4);
  return metadata;
}

Bytes firmware(const Recipe& recipe = {}) {
  Bytes image(kPageSize, 0x90);
  Bytes sev = head("ASEV", recipe.sev.size(), 12);
  for (const SevSection& section : recipe.sev) {
    for (const std::uint32_t field : {section.address, section.size, section.type}) {
      number(sev, field, 4);
    }
  }
  put(image, kSevAt, sev);
  Bytes tdx = head("TDVF", recipe.tdx.size(), 32);
  for (const TdxSection& section : recipe.tdx) {
    number(tdx, section.data_offset, 4);
    number(tdx, section.data_size, 4);
    number(tdx, section.memory_address, 8);
    number(tdx, section.memory_size, 8);
    number(tdx, section.type, 4);
    number(tdx, section.attributes, 4);
  }
  put(image, kTdxAt, tdx);
  Bytes table;
  entry(table, kTdxAt, kTdxGuid);
  entry(table, kSevAt, kSevGuid);
  entry(table, recipe.hashes_table, kHashesGuid);
  if (recipe.reset_block) entry(table, 0x80b004, kResetGuid);
  number(table, table.size() + 18, 2);
  append(table, from_hex(kTableGuid).value());
  put(image, 32 + table.size(), table);
  if (recipe.change) recipe.change(image);
  return image;
}

SevLaunch launch() {
  SevLaunch launch;
  launch.cpu_signature = cpu_signature("Milan").value();
  launch.kernel = hash_kernel(as_bytes("kernel"), as_bytes("initrd"), "quiet");
  return launch;
}

std::string refusal(const Recipe& recipe, const SevLaunch& how = launch()) {
  const auto digest = snp_launch_digest(firmware(recipe), how);
  return digest ? "" : digest.error().message;
}

TEST(Launch, FirmwareIsRead) {
  const auto ovmf = parse_ovmf(firmware());
  ASSERT_TRUE(ovmf.ok()) << ovmf.error().message;
  EXPECT_EQ(ovmf->reset_vector, 0x80b004U);
  EXPECT_EQ(ovmf->hashes_table, 0x803c00U);
  ASSERT_EQ(ovmf->sev.size(), 4U);
  EXPECT_EQ(ovmf->sev[3].type, kSevKernelHashes);
  ASSERT_EQ(ovmf->tdx.size(), 3U);
  EXPECT_EQ(ovmf->tdx[1].memory_size, 0x2000U);
  EXPECT_EQ(refusal({}), "");
}

TEST(Launch, EveryInputCounts) {
  const auto digest = [](const auto& change) {
    SevLaunch how = launch();
    change(how);
    return snp_launch_digest(firmware(), how).value();
  };
  const std::vector<Measurement> digests = {
      digest([](SevLaunch&) {}),
      digest([](SevLaunch& how) { how.cpus = 2; }),
      digest([](SevLaunch& how) { how.cpu_signature = cpu_signature("Turin").value(); }),
      digest([](SevLaunch& how) { how.guest_features = 0x21; }),
      digest([](SevLaunch& how) { how.kernel.reset(); }),
      digest([](SevLaunch& how) { ++how.kernel->kernel.data[0]; }),
      digest([](SevLaunch& how) { ++how.kernel->initrd.data[0]; }),
      digest([](SevLaunch& how) { ++how.kernel->append.data[0]; })};
  const std::set<Measurement> distinct(digests.begin(), digests.end());
  EXPECT_EQ(distinct.size(), digests.size());
}

TEST(Launch, WhatTheFirmwareLacksIsTold) {
  Recipe recipe;
  recipe.reset_block = false;
  EXPECT_EQ(refusal(recipe), "firmware: it has no reset block for SEV-ES");
  recipe = {};
  recipe.sev.pop_back();
  EXPECT_EQ(refusal(recipe), "firmware has no kernel-hashes section");
  recipe = {};
  recipe.hashes_table = 0;
  EXPECT_EQ(sev_es_launch_digest(firmware(recipe), launch()).error().message,
            "firmware has no kernel-hashes table");
  EXPECT_EQ(refusal(recipe), "firmware: its table of kernel hashes isn't within the page for it");
  recipe.hashes_table = 0x803ff0;
  EXPECT_EQ(refusal(recipe), "firmware: its table of kernel hashes isn't within the page for it");
  recipe = {};
  recipe.sev[0].type = 5;
  EXPECT_EQ(refusal(recipe), "firmware: SEV metadata with a section of unknown type 5");
  SevLaunch how = launch();
  how.cpus = 0;
  EXPECT_EQ(refusal({}, how), "0 processors, 1 to 4096");
  how.cpus = kLaunchCpusMax + 1;
  EXPECT_EQ(refusal({}, how), "4097 processors, 1 to 4096");
}

TEST(Launch, FirmwareThatIsNotWellFormedIsRefused) {
  const auto changed = [](std::size_t before_end, std::uint8_t value) {
    Recipe recipe;
    recipe.change = [=](Bytes& image) { image[image.size() - before_end] = value; };
    return refusal(recipe);
  };
  EXPECT_EQ(changed(33, 0), "firmware: it has no table of GUIDed entries");
  EXPECT_EQ(changed(32 + 18, 1), "firmware: an entry of its table has a wrong size");
  EXPECT_EQ(changed(32 + 18 + 18, 1), "firmware: an entry of its table has a wrong size");
  EXPECT_EQ(changed(kSevAt, 'B'), "firmware: its metadata has the wrong signature");
  EXPECT_EQ(changed(kSevAt - 4, 1), "firmware: its metadata has a wrong size");
  EXPECT_EQ(changed(kSevAt - 8, 2), "firmware: metadata of version 2, known is 1");
  EXPECT_EQ(changed(kSevAt - 12, 65), "firmware: 65 sections of metadata, at most 64");
  EXPECT_EQ(changed(kSevAt - 16, 1), "firmware: a section isn't whole pages");
  EXPECT_EQ(changed(kSevAt - 23, 0x20), "firmware: its sections span over 67108864 bytes");
  EXPECT_EQ(parse_ovmf(Bytes(kPageSize + 1)).error().message, "firmware: it isn't whole pages");
  EXPECT_EQ(parse_ovmf({}).error().message, "firmware: it isn't whole pages");
  EXPECT_EQ(parse_ovmf(Bytes(kFirmwareSizeMax + kPageSize)).error().code, Errc::too_large);
}

TEST(Launch, ProcessorsByName) {
  EXPECT_EQ(cpu_signature("EPYC-v4").value(), 0x00800f12U);
  EXPECT_EQ(cpu_signature("EPYC-Milan-v2").value(), 0x00a00f11U);
  EXPECT_EQ(cpu_signature("Genoa").value(), 0x00a10f10U);
  EXPECT_EQ(cpu_signature("EPYC-Turin").value(), 0x00b00f00U);
  EXPECT_EQ(cpu_signature("EPYC-Siena").error().code, Errc::not_found);
  EXPECT_EQ(cpu_signature("-v1").error().message, "unknown model of processor: -v1");
}

// ---- TDX ----

// The same as the implementation's, written out: the pages of two sections, one extended, and
// none of permanent memory.
TEST(Launch, MrtdIsOfPagesAndExtensions) {
  const Bytes image = firmware();
  Bytes updates;
  const auto block = [&](std::string_view name, std::uint64_t address) {
    Bytes bytes = to_bytes(as_bytes(name));
    bytes.resize(16);
    number(bytes, address, 8);
    bytes.resize(128);
    append(updates, bytes);
  };
  block("MEM.PAGE.ADD", 0xfffff000);
  for (std::size_t at = 0; at < kPageSize; at += 256) {
    block("MR.EXTEND", 0xfffff000 + at);
    append(updates, ByteView(image).subspan(at, 256));
  }
  block("MEM.PAGE.ADD", 0x80b000);
  block("MEM.PAGE.ADD", 0x80c000);
  EXPECT_EQ(tdx_mrtd(image).value().hex(), crypto::sha384(updates).hex());
}

TEST(Launch, MrtdOfWhatQemuDoesNotStartIsRefused) {
  const auto refused = [](const auto& change) {
    Recipe recipe;
    change(recipe.tdx);
    return tdx_mrtd(firmware(recipe)).error().message;
  };
  EXPECT_EQ(refused([](auto& tdx) { tdx.clear(); }), "firmware has no TDX metadata");
  EXPECT_EQ(refused([](auto& tdx) { tdx[1].type = 5; }),
            "firmware: TDX metadata with a section of unknown type 5");
  EXPECT_EQ(refused([](auto& tdx) { tdx[0].data_offset = 1; }),
            "firmware: a section's data lies outside");
  EXPECT_EQ(refused([](auto& tdx) { tdx[0].memory_size = 0; }),
            "firmware: a section's data lies outside");
}

TEST(Launch, LoadOptionsAreAscii) {
  EXPECT_EQ(load_options_digest("a").value().hex(), crypto::sha384(Bytes{'a', 0, 0, 0}).hex());
  EXPECT_EQ(load_options_digest("\xc3\xa4").error().code, Errc::malformed);
  EXPECT_NE(tdx_rtmr1({}, BootSeparator::absent), tdx_rtmr1({}, BootSeparator::present));
}

// ---- PE images ----

Bytes pe_image() {
  Bytes image(0x400);
  const auto set = [&](std::size_t at, std::size_t size, std::uint64_t value) {
    put_little(value, MutableByteView(image).subspan(at, size));
  };
  set(0x3c, 4, 0x40);                    // PE header
  set(0x40, 4, 0x4550);                  // its signature
  set(0x46, 2, 1);                       // sections
  set(0x54, 2, 112 + 16 * 8);            // size of the optional header
  set(0x58, 2, 0x20b);                   // PE32+
  set(0x58 + 60, 4, 0x200);              // size of all headers
  set(0x58 + 108, 4, 16);                // directories
  set(0x58 + 112 + 4 * 8 + 4, 4, 0x80);  // size of the signatures
  const std::size_t section = 0x58 + 112 + 16 * 8;
  set(section + 16, 4, 0x100);
  set(section + 20, 4, 0x200);
  return image;
}

TEST(Launch, PeImageDigestLeavesOutChecksumAndSignatures) {
  const Digest48 digest = pe_image_digest(pe_image()).value();
  const auto with = [&](std::size_t at) {
    Bytes image = pe_image();
    image[at] ^= 1;
    return pe_image_digest(image).value();
  };
  EXPECT_EQ(with(0x58 + 64), digest);           // checksum
  EXPECT_EQ(with(0x58 + 112 + 4 * 8), digest);  // address of the signatures
  EXPECT_EQ(with(0x400 - 0x80), digest);        // signatures
  EXPECT_NE(with(0x0), digest);
  EXPECT_NE(with(0x2ff), digest);         // end of the section
  EXPECT_NE(with(0x400 - 0x81), digest);  // behind the section
}

TEST(Launch, PeImagesThatAreNotWellFormedAreRefused) {
  const auto refused = [](std::size_t at, std::uint8_t value) {
    Bytes image = pe_image();
    image[at] = value;
    const auto digest = pe_image_digest(image);
    return digest ? "" : digest.error().message;
  };
  EXPECT_EQ(refused(0x3d, 0x40), "PE image: truncated");
  EXPECT_EQ(refused(0x40, 'Q'), "PE image: it has no PE header");
  EXPECT_EQ(refused(0x58, 0x0c), "PE image: of unknown kind");
  EXPECT_EQ(refused(0x58 + 108, 4), "PE image: without directories");
  EXPECT_EQ(refused(0x58 + 61, 0), "PE image: its headers lie outside");
  EXPECT_EQ(refused(0x46, 97), "PE image: 97 sections, at most 96");
  EXPECT_EQ(refused(0x58 + 112 + 16 * 8 + 21, 4), "PE image: a section lies outside");
  EXPECT_EQ(refused(0x58 + 112 + 4 * 8 + 5, 2), "PE image: its sections overlap");
}

}  // namespace
}  // namespace sp::attest
