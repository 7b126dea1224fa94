#include "spctl/result.hpp"

#include <nlohmann/json.hpp>

#include "base/crash_point.hpp"
#include "crypto/hash.hpp"
#include "market/pricing.hpp"
#include "spctl/uploads.hpp"
#include "store/tree.hpp"

namespace sp::spctl {
namespace {

constexpr std::uint64_t kBesidesOutputBytes = 128 << 20;  // log and outcome of a result
constexpr std::uint64_t kMib = 1 << 20;

// Removes what it was given, unless it is kept.
class Discard {
 public:
  explicit Discard(Path path) : path_(std::move(path)) {}
  Discard(const Discard&) = delete;
  Discard& operator=(const Discard&) = delete;
  ~Discard() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  void keep() { path_.clear(); }

 private:
  Path path_;
};

// HPKE info of a result's wrapped key (FORMATS.md section 4).
Bytes result_context(const api::Run& run) {
  Bytes context = to_bytes(run.order.view());
  context.push_back(static_cast<std::uint8_t>(run.attempt >> 8));
  context.push_back(static_cast<std::uint8_t>(run.attempt));
  context.push_back(run.replica);
  return context;
}

Status check_commitment(const OrderRecord& record, const api::Run& run,
                        const market::SettledEvent& settled, const Digest32& output) {
  const Digest32 c = crypto::hmac_sha256(record.order_secret.reveal(), output.view());
  if (api::commitment_of(run, settled.session, c) == settled.commitment) return {};
  return failure(Errc::mismatch, "the result isn't the one that was paid for",
                 "its output doesn't match the receipt's commitment",
                 "Keep this order's files and ask the store again");
}

std::string read_log_tail(const Files& files, const Path& log) {
  const auto size = files.size(log);
  if (!size) return {};
  const std::size_t take = std::min<std::uint64_t>(*size, kLogShownMax);
  const auto bytes = files.read_range(log, *size - take, take);
  return bytes ? std::string(as_text(*bytes)) : std::string();
}

}  // namespace

Status check_out(const Path& out) {
  std::error_code failed;
  if (!std::filesystem::exists(out, failed)) return {};
  if (std::filesystem::is_directory(out, failed) && std::filesystem::is_empty(out, failed)) {
    return {};
  }
  return failure(Errc::conflict, out.string() + " can't take the result", "it exists already",
                 "Name another folder with --out, or empty it");
}

Result<OpenedResult> open_result(Context& context, Session& session, const OrderRecord& record,
                                 const Watched& watched, const Path& out) {
  SP_CHECK(watched.end == Watched::End::settled);
  const market::SettledEvent& settled = watched.settled;
  if (settled.result.is_zero()) {
    return failure(Errc::not_found, "the order has no result",
                   "it ended as " + std::string(api::outcome_name(settled.outcome)),
                   "See 'spctl orders get'");
  }
  SP_TRY(check_out(out));
  const api::Run run{record.id(), watched.attempt, 0};
  const api::Terms& terms = record.terms;
  const Address& keeper = terms.parts[terms.storage_index()].store;
  SP_TRY(session.url_of(keeper));
  SP_ASSIGN(const crypto::X25519KeyPair key, context.keys().load_result_key(record.key_name));
  SP_ASSIGN(const auto stores, open_stores(context, session.urls_of(keeper), keeper, ""));
  auto download = Download::begin(context, *stores, {settled.result.data});
  if (!download) return download.error().in("fetching the result");
  SP_ASSIGN(const Secret32 content_key, (*download)->package().unwrap(key, result_context(run)));

  const Path absolute = std::filesystem::absolute(out).lexically_normal();
  const Path target = absolute.has_filename() ? absolute : absolute.parent_path();
  Path partial = target;
  partial += ".partial-" + record.id().hex().substr(0, 8);
  std::error_code failed;
  std::filesystem::remove_all(partial, failed);
  std::filesystem::create_directories(partial, failed);
  if (failed) return Error{Errc::io, partial.string() + ": " + failed.message()};
  Discard discard(partial);
  const auto source = (*download)->open(content_key, "fetching the result");
  SP_TRY(store::write_tree(*source, partial, {terms.disk_mib * kMib + kBesidesOutputBytes}));

  OpenedResult opened;
  SP_ASSIGN(opened.output, store::tree_digest(partial / "output", store::OddEntries::refuse));
  SP_TRY(check_commitment(record, run, settled, opened.output));
  opened.size = content_size(partial);
  opened.log_tail = read_log_tail(context.files(), partial / "log.txt");
  SP_TRY(store::sync_tree(partial));  // once it is in its place, nothing fetches it again
  const CrashEffect effect(CrashSite::client_result);
  std::filesystem::rename(partial, target, failed);
  if (failed) return Error{Errc::io, target.string() + ": " + failed.message()};
  discard.keep();
  SP_TRY(store::sync_tree(target.parent_path()));
  (*download)->finish();
  opened.folder = target;
  return opened;
}

std::string payment_lines(const apps::Network& network, const OrderRecord& record,
                          const market::SettledEvent& settled) {
  std::vector<std::vector<std::string>> rows{{"FOR", "TO", "PAID"}};
  rows.push_back({"compute", settled.provider.hex0x(), money(network, settled.compute_paid)});
  const auto& parts = record.terms.parts;
  for (std::size_t i = 0; i < std::min(parts.size(), settled.parts_paid.size()); ++i) {
    if (parts[i].owner == record.terms.customer && settled.parts_paid[i].units() == 0) continue;
    rows.push_back({std::string(api::part_kind_name(parts[i].kind)), parts[i].owner.hex0x(),
                    money(network, settled.parts_paid[i])});
  }
  rows.push_back({"refund", settled.customer.hex0x(), money(network, settled.refunded)});
  return table(rows);
}

Json payment_json(const OrderRecord& record, const market::SettledEvent& settled) {
  Json parts = Json::array();
  for (std::size_t i = 0; i < settled.parts_paid.size(); ++i) {
    if (i >= record.terms.parts.size()) break;
    parts.push_back({{"kind", api::part_kind_name(record.terms.parts[i].kind)},
                     {"owner", record.terms.parts[i].owner.hex0x()},
                     {"paid", settled.parts_paid[i].text()}});
  }
  const auto deposit = market::required_deposit(record.terms);
  return {{"deposit", deposit ? deposit->text() : ""},
          {"provider", settled.provider.hex0x()},
          {"compute", settled.compute_paid.text()},
          {"parts", std::move(parts)},
          {"refund", settled.refunded.text()}};
}

}  // namespace sp::spctl
