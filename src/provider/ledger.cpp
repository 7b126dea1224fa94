#include "provider/ledger.hpp"

#include "base/codec.hpp"
#include "base/durable.hpp"

namespace sp::provider {
namespace {

constexpr std::string_view kMagic = "SPLE";
constexpr std::uint16_t kVersion = 2;
constexpr std::size_t kFailureMax = 1024;
constexpr std::size_t kStartMax = api::kTermsSizeMax + 256;
constexpr std::size_t kFinishMax = 2 << 20;

CrashSite site_of(EntryState state) {
  switch (state) {
    case EntryState::queued:
      return CrashSite::ledger_queued;
    case EntryState::running:
      return CrashSite::ledger_running;
    case EntryState::finished:
      return CrashSite::ledger_finished;
    case EntryState::settled:
      return CrashSite::ledger_settled;
    case EntryState::failed:
      return CrashSite::ledger_failed;
  }
  SP_CHECK(false);
}

}  // namespace

std::string_view entry_state_name(EntryState state) {
  switch (state) {
    case EntryState::queued:
      return "queued";
    case EntryState::running:
      return "running";
    case EntryState::finished:
      return "finished";
    case EntryState::settled:
      return "settled";
    case EntryState::failed:
      return "failed";
  }
  return "unknown";
}

Bytes Entry::encode() const {
  SP_CHECK(idle.size() <= kIdleMax);
  Writer writer;
  writer.raw(as_bytes(kMagic)).u16(kVersion).u8(static_cast<std::uint8_t>(state));
  writer.var(start.encode()).u8(finish ? 1 : 0);
  if (finish) writer.var(finish->encode());
  writer.u8(static_cast<std::uint8_t>(idle.size()));
  for (const auto& receipt : idle) writer.var(receipt.encode());
  writer.u8(locks ? 1 : 0);
  writer.text(std::string_view(failure).substr(0, kFailureMax));
  return std::move(writer).take();
}

Result<Entry> Entry::decode(ByteView bytes) {
  Reader reader(bytes);
  if (as_text(reader.raw(kMagic.size())) != kMagic) reader.fail(Errc::malformed, "not an entry");
  if (reader.u16() != kVersion) reader.fail(Errc::unsupported, "unknown version of entry");
  Entry entry;
  const std::uint8_t state = reader.u8();
  if (state < 1 || state > 5) reader.fail(Errc::malformed, "unknown state");
  entry.state = static_cast<EntryState>(state);
  const ByteView start = reader.var(kStartMax);
  const bool has_finish = reader.boolean();
  const ByteView finish = has_finish ? reader.var(kFinishMax) : ByteView{};
  const std::size_t idle_count = reader.u8();
  if (idle_count > kIdleMax) reader.fail(Errc::too_large, "too many idle sessions");
  std::vector<ByteView> idle;
  for (std::size_t i = 0; i < idle_count && !reader.failed(); ++i) {
    idle.push_back(reader.var(api::kStatementSizeMax));
  }
  entry.locks = reader.boolean();
  entry.failure = reader.text(kFailureMax);
  SP_TRY(reader.finish());
  SP_ASSIGN(entry.start, api::Start::decode(start));
  if (has_finish) {
    SP_ASSIGN(entry.finish, api::Finish::decode(finish));
  }
  for (const ByteView bytes_of : idle) {
    SP_ASSIGN(auto receipt, api::Signed<api::Receipt>::decode(bytes_of));
    entry.idle.push_back(std::move(receipt));
  }
  return entry;
}

Path Ledger::path_of(const api::OrderId& order) const { return folder_ / order.hex(); }

Status Ledger::save(const api::OrderId& order, const Entry& entry) {
  return keep(files_, site_of(entry.state), path_of(order), entry.encode(), FileMode::owner_only);
}

Result<Entry> Ledger::load(const api::OrderId& order) const {
  SP_ASSIGN(const Bytes bytes, files_.read(path_of(order), kEntrySizeMax));
  return Entry::decode(bytes);
}

Status Ledger::remove(const api::OrderId& order) { return files_.remove(path_of(order)); }

bool Ledger::has(const api::OrderId& order) const { return files_.size(path_of(order)).ok(); }

Result<std::vector<api::OrderId>> Ledger::orders() const {
  SP_ASSIGN(const std::vector<std::string> names, files_.list(folder_));
  std::vector<api::OrderId> orders;
  for (const std::string& name : names) {
    if (auto order = api::OrderId::from_hex(name)) orders.push_back(*order);
  }
  return orders;
}

}  // namespace sp::provider
