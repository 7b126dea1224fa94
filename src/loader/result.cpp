#include "loader/result.hpp"

#include <sys/stat.h>

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
// entries aren't in it. Errc::too_large before a byte is read where files are larger than the disk
// together, as holes and hard links make them.
Result<Digest32> output_digest(const Path& output, std::uint64_t disk_bytes,
                               store::LeftOut& left_out) {
  SP_ASSIGN(const auto tree,
            store::read_tree({{"", output}}, store::OddEntries::leave_out, disk_bytes, &left_out));
  crypto::Hasher hasher(crypto::Hasher::Kind::sha256);
  Bytes buffer(kReadSize);
  for (;;) {
    SP_ASSIGN(const std::size_t got, tree->read(buffer));
    if (got == 0) return Digest32::from(hasher.finish());
    hasher.update(ByteView(buffer).first(got));
  }
}

std::string outcome_json(const WorkloadEnd& end, const store::LeftOut& left_out) {
  using std::chrono::duration_cast;
  Json json;
  json["version"] = 1;
  json["outcome"] = api::outcome_name(end.outcome);
  json["exitCode"] = end.container.exit_code;
  json["limit"] = api::limit_name(end.container.limit);
  json["durationMs"] = duration_cast<std::chrono::milliseconds>(end.container.duration).count();
  json["leftOutCount"] = left_out.count;
  json["leftOut"] = left_out.named;
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

struct ResultTree {
  Digest32 output_digest;
  std::unique_ptr<store::ByteSource> stream;  ///< of the package
};

// The package's content with `output` as the output, and log and outcome beside it.
// Errc::too_large where no package can hold that.
Result<ResultTree> result_tree(const WorkloadEnd& end, const Workspace& workspace,
                               const Path& output, store::LeftOut left_out) {
  ResultTree tree;
  SP_ASSIGN(tree.output_digest, output_digest(output, workspace.disk_bytes(), left_out));
  const Path log = workspace.state() / "log.txt";
  const Path outcome = workspace.state() / "outcome.json";
  SP_TRY(write_file(log, end.container.log));
  SP_TRY(write_file(outcome, as_bytes(outcome_json(end, left_out))));
  SP_ASSIGN(tree.stream,
            store::read_tree({{"log.txt", log}, {"outcome.json", outcome}, {"output", output}},
                             store::OddEntries::leave_out));
  return tree;
}

// An output that no package can hold is the workload's doing: log and outcome go without it.
Result<ResultTree> tree_without_output(WorkloadEnd& end, const Workspace& workspace,
                                       const std::string& why) {
  if (end.outcome == api::Outcome::success) end.outcome = api::Outcome::workload;
  if (end.container.limit == api::LimitHit::none) end.container.limit = api::LimitHit::disk;
  const Path empty = workspace.state() / "no-output";
  if (::mkdir(empty.c_str(), 0700) != 0) return errno_error("mkdir", empty);
  return result_tree(end, workspace, empty, {1, {"output: " + why}});
}

}  // namespace

Bytes result_context(const api::Run& run) {
  Writer writer;
  writer.raw(run.order.view()).u16(run.attempt).u8(run.replica);
  return std::move(writer).take();
}

Result<StoredResult> store_result(const Session& session, WorkloadEnd& end,
                                  const Secret32& order_secret, const Workspace& workspace,
                                  WindowClient& window, Random& random) {
  auto tree = result_tree(end, workspace, workspace.output(), {});
  if (!tree && tree.error().code == Errc::too_large) {
    tree = tree_without_output(end, workspace, tree.error().message);
  }
  if (!tree) return tree.error();
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
            store::seal_package(*tree->stream, content_key, store, random, options));
  const std::int64_t attested_at = session.attestation()->statement.time;
  SP_ASSIGN(const store::StorageReceipt receipt,
            store.storage_receipt(sealed.id, attested_at + kKeepSeconds));
  if (receipt.until < attested_at + kKeepSecondsMin) {
    return Error{Errc::expired, "the store promises to keep the result for too short a time"};
  }
  return StoredResult{sealed.id,
                      crypto::hmac_sha256(order_secret.reveal(), tree->output_digest.view())};
}

}  // namespace sp::loader
