#include "spctl/order_files.hpp"

#include <nlohmann/json.hpp>

#include "base/codec.hpp"
#include "base/durable.hpp"
#include "base/json.hpp"
#include "spctl/console.hpp"

namespace sp::spctl {
namespace {

constexpr std::string_view kMagic = "SPOR";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kKeyNameMax = 64;
constexpr std::size_t kRecordMax = 256 * 1024;
constexpr std::size_t kNoteMax = 1024;

// Appends to memory that was made large enough before, so that no copy of a secret is left.
class Appender {
 public:
  explicit Appender(std::size_t size) : secret_(size) {}
  Appender& raw(ByteView bytes) {
    SP_CHECK(bytes.size() <= secret_.size() - used_);
    std::copy(bytes.begin(), bytes.end(),
              secret_.writable().begin() + static_cast<std::ptrdiff_t>(used_));
    used_ += bytes.size();
    return *this;
  }
  SecretBytes take() {
    SP_CHECK(used_ == secret_.size());
    return std::move(secret_);
  }

 private:
  SecretBytes secret_;
  std::size_t used_ = 0;
};

}  // namespace

SecretBytes OrderRecord::encode() const {
  Writer head;
  head.raw(as_bytes(kMagic)).u16(kVersion).u64(market.chain_id).raw(market.contract.view());
  head.text(key_name).var(terms.encode());
  Writer arguments_size;
  arguments_size.u32(static_cast<std::uint32_t>(arguments.size()));
  Writer key_count;
  key_count.u16(static_cast<std::uint16_t>(own_keys.size()));
  Appender out(head.bytes().size() + Secret32::kSize + arguments_size.bytes().size() +
               arguments.size() + key_count.bytes().size() +
               own_keys.size() * (Digest32::kSize + Secret32::kSize));
  out.raw(head.bytes()).raw(order_secret.reveal());
  out.raw(arguments_size.bytes()).raw(arguments.reveal()).raw(key_count.bytes());
  for (const OwnKey& own : own_keys) out.raw(own.package.view()).raw(own.key.reveal());
  return out.take();
}

Result<OrderRecord> OrderRecord::decode(ByteView bytes) {
  Reader reader(bytes);
  if (as_text(reader.raw(kMagic.size())) != kMagic) reader.fail(Errc::malformed, "not an order");
  if (reader.u16() != kVersion) reader.fail(Errc::unsupported, "an order of another version");
  OrderRecord record;
  record.market.chain_id = reader.u64();
  record.market.contract = reader.fixed<Address>();
  record.key_name = reader.text(kKeyNameMax);
  const ByteView terms = reader.var(api::kTermsSizeMax);
  const ByteView secret = reader.raw(Secret32::kSize);
  record.arguments = SecretBytes(reader.var(api::kArgumentsSizeMax));
  const std::size_t count = reader.count(api::kPartsMax);
  for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
    const auto package = reader.fixed<Digest32>();
    auto key = Secret32::from(reader.raw(Secret32::kSize));
    if (key) record.own_keys.push_back({package, std::move(*key)});
  }
  SP_TRY(reader.finish());
  SP_ASSIGN(record.terms, api::Terms::decode(terms));
  SP_ASSIGN(record.order_secret, Secret32::from(secret));
  return record;
}

Path OrderFiles::file(const api::OrderId& id, const std::string& name) const {
  return folder_ / id.hex0x() / name;
}

Status OrderFiles::save(const OrderRecord& record) {
  const Path path = file(record.id(), "order");
  SP_TRY(files_.make_folder(path.parent_path()));
  return keep(files_, CrashSite::client_order, path, record.encode().reveal(),
              FileMode::owner_only);
}

Result<OrderRecord> OrderFiles::load(const api::OrderId& id) const {
  auto bytes = files_.read(file(id, "order"), kRecordMax);
  if (!bytes && bytes.error().code == Errc::not_found) {
    return failure(Errc::not_found, "order " + id.hex0x() + " isn't one of this home",
                   "HOME/orders doesn't have it", "See 'spctl orders list'");
  }
  if (!bytes) return bytes.error();
  auto record = OrderRecord::decode(*bytes);
  wipe(*bytes);
  if (!record) return record.error().in(file(id, "order").string());
  if (record->id() != id) {
    return Error{Errc::mismatch, file(id, "order").string() + " is of another order"};
  }
  return record;
}

Result<std::vector<api::OrderId>> OrderFiles::list() const {
  std::vector<api::OrderId> orders;
  const auto names = files_.list(folder_);
  if (!names && names.error().code == Errc::not_found) return orders;
  if (!names) return names.error();
  for (const std::string& name : *names) {
    const auto id = api::OrderId::from_hex(name);
    // A folder without the file is of a spctl that was killed before anything was kept.
    if (id && files_.size(file(*id, "order"))) orders.push_back(*id);
  }
  return orders;
}

Result<api::OrderId> OrderFiles::find(const std::string& prefix) const {
  if (auto whole = api::OrderId::from_hex(prefix)) return whole;
  constexpr std::string_view kDigits = "0123456789abcdefx";
  if (prefix.empty() || prefix.find_first_not_of(kDigits) != std::string::npos) {
    return failure(Errc::usage, "order \"" + prefix + "\" is refused",
                   "an id has 64 hexadecimal digits, 0x before them",
                   "Give one, or its beginning: see 'spctl orders list'");
  }
  SP_ASSIGN(const auto orders, list());
  std::optional<api::OrderId> found;
  for (const api::OrderId& order : orders) {
    if (!order.hex0x().starts_with(prefix) && !order.hex().starts_with(prefix)) continue;
    if (found) {
      return failure(Errc::usage, "\"" + prefix + "\" is ambiguous", "several orders begin so",
                     "Give more of the id");
    }
    found = order;
  }
  if (found) return *found;
  return failure(Errc::not_found, "no order begins with \"" + prefix + "\"", "HOME/orders has none",
                 "See 'spctl orders list'");
}

Status OrderFiles::save_created(const api::OrderId& id, const CreatedNote& note) {
  const Json json{{"tx", note.tx.hex0x()}, {"block", note.block}};
  return keep(files_, CrashSite::client_created, file(id, "created.json"),
              as_bytes(json.dump() + "\n"), FileMode::owner_only);
}

std::optional<CreatedNote> OrderFiles::created(const api::OrderId& id) const {
  const auto bytes = files_.read(file(id, "created.json"), kNoteMax);
  if (!bytes) return std::nullopt;
  const auto json = parse_json(as_text(*bytes), kNoteMax);
  if (!json) return std::nullopt;
  JsonObject object(*json, "created.json");
  CreatedNote note;
  note.tx = object.fixed<chain::TxHash>("tx");
  note.block = object.number("block", ~std::uint64_t{0} >> 1);
  if (!object.finish()) return std::nullopt;
  return note;
}

}  // namespace sp::spctl
