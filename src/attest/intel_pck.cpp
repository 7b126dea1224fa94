#include "attest/intel_pck.hpp"

#include "crypto/der.hpp"

namespace sp::attest::intel {
namespace {

using crypto::DerReader;
using crypto::DerTag;

// The content of the OBJECT IDENTIFIER 1.2.840.113741.1.13.1.
constexpr std::array<std::uint8_t, 9> kBase = {0x2a, 0x86, 0x48, 0x86, 0xf8,
                                               0x4d, 0x01, 0x0d, 0x01};
constexpr std::uint8_t kSgxTypeMax = 2;

// Fields below the extension, by the last part of their identifiers.
enum Field : std::uint8_t {
  kPpid = 1,
  kTcb = 2,
  kPceId = 3,
  kFmspc = 4,
  kSgxType = 5,
  kPlatformInstance = 6,
  kConfiguration = 7,
};
constexpr std::uint32_t kRequired =
    1U << kPpid | 1U << kTcb | 1U << kPceId | 1U << kFmspc | 1U << kSgxType;
constexpr std::uint8_t kPceSvn = 17;
constexpr std::uint8_t kCpuSvn = 18;
constexpr std::uint32_t kAllOfTcb = (1U << (kCpuSvn + 1)) - 2;  // 1 to 18

Error malformed(std::string_view what) {
  return {Errc::malformed, "SGX extension: " + std::string(what)};
}

// SEQUENCE {identifier below `parents`, value}: the identifier's last part; `fields` is then at the
// value.
Result<std::uint8_t> read_id(DerReader& fields, std::initializer_list<std::uint8_t> parents,
                             std::uint32_t& seen) {
  SP_ASSIGN(const ByteView oid, fields.read(DerTag::oid));
  Bytes prefix(kBase.begin(), kBase.end());
  prefix.insert(prefix.end(), parents.begin(), parents.end());
  if (oid.size() != prefix.size() + 1 || !std::equal(prefix.begin(), prefix.end(), oid.begin()) ||
      oid.back() == 0 || oid.back() > kCpuSvn) {
    return malformed("an unknown field");
  }
  const std::uint8_t id = oid.back();
  if ((seen >> id & 1U) != 0) return malformed("a field stands twice");
  seen |= 1U << id;
  return id;
}

template <class Fixed>
Result<Fixed> read_fixed(DerReader& fields) {
  SP_ASSIGN(const ByteView content, fields.read(DerTag::octet_string));
  auto value = Fixed::from(content);
  if (!value) return malformed("a field of another size");
  return *value;
}

Result<std::uint16_t> read_number(DerReader& fields, std::uint64_t max) {
  SP_ASSIGN(const std::uint64_t number, fields.number());
  if (number > max) return malformed("a number that is too large");
  return static_cast<std::uint16_t>(number);
}

Status read_tcb(DerReader& value, PckFacts& facts) {
  SP_ASSIGN(DerReader list, value.enter(DerTag::sequence));
  std::uint32_t seen = 0;
  while (!list.at_end()) {
    SP_ASSIGN(DerReader fields, list.enter(DerTag::sequence));
    SP_ASSIGN(const std::uint8_t id, read_id(fields, {kTcb}, seen));
    if (id == kCpuSvn) {
      SP_ASSIGN(facts.cpusvn, read_fixed<CpuSvn>(fields));
    } else if (id == kPceSvn) {
      SP_ASSIGN(facts.pcesvn, read_number(fields, UINT16_MAX));
    } else {
      SP_ASSIGN(const std::uint16_t svn, read_number(fields, UINT8_MAX));
      facts.components[id - 1U] = static_cast<std::uint8_t>(svn);
    }
    SP_TRY(fields.finish());
  }
  if (seen != kAllOfTcb) return malformed("a TCB component is missing");
  return {};
}

Status read_configuration(DerReader& value, PckFacts& facts) {
  SP_ASSIGN(DerReader list, value.enter(DerTag::sequence));
  PlatformConfiguration configuration;
  std::uint32_t seen = 0;
  while (!list.at_end()) {
    SP_ASSIGN(DerReader fields, list.enter(DerTag::sequence));
    SP_ASSIGN(const std::uint8_t id, read_id(fields, {kConfiguration}, seen));
    SP_ASSIGN(const bool yes, fields.boolean());
    SP_TRY(fields.finish());
    if (id > 3) return malformed("an unknown field of the configuration");
    (id == 1   ? configuration.dynamic_platform
     : id == 2 ? configuration.cached_keys
               : configuration.smt_enabled) = yes;
  }
  facts.configuration = configuration;
  return {};
}

Status read_sgx_type(DerReader& value, PckFacts& facts) {
  SP_ASSIGN(const ByteView type, value.read(DerTag::enumerated));
  if (type.size() != 1 || type[0] > kSgxTypeMax) return malformed("an unknown type of SGX");
  facts.sgx_type = type[0];
  return {};
}

Status read_field(std::uint8_t id, DerReader& value, PckFacts& facts) {
  switch (id) {
    case kPpid: {
      SP_ASSIGN(facts.ppid, read_fixed<Ppid>(value));
      return {};
    }
    case kTcb:
      return read_tcb(value, facts);
    case kPceId: {
      SP_ASSIGN(facts.pceid, read_fixed<PceId>(value));
      return {};
    }
    case kFmspc: {
      SP_ASSIGN(facts.fmspc, read_fixed<Fmspc>(value));
      return {};
    }
    case kSgxType:
      return read_sgx_type(value, facts);
    case kPlatformInstance: {
      SP_ASSIGN(facts.platform_instance, read_fixed<PlatformInstanceId>(value));
      return {};
    }
    case kConfiguration:
      return read_configuration(value, facts);
    default:
      return malformed("an unknown field");
  }
}

}  // namespace

Result<PckFacts> read_pck_facts(ByteView extension) {
  PckFacts facts;
  DerReader outer(extension);
  SP_ASSIGN(DerReader list, outer.enter(DerTag::sequence));
  SP_TRY(outer.finish());
  std::uint32_t seen = 0;
  while (!list.at_end()) {
    SP_ASSIGN(DerReader fields, list.enter(DerTag::sequence));
    SP_ASSIGN(const std::uint8_t id, read_id(fields, {}, seen));
    SP_TRY(read_field(id, fields, facts));
    SP_TRY(fields.finish());
  }
  if ((seen & kRequired) != kRequired) return malformed("a field is missing");
  return facts;
}

}  // namespace sp::attest::intel
