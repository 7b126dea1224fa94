// What a customer must keep of an order, in HOME/orders/ID/: written whole and durably before the
// order is created, so that a killed spctl, or another one, can go on with it.
//
//   order         terms, order secret, arguments, keys of own uploads; readable by its owner only:
//                 "SPOR" | u16 version | u64 chain id | market 20 | text key name | var terms |
//                 order secret 32 | var arguments | u16 count, each package 32, key 32
//   created.json  {"tx", "block"} once the chain has it
//   proof.spbundle  the proof bundle, once it was fetched
//
// Values and functions; safe to call from any thread for different orders.
#pragma once

#include <optional>

#include "api/arguments.hpp"
#include "api/terms.hpp"
#include "base/files.hpp"
#include "chain/rpc.hpp"
#include "crypto/eip712.hpp"

namespace sp::spctl {

struct OwnKey {
  Digest32 package;
  Secret32 key;
};

/// Move-only, since it holds secrets.
struct OrderRecord {
  crypto::Eip712Domain market;
  std::string key_name;  ///< the customer's key in HOME/keys
  api::Terms terms;
  Secret32 order_secret;
  SecretBytes arguments;  ///< encoded api::Arguments
  std::vector<OwnKey> own_keys;

  [[nodiscard]] api::OrderId id() const { return terms.order_id(market); }
  [[nodiscard]] SecretBytes encode() const;
  /// Errc::malformed, Errc::unsupported.
  static Result<OrderRecord> decode(ByteView bytes);
};

struct CreatedNote {
  chain::TxHash tx;
  std::uint64_t block = 0;
};

class OrderFiles {
 public:
  OrderFiles(Files& files, Path folder) : files_(files), folder_(std::move(folder)) {}

  Status save(const OrderRecord& record);
  /// Errc::not_found.
  Result<OrderRecord> load(const api::OrderId& id) const;
  /// All orders, by id.
  Result<std::vector<api::OrderId>> list() const;
  /// The one order whose id begins so ("0x12ab"). Errc::not_found; Errc::usage where several do.
  Result<api::OrderId> find(const std::string& prefix) const;

  Status save_created(const api::OrderId& id, const CreatedNote& note);
  /// Empty where none was noted.
  [[nodiscard]] std::optional<CreatedNote> created(const api::OrderId& id) const;
  /// Path of a file of the order.
  [[nodiscard]] Path file(const api::OrderId& id, const std::string& name) const;

 private:
  Files& files_;
  const Path folder_;
};

}  // namespace sp::spctl
