#include "testing/world.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/codec.hpp"
#include "base/json.hpp"
#include "base/process.hpp"
#include "crypto/hash.hpp"
#include "loader/result.hpp"
#include "store/tree.hpp"
#include "tee/sandbox.hpp"

namespace sp::testing {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) check_failed(result.error().message.c_str(), __FILE__, __LINE__);
  return std::move(*result);
}

void must_do(const Status& status) {
  if (!status) check_failed(status.error().message.c_str(), __FILE__, __LINE__);
}

Bytes read_all(store::ByteSource& source) {
  Bytes all;
  Bytes buffer(1 << 20);
  for (;;) {
    const std::size_t got = must(source.read(buffer));
    if (got == 0) return all;
    append(all, ByteView(buffer).first(got));
  }
}

Address address_of(std::uint8_t fill) {
  Address address;
  address.data.fill(fill);
  return address;
}

std::string put_blob(const Path& layout, ByteView bytes) {
  const std::string name = crypto::sha256(bytes).hex();
  write_text(layout / "blobs" / "sha256" / name, std::string(as_text(bytes)));
  return name;
}

Json descriptor(const std::string& type, const std::string& digest, std::size_t size) {
  return {{"mediaType", type}, {"digest", "sha256:" + digest}, {"size", size}};
}

Bytes gzipped(const Bytes& bytes) {
  const TemporaryFolder folder;
  const Path file = folder.path() / "layer";
  write_text(file, std::string(as_text(bytes)));
  ProcessOptions options;
  options.argv = {"gzip", file.string()};
  must(run_command(options, std::chrono::seconds(30), 4096));
  return must(PosixFiles().read(file.string() + ".gz", 1 << 30));
}

}  // namespace

Path program_path(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

void write_text(const Path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

void make_oci_layout(const Path& folder, const Path& root, const std::string& config_json,
                     bool gzip) {
  Bytes layer = read_all(*must(store::read_tree({{"", root}}, store::OddEntries::refuse)));
  std::string layer_type = "application/vnd.oci.image.layer.v1.tar";
  if (gzip) {
    layer = gzipped(layer);
    layer_type += "+gzip";
  }
  const Json manifest = {
      {"schemaVersion", 2},
      {"config", descriptor("application/vnd.oci.image.config.v1+json",
                            put_blob(folder, as_bytes(config_json)), config_json.size())},
      {"layers", Json::array({descriptor(layer_type, put_blob(folder, layer), layer.size())})}};
  const std::string text = manifest.dump();
  const Json index = {
      {"schemaVersion", 2},
      {"manifests", Json::array({descriptor("application/vnd.oci.image.manifest.v1+json",
                                            put_blob(folder, as_bytes(text)), text.size())})}};
  write_text(folder / "index.json", index.dump());
  write_text(folder / "oci-layout", R"({"imageLayoutVersion": "1.0.0"})");
}

World::World()
    : blobs_(files_, folder_.path() / "blobs"),
      market_{31337, address_of(0x11)},
      broker_(crypto::EthKey::generate(random_)),
      action_(crypto::EthKey::generate(random_)),
      store_(crypto::EthKey::generate(random_)),
      result_key_(crypto::X25519KeyPair::generate(random_)),
      platform_(prove::DevPlatform::generate(random_)),
      order_secret_(crypto::random_secret<32>(random_)),
      cgroup_parent_("superprotocol-test/" + std::to_string(::getpid())) {
  must_do(files_.write_atomic(platform_file(), platform_.encode().reveal(), FileMode::owner_only));
  make_image();
  write_text(folder() / "input" / "data.txt", kInputText);
  data_ = seal(folder() / "input");
  host_ = must(tee::make_sandbox(
      {program_path("sploader"), platform_file(), std::string(), cgroup_parent_}));
}

void World::make_image() {
  const Path root = folder() / "root";
  std::filesystem::create_directories(root / "etc");
  std::filesystem::copy_file(program_path("sploader_workload"), root / "workload");
  write_text(root / "etc" / "passwd", "root:x:0:0::/:/\nworker:x:1000:100::/:/\n");
  write_text(root / "etc" / "group", "users:x:100:\n");
  make_oci_layout(folder() / "image", root,
                  R"({"architecture":"amd64","os":"linux","config":{"Entrypoint":["/workload"],)"
                  R"("Cmd":["echo","by image"],"Env":["MODE=image","KEPT=yes"],)"
                  R"("WorkingDir":"/etc","User":"worker"}})");
  solution_ = seal(folder() / "image");
}

SealedPart World::seal(const Path& folder) {
  const auto tree = must(store::read_tree({{"", folder}}, store::OddEntries::refuse));
  auto key = crypto::random_secret<32>(random_);
  const auto sealed = must(store::seal_package(*tree, key, blobs_, random_, {}));
  return {sealed.id, std::move(key)};
}

api::Start World::start_for(const api::Arguments& arguments) const {
  arguments_ = arguments;
  api::Start start;
  start.market = market_;
  api::Terms& terms = start.terms;
  terms.ordered_seconds = 30;
  terms.work_by = terms.settle_by = terms.settle_window = terms.claim_window = 600;
  terms.cpu_milli = 1000;
  terms.memory_mib = 64;
  terms.disk_mib = 48;
  terms.pids = 32;
  terms.customer = address_of(0x22);
  terms.token = address_of(0x33);
  terms.attestor = broker_.address();
  terms.result_key = result_key_.public_key;
  terms.salt = crypto::random_fixed<Digest32>(random_);
  api::Compute compute;
  compute.kind = attest::EvidenceKind::dev;
  compute.provider = address_of(0x44);
  compute.attestors = {broker_.address()};
  compute.chip = platform_.chip();
  terms.choices = {compute};
  const Digest32 digests[] = {api::argument_commitment(order_secret_, arguments),
                              {solution_.package.data},
                              {data_.package.data},
                              {}};
  for (int i = 0; i < 4; ++i) {
    api::Part part;
    part.kind = static_cast<api::PartKind>(i + 1);
    part.owner = address_of(static_cast<std::uint8_t>(0x50 + i));
    part.store = store_.address();
    part.digest = digests[i];
    if (part.kind != api::PartKind::storage) part.brokers = {broker_.address()};
    terms.parts.push_back(part);
  }
  return start;
}

Result<Bytes> World::serve(const api::Start& start, const api::Call& call,
                           const Mischief& mischief) {
  switch (call.service) {
    case api::ServiceKind::broker:
      return serve_broker(start, call, mischief);
    case api::ServiceKind::store:
      return serve_store(call);
    case api::ServiceKind::provider: {
      SP_ASSIGN(const Address session, Address::from(call.body));
      const api::Run run{start.terms.order_id(start.market), start.attempt, start.replica};
      return to_bytes(action_.sign(api::Acceptance{run, session}.digest(market_)).view());
    }
  }
  return Error{Errc::unsupported, "no such service"};
}

Result<Bytes> World::serve_broker(const api::Start& start, const api::Call& call,
                                  const Mischief& mischief) {
  if (call.address != broker_.address()) return Error{Errc::not_found, "no such broker"};
  if (call.method == "nonce") {
    SP_ASSIGN(const auto request, api::NonceRequest::decode(call.body));
    nonces_[request.session] = crypto::random_fixed<api::Nonce>(random_);
    return to_bytes(nonces_[request.session].view());
  }
  if (call.method == "release") return serve_release(start, call, mischief);
  SP_ASSIGN(const auto proof, api::SessionProof::decode(call.body));
  SP_ASSIGN(const auto verdict, attest::verify(proof.evidence, kAttestationTime));
  SP_TRY(verdict.binds(proof.context.report_data()));
  if (proof.context.nonces != std::vector<api::Nonce>{nonces_[proof.context.session]}) {
    return Error{Errc::refused, "not my nonce"};
  }
  api::Attestation word;
  word.kind = verdict.kind();
  word.vendor = verdict.vendor();
  word.tcb_status = verdict.tcb_status();
  word.chip = verdict.chip();
  word.measurement = verdict.measurement_digest();
  word.run = {proof.context.order, proof.context.attempt, proof.context.replica};
  word.session = proof.context.session;
  word.time = kAttestationTime;
  word.acceptance = proof.acceptance;
  SP_TRY(api::verify_acceptance(word, market_, action_.address()));
  if (mischief.on_attestation) mischief.on_attestation(word);
  return api::Signed<api::Attestation>::make(word, market_, broker_).encode();
}

Result<Bytes> World::serve_release(const api::Start& start, const api::Call& call,
                                   const Mischief& mischief) {
  SP_ASSIGN(const auto request, api::ReleaseRequest::decode(call.body));
  const api::KeyRequest& wanted = request.request.statement;
  SP_TRY(request.attestation.verify(market_, broker_.address()));
  SP_TRY(request.request.verify(market_, request.proof.context.session));
  if (wanted.attestation != request.attestation.statement.digest(market_)) {
    return Error{Errc::mismatch, "a key request for another attestation"};
  }
  if (const auto refused = mischief.refusals.find(wanted.part);
      refused != mischief.refusals.end()) {
    const api::Refusal refusal{wanted.run, wanted.part, refused->second};
    api::ReleaseAnswer answer;
    answer.refusal = api::Signed<api::Refusal>::make(refusal, market_, broker_);
    return answer.encode();
  }
  api::ReleasedSecret released;
  const Secret32* keys[] = {&order_secret_, &solution_.key, &data_.key};
  if (wanted.part >= std::size(keys)) return Error{Errc::not_found, "no such part"};
  released.secret.key = keys[wanted.part]->clone();
  if (wanted.part == 0) released.secret.arguments = SecretBytes(arguments_.encode());
  if (const auto rules = mischief.conditions.find(wanted.part);
      rules != mischief.conditions.end()) {
    released.conditions = rules->second;
  }
  const api::Run run{start.terms.order_id(start.market), start.attempt, start.replica};
  const Bytes info = api::release_info(nonces_[request.proof.context.session], run, wanted.part);
  api::ReleaseAnswer answer;
  SP_ASSIGN(answer.sealed, crypto::hpke_seal(random_, request.proof.context.session_key, info, {},
                                             released.encode().reveal()));
  const api::Release said{run, wanted.part, nonces_[request.proof.context.session],
                          crypto::sha256(answer.sealed)};
  answer.signature = broker_.sign(said.digest(market_));
  return answer.encode();
}

Result<Bytes> World::serve_store(const api::Call& call) {
  if (call.address != store_.address()) return Error{Errc::not_found, "no such store"};
  Reader reader(call.body);
  const auto id = reader.fixed<store::BlobId>();
  if (call.method == "get") {
    const std::uint32_t size_max = reader.u32();
    SP_TRY(reader.finish());
    return blobs_.get(id, size_max);
  }
  if (call.method == "put") {
    SP_TRY(blobs_.put(id, reader.raw(reader.remaining())));
    return Bytes{};
  }
  const std::uint64_t until = reader.u64();
  SP_TRY(reader.finish());
  SP_ASSIGN(const auto receipt,
            store::issue_storage_receipt(blobs_, id, static_cast<std::int64_t>(until), store_));
  return receipt.encode();
}

RunReport World::run(const api::Start& start, const Mischief& mischief) {
  RunReport report;
  const SystemClock clock;
  const Fd log(::open((folder() / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  tee::StartOptions options;
  options.id = "run-" + std::to_string(++runs_);
  options.memory_mib = start.terms.memory_mib;
  options.disk_mib = start.terms.disk_mib;
  options.pids = start.terms.pids;
  options.log_descriptor = log.get();
  const auto started = clock.monotonic();
  const auto running = must(host_->start(options));
  report.started = clock.monotonic() - started;
  api::FrameStream window(running->window());
  must_do(window.write({api::FrameType::start, start.encode()}));
  for (;;) {
    const auto frame = window.read();
    if (!frame) break;
    if (frame->type == api::FrameType::stage) {
      const auto stage = static_cast<api::Stage>(frame->body.at(0));
      report.stages[stage] = clock.monotonic() - started;
      if (mischief.on_stage) mischief.on_stage(stage, window);
    }
    if (frame->type == api::FrameType::finish) {
      report.finish = must(api::Finish::decode(frame->body));
      break;
    }
    if (frame->type != api::FrameType::call) continue;
    api::Call call = must(api::Call::decode(frame->body));
    report.calls.push_back(call.method);
    if (mischief.on_call) mischief.on_call(call);
    const auto answer = serve(start, call, mischief);
    api::Reply reply{call.id, std::nullopt, {}};
    if (answer) {
      reply.body = *answer;
    } else {
      reply.error = answer.error().code;
      reply.body = to_bytes(as_bytes(answer.error().message));
    }
    if (mischief.on_reply && !mischief.on_reply(call, reply)) continue;
    if (!window.write({api::FrameType::reply, reply.encode()})) break;
  }
  report.finished = clock.monotonic() - started;
  report.end = running->wait(std::chrono::seconds(10));
  report.whole = clock.monotonic() - started;
  return report;
}

Status World::open_result(const RunReport& report, const Path& folder) const {
  const api::Receipt& receipt = report.finish.value().receipt.value().statement;
  auto& blobs = const_cast<store::DirectoryStore&>(blobs_);
  SP_ASSIGN(const auto package, store::Package::fetch(blobs, {receipt.result.data}));
  SP_ASSIGN(const Secret32 key, package.unwrap(result_key_, loader::result_context(receipt.run)));
  std::filesystem::create_directories(folder);
  const auto tar = package.open_stream(key, 2);
  return store::write_tree(*tar, folder, {1 << 30, 10'000});
}

std::string World::log_text() const {
  std::ostringstream text;
  text << std::ifstream(folder() / "log").rdbuf();
  return text.str();
}

}  // namespace sp::testing
