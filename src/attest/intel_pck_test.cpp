// The SGX extension of PCK certificates.
#include "attest/intel_pck.hpp"

#include <gtest/gtest.h>

#include "attest/testing/intel_vendor.hpp"

namespace sp::attest::intel {
namespace {

using crypto::DerTag;
using crypto::testing::der;
using crypto::testing::der_integer;
using crypto::testing::der_oid;

PckFacts facts() {
  PckFacts made;
  made.ppid.data.fill(1);
  for (std::size_t i = 0; i < made.components.size(); ++i) {
    made.components[i] = static_cast<std::uint8_t>(250 + i % 6);
  }
  made.pcesvn = 65'535;
  made.cpusvn.data.fill(2);
  made.pceid.data.fill(3);
  made.fmspc.data.fill(4);
  made.sgx_type = 2;
  return made;
}

Bytes field(const std::string& suffix, ByteView value) {
  return der(DerTag::sequence, {der_oid(kSgxExtensionOid + suffix), value});
}

// The good extension with more fields behind it.
Bytes with(const std::vector<Bytes>& more) {
  const Bytes good = testing::sgx_extension(facts());
  crypto::DerReader reader(good);
  Bytes content = to_bytes(reader.read(DerTag::sequence).value());
  for (const Bytes& one : more) append(content, one);
  return der(DerTag::sequence, {ByteView(content)});
}

std::string refusal(ByteView extension) {
  const auto read = read_pck_facts(extension);
  return read ? "accepted" : read.error().message;
}

TEST(IntelPck, ReadsEveryField) {
  PckFacts made = facts();
  made.platform_instance = PlatformInstanceId();
  const auto read = read_pck_facts(testing::sgx_extension(made));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->ppid, made.ppid);
  EXPECT_EQ(read->components, made.components);
  EXPECT_EQ(read->pcesvn, made.pcesvn);
  EXPECT_EQ(read->cpusvn, made.cpusvn);
  EXPECT_EQ(read->pceid, made.pceid);
  EXPECT_EQ(read->fmspc, made.fmspc);
  EXPECT_EQ(read->sgx_type, 2);
  EXPECT_EQ(read->platform_instance, made.platform_instance);
  EXPECT_FALSE(read->configuration);
}

TEST(IntelPck, ReadsTheConfiguration) {
  const Bytes yes{0x01, 0x01, 0xff};
  const Bytes no{0x01, 0x01, 0x00};
  const Bytes list = der(DerTag::sequence, {field(".7.1", yes), field(".7.3", no)});
  const auto read = read_pck_facts(with({field(".7", list)}));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->configuration->dynamic_platform, true);
  EXPECT_EQ(read->configuration->cached_keys, std::nullopt);
  EXPECT_EQ(read->configuration->smt_enabled, false);

  const Bytes unknown = der(DerTag::sequence, {field(".7.4", yes)});
  EXPECT_EQ(refusal(with({field(".7", unknown)})),
            "SGX extension: an unknown field of the configuration");
  const Bytes twice = der(DerTag::sequence, {field(".7.1", yes), field(".7.1", yes)});
  EXPECT_EQ(refusal(with({field(".7", twice)})), "SGX extension: a field stands twice");
}

TEST(IntelPck, FieldsStandOnceAndAreKnown) {
  const Bytes octets = der(DerTag::octet_string, {ByteView(Bytes(16, 0))});
  EXPECT_EQ(refusal(with({field(".1", octets)})), "SGX extension: a field stands twice");
  EXPECT_EQ(refusal(with({field(".8", octets)})), "SGX extension: an unknown field");
  EXPECT_EQ(refusal(with({field(".6.1", octets)})), "SGX extension: an unknown field");
  EXPECT_EQ(refusal(with({der(DerTag::sequence, {der_oid("1.2.3"), octets})})),
            "SGX extension: an unknown field");
  EXPECT_EQ(refusal(der(DerTag::sequence, {})), "SGX extension: a field is missing");
}

TEST(IntelPck, FieldsHaveTheirForm) {
  const auto only = [](const std::string& suffix, ByteView value) {
    const Bytes one = field(suffix, value);
    return refusal(der(DerTag::sequence, {ByteView(one)}));
  };
  const Bytes seven = der(DerTag::octet_string, {ByteView(Bytes(7, 0))});
  for (const char* suffix : {".1", ".3", ".4", ".6"}) {
    EXPECT_EQ(only(suffix, seven), "SGX extension: a field of another size");
  }
  EXPECT_EQ(only(".5", Bytes{0x0a, 0x01, 0x03}), "SGX extension: an unknown type of SGX");
  EXPECT_EQ(only(".5", Bytes{0x02, 0x01, 0x00}), "DER: expected tag 0a, got 02");

  const auto tcb = [&](const std::string& suffix, ByteView value) {
    const Bytes one = field(".2" + suffix, value);
    return only(".2", der(DerTag::sequence, {ByteView(one)}));
  };
  EXPECT_EQ(tcb(".1", der_integer(std::uint64_t{256})),
            "SGX extension: a number that is too large");
  EXPECT_EQ(tcb(".17", der_integer(std::uint64_t{65'536})),
            "SGX extension: a number that is too large");
  EXPECT_EQ(tcb(".18", seven), "SGX extension: a field of another size");
  EXPECT_EQ(tcb(".19", seven), "SGX extension: an unknown field");
  EXPECT_EQ(tcb(".1", der_integer(std::uint64_t{255})),
            "SGX extension: a TCB component is missing");
}

TEST(IntelPck, EveryTruncationIsRefused) {
  const Bytes good = testing::sgx_extension(facts());
  ASSERT_EQ(refusal(good), "accepted");
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_NE(refusal(ByteView(good).first(size)), "accepted") << size;
  }
}

}  // namespace
}  // namespace sp::attest::intel
