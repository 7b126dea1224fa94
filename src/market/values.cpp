#include "market/values.hpp"

#include <nlohmann/json.hpp>

namespace sp::market {
namespace {

using chain::AbiValue;
using Values = std::vector<AbiValue>;

constexpr std::uint64_t kU8Max = 0xff;
constexpr std::uint64_t kU16Max = 0xffff;
constexpr std::uint64_t kU32Max = 0xffffffff;
constexpr std::size_t kUrlSizeMax = 512;
constexpr std::size_t kHintsMax = 32;

template <class Enum>
AbiValue enum_value(Enum value) {
  return AbiValue::number(static_cast<std::uint8_t>(value));
}

AbiValue addresses(const std::vector<Address>& list) {
  Values values;
  for (const Address& address : list) values.push_back(AbiValue::address(address));
  return AbiValue::list(std::move(values));
}

// Takes the members of a tuple one after the other and remembers the first failure, as Reader does
// for bytes.
class Tuple {
 public:
  Tuple(const AbiValue& value, std::size_t size) {
    auto list = value.as_list();
    if (!list) {
      status_ = list.error();
    } else if (list->size() != size) {
      status_ = Error{Errc::mismatch, "a tuple of another size"};
    } else {
      members_ = std::move(*list);
    }
  }

  std::uint64_t number(std::uint64_t max) {
    return take<std::uint64_t>([max](const AbiValue& value) { return value.as_number(max); });
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(kU8Max)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(kU16Max)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(kU32Max)); }
  Amount amount() {
    return take<Amount>([](const AbiValue& value) { return value.as_amount(); });
  }
  Address address() {
    return take<Address>([](const AbiValue& value) { return value.as_address(); });
  }
  template <class Fixed>
  Fixed word() {
    return {take<Digest32>([](const AbiValue& value) { return value.as_word(); }).data};
  }
  template <class Enum>
  Enum enumerated(std::uint8_t least, std::uint8_t greatest) {
    const std::uint8_t value = u8();
    if (value < least || value > greatest) fail({Errc::mismatch, "unknown enum value"});
    return static_cast<Enum>(value);
  }
  std::vector<Address> address_list() {
    return list<Address>([](const AbiValue& value) { return value.as_address(); });
  }
  template <class Value, class Decode>
  std::vector<Value> list(Decode decode) {
    std::vector<Value> values;
    for (const AbiValue& member :
         take<Values>([](const AbiValue& value) { return value.as_list(); })) {
      auto decoded = decode(member);
      if (!decoded) {
        fail(decoded.error());
        return {};
      }
      values.push_back(std::move(*decoded));
    }
    return values;
  }

  [[nodiscard]] const Status& status() const { return status_; }

 private:
  void fail(Error error) {
    if (status_.ok()) status_ = std::move(error);
  }

  template <class Value, class Read>
  Value take(Read read) {
    if (!status_.ok() || next_ >= members_.size()) return {};
    Result<Value> value = read(members_[next_++]);
    if (!value) {
      fail(value.error());
      return {};
    }
    return std::move(*value);
  }

  Values members_;
  std::size_t next_ = 0;
  Status status_;
};

}  // namespace

const std::string kPartAbi =
    "(uint8,uint8,uint32,uint128,address,address,address,address[],bytes32,bytes32)";
const std::string kComputeAbi =
    "(uint8,uint32,uint32,uint32,uint32,uint32,uint32,uint32,uint32,uint32,uint32,uint128,uint128,"
    "uint128,address,address,address[],bytes32,bytes32)";
const std::string kTermsAbi =
    "(uint8,uint8,uint8,uint32,uint32,uint32,uint32,uint32,uint32,uint32,uint32,uint32,address,"
    "address,address,bytes32,bytes32,bytes32,string[],bytes32[]," +
    kComputeAbi + "[]," + kPartAbi + "[])";
const std::string kAttestationAbi =
    "(uint8,uint8,uint8,bytes32,bytes32,bytes32,uint16,uint8,address,uint40,bytes)";
const std::string kKeyRequestAbi = "(bytes32,uint16,uint8,uint8,bytes32)";
const std::string kReceiptAbi =
    "(bytes32,uint16,uint8,uint8,bool,uint8,uint8,int32,uint32,uint64,bytes32,bytes32)";

AbiValue to_abi(const Part& part) {
  return AbiValue::list({enum_value(part.kind), enum_value(part.price_type),
                         AbiValue::number(part.max_orders), AbiValue::amount(part.price),
                         AbiValue::address(part.owner), AbiValue::address(part.token),
                         AbiValue::address(part.store), addresses(part.brokers),
                         AbiValue::word(part.digest.view()), AbiValue::word(part.info.view())});
}

AbiValue to_abi(const Compute& c) {
  return AbiValue::list(
      {enum_value(c.kind), AbiValue::number(c.min_seconds), AbiValue::number(c.max_seconds),
       AbiValue::number(c.min_work_by), AbiValue::number(c.min_settle_by),
       AbiValue::number(c.min_settle_window), AbiValue::number(c.min_claim_window),
       AbiValue::number(c.cpu_milli), AbiValue::number(c.memory_mib), AbiValue::number(c.disk_mib),
       AbiValue::number(c.pids), AbiValue::amount(c.price_per_hour), AbiValue::amount(c.base_fee),
       AbiValue::amount(c.max_exposure), AbiValue::address(c.provider), AbiValue::address(c.token),
       addresses(c.attestors), AbiValue::word(c.chip.view()), AbiValue::word(c.info.view())});
}

AbiValue to_abi(const Terms& t) {
  Values egress;
  for (const std::string& target : t.egress) egress.push_back(AbiValue::string(target));
  Values options;
  for (const Digest32& option : t.options) options.push_back(AbiValue::word(option.view()));
  Values choices;
  for (const Compute& choice : t.choices) choices.push_back(to_abi(choice));
  Values parts;
  for (const Part& part : t.parts) parts.push_back(to_abi(part));
  return AbiValue::list({AbiValue::number(t.mode),           AbiValue::number(t.replicas),
                         AbiValue::number(t.quorum),         AbiValue::number(t.ordered_seconds),
                         AbiValue::number(t.work_by),        AbiValue::number(t.settle_by),
                         AbiValue::number(t.settle_window),  AbiValue::number(t.claim_window),
                         AbiValue::number(t.cpu_milli),      AbiValue::number(t.memory_mib),
                         AbiValue::number(t.disk_mib),       AbiValue::number(t.pids),
                         AbiValue::address(t.customer),      AbiValue::address(t.token),
                         AbiValue::address(t.attestor),      AbiValue::word(t.result_key.view()),
                         AbiValue::word(t.salt.view()),      AbiValue::word(t.extensions.view()),
                         AbiValue::list(std::move(egress)),  AbiValue::list(std::move(options)),
                         AbiValue::list(std::move(choices)), AbiValue::list(std::move(parts))});
}

AbiValue to_abi(const Attestation& a) {
  return AbiValue::list({enum_value(a.kind), enum_value(a.vendor), enum_value(a.tcb_status),
                         AbiValue::word(a.chip.view()), AbiValue::word(a.measurement.view()),
                         AbiValue::word(a.run.order.view()), AbiValue::number(a.run.attempt),
                         AbiValue::number(a.run.replica), AbiValue::address(a.session),
                         AbiValue::number(static_cast<std::uint64_t>(a.time)),
                         AbiValue::bytes(a.acceptance.view())});
}

AbiValue to_abi(const KeyRequest& r) {
  return AbiValue::list({AbiValue::word(r.run.order.view()), AbiValue::number(r.run.attempt),
                         AbiValue::number(r.run.replica), AbiValue::number(r.part),
                         AbiValue::word(r.attestation.view())});
}

AbiValue to_abi(const Receipt& r) {
  return AbiValue::list({AbiValue::word(r.run.order.view()), AbiValue::number(r.run.attempt),
                         AbiValue::number(r.run.replica), enum_value(r.outcome),
                         AbiValue::boolean(r.started), enum_value(r.limit),
                         AbiValue::number(r.fault_part), AbiValue::signed_number(r.exit_code),
                         AbiValue::number(r.opened), AbiValue::number(r.duration_ms),
                         AbiValue::word(r.result.view()), AbiValue::word(r.commitment.view())});
}

Result<Part> part_from_abi(const AbiValue& value) {
  Tuple tuple(value, 10);
  Part part;
  part.kind = tuple.enumerated<api::PartKind>(1, 4);
  part.price_type = tuple.enumerated<api::PriceType>(0, 1);
  part.max_orders = tuple.u32();
  part.price = tuple.amount();
  part.owner = tuple.address();
  part.token = tuple.address();
  part.store = tuple.address();
  part.brokers = tuple.address_list();
  part.digest = tuple.word<Digest32>();
  part.info = tuple.word<Digest32>();
  SP_TRY(tuple.status());
  return part;
}

Result<Compute> compute_from_abi(const AbiValue& value) {
  Tuple tuple(value, 19);
  Compute c;
  c.kind = tuple.enumerated<api::EvidenceKind>(1, 5);
  for (auto* number :
       {&c.min_seconds, &c.max_seconds, &c.min_work_by, &c.min_settle_by, &c.min_settle_window,
        &c.min_claim_window, &c.cpu_milli, &c.memory_mib, &c.disk_mib, &c.pids}) {
    *number = tuple.u32();
  }
  c.price_per_hour = tuple.amount();
  c.base_fee = tuple.amount();
  c.max_exposure = tuple.amount();
  c.provider = tuple.address();
  c.token = tuple.address();
  c.attestors = tuple.address_list();
  c.chip = tuple.word<api::ChipId>();
  c.info = tuple.word<Digest32>();
  SP_TRY(tuple.status());
  return c;
}

Result<Terms> terms_from_abi(const AbiValue& value) {
  Tuple tuple(value, 22);
  Terms t;
  t.mode = tuple.u8();
  t.replicas = tuple.u8();
  t.quorum = tuple.u8();
  for (auto* number : {&t.ordered_seconds, &t.work_by, &t.settle_by, &t.settle_window,
                       &t.claim_window, &t.cpu_milli, &t.memory_mib, &t.disk_mib, &t.pids}) {
    *number = tuple.u32();
  }
  t.customer = tuple.address();
  t.token = tuple.address();
  t.attestor = tuple.address();
  t.result_key = tuple.word<crypto::X25519Public>();
  t.salt = tuple.word<Digest32>();
  t.extensions = tuple.word<Digest32>();
  t.egress = tuple.list<std::string>([](const AbiValue& target) -> Result<std::string> {
    SP_ASSIGN(const Bytes bytes, target.as_bytes_value());
    return std::string(as_text(bytes));
  });
  t.options = tuple.list<Digest32>([](const AbiValue& option) { return option.as_word(); });
  t.choices = tuple.list<Compute>(compute_from_abi);
  t.parts = tuple.list<Part>(part_from_abi);
  SP_TRY(tuple.status());
  return t;
}

Bytes encode_hints(const Hints& hints) {
  Json json = Json::object();
  for (const auto& [address, url] : hints) json[address.hex0x()] = url;
  return to_bytes(as_bytes(json.dump()));
}

Result<Hints> decode_hints(ByteView bytes) {
  SP_ASSIGN(const Json json, parse_json(as_text(bytes), kHintsSizeMax));
  if (!json.is_object() || json.size() > kHintsMax) {
    return Error{Errc::malformed, "hints must be an object of at most 32 addresses"};
  }
  Hints hints;
  for (const auto& [key, url] : json.items()) {
    SP_ASSIGN(const Address address, Address::from_hex(key));
    if (!url.is_string() || url.get_ref<const std::string&>().size() > kUrlSizeMax) {
      return Error{Errc::malformed, "a hint must be a URL of at most 512 bytes"};
    }
    hints[address] = url.get<std::string>();
  }
  return hints;
}

}  // namespace sp::market
