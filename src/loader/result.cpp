#include "loader/result.hpp"

#include <nlohmann/json.hpp>

#include "base/codec.hpp"
#include "base/json.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "store/tree.hpp"

namespace sp::loader {
namespace {

constexpr unsigned kSealThreads = 2;
constexpr std::size_t kReadSize = 1 << 20;

Status write_file(const Path& path, ByteView bytes) {
  std::FILE* file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr) return errno_error("create", path);
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  if (std::fclose(file) != 0 || !written) return Error{Errc::io, "writing " + path.string()};
  return {};
}

// The output digest: SHA-256 of the canonical tree (what store::tree_digest says), and which
// entries aren't in it.
Result<Digest32> output_digest(const Path& output, std::vector<std::string>& left_out) {
  SP_ASSIGN(const auto tree,
            store::read_tree({{"", output}}, store::OddEntries::leave_out, &left_out));
  crypto::Hasher hasher(crypto::Hasher::Kind::sha256);
  Bytes buffer(kReadSize);
  for (;;) {
    SP_ASSIGN(const std::size_t got, tree->read(buffer));
    if (got == 0) return Digest32::from(hasher.finish());
    hasher.update(ByteView(buffer).first(got));
  }
}

std::string outcome_json(const WorkloadEnd& end, const std::vector<std::string>& left_out) {
  using std::chrono::duration_cast;
  Json json;
  json["version"] = 1;
  json["outcome"] = api::outcome_name(end.outcome);
  json["exitCode"] = end.container.exit_code;
  json["limit"] = api::limit_name(end.container.limit);
  json["durationMs"] = duration_cast<std::chrono::milliseconds>(end.container.duration).count();
  json["leftOutCount"] = left_out.size();
  const std::size_t named = std::min(left_out.size(), kLeftOutMax);
  json["leftOut"] = std::vector<std::string>(left_out.begin(),
                                             left_out.begin() + static_cast<std::ptrdiff_t>(named));
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Bytes result_context(const api::Run& run) {
  Writer writer;
  writer.raw(run.order.view()).u16(run.attempt).u8(run.replica);
  return std::move(writer).take();
}

Result<StoredResult> store_result(const Session& session, const WorkloadEnd& end,
                                  const Secret32& order_secret, const Workspace& workspace,
                                  WindowClient& window, Random& random) {
  std::vector<std::string> left_out;
  SP_ASSIGN(const Digest32 digest, output_digest(workspace.output(), left_out));
  const Path log = workspace.state() / "log.txt";
  const Path outcome = workspace.state() / "outcome.json";
  SP_TRY(write_file(log, end.container.log));
  SP_TRY(write_file(outcome, as_bytes(outcome_json(end, left_out))));
  SP_ASSIGN(const auto tree,
            store::read_tree(
                {{"log.txt", log}, {"outcome.json", outcome}, {"output", workspace.output()}},
                store::OddEntries::leave_out));
  store::SealOptions options;
  options.compression = store::Compression::zstd;
  options.recipients = {session.terms().result_key};
  options.context = result_context(session.run());
  options.threads = kSealThreads;
  const api::Terms& terms = session.terms();
  WindowStore store(window, terms.parts[terms.storage_index()].store, OnCancel::go_on);
  const auto content_key = crypto::random_secret<32>(random);
  window.tell_stage(api::Stage::storing, "");
  SP_ASSIGN(const store::SealedPackage sealed,
            store::seal_package(*tree, content_key, store, random, options));
  const std::int64_t attested_at = session.attestation()->statement.time;
  SP_ASSIGN(const store::StorageReceipt receipt,
            store.storage_receipt(sealed.id, attested_at + kKeepSeconds));
  if (receipt.until < attested_at + kKeepSecondsMin) {
    return Error{Errc::expired, "the store promises to keep the result for too short a time"};
  }
  return StoredResult{sealed.id, crypto::hmac_sha256(order_secret.reveal(), digest.view())};
}

}  // namespace sp::loader
