// Terms: all that the parties of an order agree on. Their EIP-712 digest is the order id.
//
// The structs mirror contracts/src/types/Types.sol, field by field; FORMATS.md section 2 has the
// type strings. Values; safe to call from any thread.
#pragma once

#include <string>
#include <vector>

#include "attest/evidence.hpp"
#include "base/amount.hpp"
#include "base/bytes.hpp"
#include "crypto/eip712.hpp"

namespace sp::api {

using attest::ChipId;
using attest::EvidenceKind;
using attest::OrderId;
using OfferId = FixedBytes<struct OfferIdTag, 32>;

// Limits of version 1, those of the market contract among them.
inline constexpr std::size_t kPartsMax = 24;
inline constexpr std::size_t kChoicesMax = 8;
inline constexpr std::size_t kAttestorsMax = 16;
inline constexpr std::size_t kBrokersMax = 8;  ///< of one part; version 1 of the market: one
inline constexpr std::size_t kEgressMax = 32;
inline constexpr std::size_t kEgressTextMax = 256;
inline constexpr std::size_t kOptionsMax = 16;
inline constexpr std::size_t kTermsSizeMax = 64 * 1024;
/// The least CPU that a workload can be given: the kernel's shortest quota is 1 ms, of 100 ms.
inline constexpr std::uint32_t kCpuMilliMin = 10;

enum class PartKind : std::uint8_t { arguments = 1, solution = 2, data = 3, storage = 4 };
enum class PriceType : std::uint8_t { fixed = 0, per_hour = 1 };
std::string_view part_kind_name(PartKind kind);

/// A value offer, or an own upload (price 0, owner = customer).
struct Part {
  PartKind kind = PartKind::data;
  PriceType price_type = PriceType::fixed;
  std::uint32_t max_orders = 0;  ///< 0 = any number
  Amount price;
  Address owner;
  Address token;
  Address store;
  std::vector<Address> brokers;
  Digest32 digest;
  Digest32 info;

  [[nodiscard]] Digest32 struct_hash() const;
  /// The offer id is the struct hash.
  [[nodiscard]] OfferId offer_id() const { return {struct_hash().data}; }
  bool operator==(const Part&) const = default;
};

struct Compute {
  EvidenceKind kind = EvidenceKind::none;
  std::uint32_t min_seconds = 0;
  std::uint32_t max_seconds = 0;
  std::uint32_t min_work_by = 0;
  std::uint32_t min_settle_by = 0;
  std::uint32_t min_settle_window = 0;
  std::uint32_t min_claim_window = 0;
  std::uint32_t cpu_milli = 0;
  std::uint32_t memory_mib = 0;
  std::uint32_t disk_mib = 0;
  std::uint32_t pids = 0;
  Amount price_per_hour;
  Amount base_fee;
  Amount max_exposure;
  Address provider;
  Address token;
  std::vector<Address> attestors;
  ChipId chip;
  Digest32 info;

  [[nodiscard]] Digest32 struct_hash() const;
  [[nodiscard]] OfferId offer_id() const { return {struct_hash().data}; }
  bool operator==(const Compute&) const = default;
};

struct Terms {
  std::uint8_t mode = 0;  ///< 0 one-shot, 1 service
  std::uint8_t replicas = 1;
  std::uint8_t quorum = 1;
  std::uint32_t ordered_seconds = 0;
  std::uint32_t work_by = 0;
  std::uint32_t settle_by = 0;
  std::uint32_t settle_window = 0;
  std::uint32_t claim_window = 0;
  std::uint32_t cpu_milli = 0;
  std::uint32_t memory_mib = 0;
  std::uint32_t disk_mib = 0;
  std::uint32_t pids = 0;
  Address customer;
  Address token;
  Address attestor;
  crypto::X25519Public result_key;
  Digest32 salt;
  Digest32 extensions;
  std::vector<std::string> egress;
  std::vector<Digest32> options;
  std::vector<Compute> choices;
  std::vector<Part> parts;

  [[nodiscard]] Digest32 struct_hash() const;
  [[nodiscard]] OrderId order_id(const crypto::Eip712Domain& market) const;

  /// The binary encoding of the window (FORMATS.md section 2).
  [[nodiscard]] Bytes encode() const;
  /// Errc::malformed, Errc::too_large. Checks the form only; check_version_1 checks the rules.
  static Result<Terms> decode(ByteView bytes);

  /// The rules that the market holds version-1 terms to: one-shot, one replica, no egress, the
  /// order of the parts. Errc::unsupported, Errc::refused.
  [[nodiscard]] Status check_version_1() const;

  /// The parts by role. Only for terms that check_version_1 has passed (CHECK).
  static constexpr std::size_t kArguments = 0;
  static constexpr std::size_t kSolution = 1;
  [[nodiscard]] std::size_t storage_index() const;
  /// The compute offer that runs this attempt and replica. Errc::not_found.
  [[nodiscard]] Result<Compute> compute_of(std::uint16_t attempt, std::uint8_t replica) const;
  /// All key brokers, the attestor first, then each other broker in part order, without repeats.
  [[nodiscard]] std::vector<Address> brokers_in_order() const;

  bool operator==(const Terms&) const = default;
};

}  // namespace sp::api
