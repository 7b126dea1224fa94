#include "api/terms.hpp"

#include <algorithm>
#include <set>

#include "base/codec.hpp"
#include "crypto/hash.hpp"

namespace sp::api {
namespace {

using crypto::Eip712Struct;

// encodeType of the three structs, as contracts/src/libraries/Hashes.sol has them.
constexpr std::string_view kComputeType =
    "Compute(uint8 kind,uint32 minSeconds,uint32 maxSeconds,uint32 minWorkBy,uint32 minSettleBy,"
    "uint32 minSettleWindow,uint32 minClaimWindow,uint32 cpuMilli,uint32 memoryMiB,uint32 diskMiB,"
    "uint32 pids,uint128 pricePerHour,uint128 baseFee,uint128 maxExposure,address provider,"
    "address token,address[] attestors,bytes32 chip,bytes32 info)";
constexpr std::string_view kPartType =
    "Part(uint8 kind,uint8 priceType,uint32 maxOrders,uint128 price,address owner,address token,"
    "address store,address[] brokers,bytes32 digest,bytes32 info)";
constexpr std::string_view kTermsType =
    "Terms(uint8 mode,uint8 replicas,uint8 quorum,uint32 orderedSeconds,uint32 workBy,"
    "uint32 settleBy,uint32 settleWindow,uint32 claimWindow,uint32 cpuMilli,uint32 memoryMiB,"
    "uint32 diskMiB,uint32 pids,address customer,address token,address attestor,bytes32 resultKey,"
    "bytes32 salt,bytes32 extensions,string[] egress,bytes32[] options,Compute[] choices,"
    "Part[] parts)";

Bytes address_words(const std::vector<Address>& addresses) {
  Bytes words;
  for (const Address& address : addresses) {
    words.resize(words.size() + 12);
    append(words, address.view());
  }
  return words;
}

void write_addresses(Writer& writer, const std::vector<Address>& addresses) {
  writer.u16(static_cast<std::uint16_t>(addresses.size()));
  for (const Address& address : addresses) writer.raw(address.view());
}

std::vector<Address> read_addresses(Reader& reader, std::size_t count_max) {
  std::vector<Address> addresses(reader.count(count_max));
  for (Address& address : addresses) address = reader.fixed<Address>();
  return addresses;
}

void write_amount(Writer& writer, Amount amount) { writer.raw(amount.word().view().last(16)); }

Amount read_amount(Reader& reader) {
  Amount::Number units = 0;
  for (const std::uint8_t byte : reader.raw(16)) units = units << 8 | byte;
  return Amount(units);
}

template <class Enum>
Enum read_enum(Reader& reader, std::uint8_t least, std::uint8_t greatest) {
  const std::uint8_t value = reader.u8();
  if (value < least || value > greatest) reader.fail(Errc::malformed, "unknown enum value");
  return static_cast<Enum>(value);
}

void write_part(Writer& writer, const Part& part) {
  writer.u8(static_cast<std::uint8_t>(part.kind)).u8(static_cast<std::uint8_t>(part.price_type));
  writer.u32(part.max_orders);
  write_amount(writer, part.price);
  writer.raw(part.owner.view()).raw(part.token.view()).raw(part.store.view());
  write_addresses(writer, part.brokers);
  writer.raw(part.digest.view()).raw(part.info.view());
}

Part read_part(Reader& reader) {
  Part part;
  part.kind = read_enum<PartKind>(reader, 1, 4);
  part.price_type = read_enum<PriceType>(reader, 0, 1);
  part.max_orders = reader.u32();
  part.price = read_amount(reader);
  part.owner = reader.fixed<Address>();
  part.token = reader.fixed<Address>();
  part.store = reader.fixed<Address>();
  part.brokers = read_addresses(reader, kBrokersMax);
  part.digest = reader.fixed<Digest32>();
  part.info = reader.fixed<Digest32>();
  return part;
}

// The uint32 fields of Compute in order, so that writing, reading and hashing can't disagree.
template <class C>
auto compute_numbers(C& compute) {
  return std::array{&compute.min_seconds,   &compute.max_seconds,       &compute.min_work_by,
                    &compute.min_settle_by, &compute.min_settle_window, &compute.min_claim_window,
                    &compute.cpu_milli,     &compute.memory_mib,        &compute.disk_mib,
                    &compute.pids};
}

template <class C>
auto compute_amounts(C& compute) {
  return std::array{&compute.price_per_hour, &compute.base_fee, &compute.max_exposure};
}

template <class T>
auto terms_numbers(T& terms) {
  return std::array{&terms.ordered_seconds, &terms.work_by,      &terms.settle_by,
                    &terms.settle_window,   &terms.claim_window, &terms.cpu_milli,
                    &terms.memory_mib,      &terms.disk_mib,     &terms.pids};
}

void write_compute(Writer& writer, const Compute& compute) {
  writer.u8(static_cast<std::uint8_t>(compute.kind));
  for (const auto* number : compute_numbers(compute)) writer.u32(*number);
  for (const auto* amount : compute_amounts(compute)) write_amount(writer, *amount);
  writer.raw(compute.provider.view()).raw(compute.token.view());
  write_addresses(writer, compute.attestors);
  writer.raw(compute.chip.view()).raw(compute.info.view());
}

Compute read_compute(Reader& reader) {
  Compute compute;
  compute.kind = read_enum<EvidenceKind>(reader, 1, 5);
  for (auto* number : compute_numbers(compute)) *number = reader.u32();
  for (auto* amount : compute_amounts(compute)) *amount = read_amount(reader);
  compute.provider = reader.fixed<Address>();
  compute.token = reader.fixed<Address>();
  compute.attestors = read_addresses(reader, kAttestorsMax);
  compute.chip = reader.fixed<ChipId>();
  compute.info = reader.fixed<Digest32>();
  return compute;
}

Status refuse_unless(bool allowed, std::string_view rule) {
  if (allowed) return {};
  return Error{Errc::refused, "these terms are not of version 1: " + std::string(rule)};
}

}  // namespace

std::string_view part_kind_name(PartKind kind) {
  switch (kind) {
    case PartKind::arguments:
      return "arguments";
    case PartKind::solution:
      return "solution";
    case PartKind::data:
      return "data";
    case PartKind::storage:
      return "storage";
  }
  return "unknown";
}

Digest32 Part::struct_hash() const {
  Eip712Struct hash(kPartType);
  hash.number(static_cast<std::uint8_t>(kind)).number(static_cast<std::uint8_t>(price_type));
  hash.number(max_orders).word(price.word().view());
  hash.address(owner).address(token).address(store).list(address_words(brokers));
  return hash.word(digest.view()).word(info.view()).hash();
}

Digest32 Compute::struct_hash() const {
  Eip712Struct hash(kComputeType);
  hash.number(static_cast<std::uint8_t>(kind));
  for (const auto* number : compute_numbers(*this)) hash.number(*number);
  for (const auto* amount : compute_amounts(*this)) hash.word(amount->word().view());
  hash.address(provider).address(token).list(address_words(attestors));
  return hash.word(chip.view()).word(info.view()).hash();
}

Digest32 Terms::struct_hash() const {
  // A struct type's encodeType is followed by the types it refers to, by name (EIP-712).
  static const std::string type =
      std::string(kTermsType) + std::string(kComputeType) + std::string(kPartType);
  Bytes egress_words;
  for (const std::string& target : egress) {
    append(egress_words, crypto::keccak256(as_bytes(target)).view());
  }
  Bytes option_words;
  for (const Digest32& option : options) append(option_words, option.view());
  Bytes choice_words;
  for (const Compute& choice : choices) append(choice_words, choice.struct_hash().view());
  Bytes part_words;
  for (const Part& part : parts) append(part_words, part.struct_hash().view());

  Eip712Struct hash(type);
  hash.number(mode).number(replicas).number(quorum);
  for (const auto* number : terms_numbers(*this)) hash.number(*number);
  hash.address(customer).address(token).address(attestor);
  hash.word(result_key.view()).word(salt.view()).word(extensions.view());
  return hash.list(egress_words).list(option_words).list(choice_words).list(part_words).hash();
}

OrderId Terms::order_id(const crypto::Eip712Domain& market) const {
  return {crypto::eip712_digest(market.separator(), struct_hash()).data};
}

Bytes Terms::encode() const {
  Writer writer;
  writer.u8(mode).u8(replicas).u8(quorum);
  for (const auto* number : terms_numbers(*this)) writer.u32(*number);
  writer.raw(customer.view()).raw(token.view()).raw(attestor.view());
  writer.raw(result_key.view()).raw(salt.view()).raw(extensions.view());
  writer.u16(static_cast<std::uint16_t>(egress.size()));
  for (const std::string& target : egress) writer.text(target);
  writer.u16(static_cast<std::uint16_t>(options.size()));
  for (const Digest32& option : options) writer.raw(option.view());
  writer.u16(static_cast<std::uint16_t>(choices.size()));
  for (const Compute& choice : choices) write_compute(writer, choice);
  writer.u16(static_cast<std::uint16_t>(parts.size()));
  for (const Part& part : parts) write_part(writer, part);
  return std::move(writer).take();
}

Result<Terms> Terms::decode(ByteView bytes) {
  if (bytes.size() > kTermsSizeMax) return Error{Errc::too_large, "terms over 64 KiB"};
  Reader reader(bytes);
  Terms terms;
  terms.mode = reader.u8();
  terms.replicas = reader.u8();
  terms.quorum = reader.u8();
  for (auto* number : terms_numbers(terms)) *number = reader.u32();
  terms.customer = reader.fixed<Address>();
  terms.token = reader.fixed<Address>();
  terms.attestor = reader.fixed<Address>();
  terms.result_key = reader.fixed<crypto::X25519Public>();
  terms.salt = reader.fixed<Digest32>();
  terms.extensions = reader.fixed<Digest32>();
  terms.egress.resize(reader.count(kEgressMax));
  for (std::string& target : terms.egress) target = reader.text(kEgressTextMax);
  terms.options.resize(reader.count(kOptionsMax));
  for (Digest32& option : terms.options) option = reader.fixed<Digest32>();
  terms.choices.resize(reader.count(kChoicesMax));
  for (Compute& choice : terms.choices) choice = read_compute(reader);
  terms.parts.resize(reader.count(kPartsMax));
  for (Part& part : terms.parts) part = read_part(reader);
  SP_TRY(reader.finish());
  return terms;
}

Status Terms::check_version_1() const {
  SP_TRY(refuse_unless(mode == 0, "mode must be one-shot"));
  SP_TRY(refuse_unless(replicas == 1 && quorum == 1, "replicas and quorum must be 1"));
  SP_TRY(refuse_unless(egress.empty(), "egress must be empty"));
  SP_TRY(refuse_unless(options.empty() && extensions.is_zero(), "no options, no extensions"));
  SP_TRY(refuse_unless(!choices.empty() && choices.size() <= kChoicesMax, "1 to 8 choices"));
  SP_TRY(refuse_unless(parts.size() >= 3 && parts.size() <= kPartsMax, "3 to 24 parts"));
  SP_TRY(refuse_unless(!result_key.is_zero(), "a result key"));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const PartKind expected = i == kArguments         ? PartKind::arguments
                              : i == kSolution        ? PartKind::solution
                              : i + 1 == parts.size() ? PartKind::storage
                                                      : PartKind::data;
    SP_TRY(refuse_unless(parts[i].kind == expected,
                         "parts are arguments, solution, data ..., storage in this order"));
    const std::size_t brokers = expected == PartKind::storage ? 0 : 1;
    SP_TRY(refuse_unless(parts[i].brokers.size() == brokers, "one broker a part, none of storage"));
  }
  return {};
}

std::size_t Terms::storage_index() const {
  SP_CHECK(!parts.empty() && parts.back().kind == PartKind::storage);
  return parts.size() - 1;
}

Result<Compute> Terms::compute_of(std::uint16_t attempt, std::uint8_t replica) const {
  const std::size_t index = std::size_t{attempt} * replicas + replica;
  if (replica >= replicas || index >= choices.size()) {
    return Error{Errc::not_found, "the terms have no choice for attempt " +
                                      std::to_string(attempt) + ", replica " +
                                      std::to_string(replica)};
  }
  return choices[index];
}

std::vector<Address> Terms::brokers_in_order() const {
  std::vector<Address> brokers{attestor};
  for (const Part& part : parts) {
    for (const Address& broker : part.brokers) {
      if (std::find(brokers.begin(), brokers.end(), broker) == brokers.end()) {
        brokers.push_back(broker);
      }
    }
  }
  return brokers;
}

}  // namespace sp::api
