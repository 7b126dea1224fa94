#include <algorithm>

#include "base/durable.hpp"
#include "base/log.hpp"
#include "base/sync.hpp"
#include "common/daemon.hpp"
#include "common/environment.hpp"
#include "common/folder_health.hpp"
#include "common/folder_lock.hpp"
#include "common/secret_files.hpp"
#include "common/store_settings.hpp"
#include "crypto/random.hpp"
#include "daemons.hpp"
#include "net/server_files.hpp"
#include "store/buffers.hpp"
#include "store/remote/s3_store.hpp"
#include "store/remote/store_service.hpp"

namespace sp::apps {
namespace {

constexpr const char* kOwnersFile = "owners.log";
constexpr const char* kPromisesFile = "promises.log";
constexpr std::chrono::seconds kBucketPatience{3};  // of a look at its health, and of a manifest
constexpr std::size_t kBucketSlowest = 256 << 10;   // bytes per second of a manifest, beyond that
constexpr std::chrono::seconds kBucketLookKept{10};
constexpr std::chrono::seconds kRecallPause{10};      // where a manifest couldn't be read; doubles
constexpr std::chrono::seconds kRecallPauseMax{300};  // up to this

/// A folder or a bucket, with what it stands on.
class Backend {
 public:
  Backend(Files& files, const Clock& clock) : files_(files), clock_(clock) {}

  Status open(const StoreSettings& settings) {
    SP_TRY(files_.make_folder(settings.folder));
    if (!settings.bucket) {
      blobs_ = std::make_unique<store::DirectoryStore>(files_, settings.folder);
      return {};
    }
    net::HttpClient::Options options;
    options.ca_file = settings.bucket->ca_file;
    SP_TRY(net::check_ca_file(options.ca_file));
    options.timeout = kBucketPatience;
    options.slowest = kBucketSlowest;
    SP_ASSIGN(probe_, bucket(probe_http_, options, *settings.bucket, /*attempts=*/1));
    options.timeout = net::HttpClient::Options{}.timeout;
    options.slowest = net::kSlowestLine;
    const unsigned attempts = store::S3Settings{}.attempts;
    SP_ASSIGN(blobs_, bucket(http_, options, *settings.bucket, attempts));
    return {};
  }

  [[nodiscard]] store::RangedStore& blobs() { return *blobs_; }
  /// The same, for whoever comes again by himself, and may have to stop: no call is tried twice.
  [[nodiscard]] store::BlobStore& impatient() { return probe_ ? *probe_ : *blobs_; }
  /// Asking a bucket for every blob would take a start too long, and cost money; a blob that a
  /// crash kept from it is counted until it is put again.
  [[nodiscard]] store::AccountBook::Holds holds() {
    if (!http_) return store::AccountBook::held_in(*blobs_);
    return [](const store::BlobId&, std::uint64_t) { return true; };
  }
  /// Whether the bucket is there; what it said is kept, since each look costs money. Belongs to one
  /// thread at a time.
  Status health() {
    if (!probe_) return {};
    const auto now = clock_.monotonic();
    if (!looked_ || now - *looked_ >= kBucketLookKept) {
      seen_ = probe_->check_bucket();
      looked_ = clock_.monotonic();
    }
    return seen_;
  }

 private:
  Result<std::unique_ptr<store::S3Store>> bucket(std::unique_ptr<net::HttpClient>& http,
                                                 const net::HttpClient::Options& options,
                                                 const BucketSettings& bucket, unsigned attempts) {
    SP_ASSIGN(auto s3,
              store::s3_settings(bucket.location, bucket.choices, environment_variable, files_));
    s3.attempts = attempts;
    http = std::make_unique<net::HttpClient>(options);
    return store::S3Store::make(*http, clock_, random_, std::move(s3));
  }

  Files& files_;
  const Clock& clock_;
  crypto::SystemRandom random_;
  std::unique_ptr<net::HttpClient> http_, probe_http_;  // of a bucket
  std::unique_ptr<store::RangedStore> blobs_;
  std::unique_ptr<store::S3Store> probe_;  // the same bucket, with less patience
  Status seen_;
  std::optional<std::chrono::nanoseconds> looked_;
};

/// Reads what was promised before the start, on a thread of its own: a bucket's manifests take a
/// while, and until then only deletions wait. What fails is tried again until its promise is over.
class Recall {
 public:
  Recall(store::PromiseBook& promises, store::BlobStore& blobs, const Clock& clock)
      : thread_([this, &promises, &blobs, &clock] { run(promises, blobs, clock); }) {}
  Recall(const Recall&) = delete;
  Recall& operator=(const Recall&) = delete;
  ~Recall() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void run(store::PromiseBook& promises, store::BlobStore& blobs, const Clock& clock) {
    const auto stop = [this](std::chrono::nanoseconds pause) {
      std::unique_lock lock(mutex_);
      return changed_.wait_for(lock, pause, [this] { return stopping_; });
    };
    for (auto pause = kRecallPause;; pause = std::min(2 * pause, kRecallPauseMax)) {
      const Status done = promises.recall(blobs, clock.unix_seconds(), stop);
      if (done || done.error().code == Errc::cancelled) return;
      log(LogLevel::warning, "store_promises_unread", {{"message", done.error().message}});
      if (stop(pause)) return;
    }
  }

  Mutex mutex_;
  Condition changed_;
  bool stopping_ = false;  // guarded by mutex_
  Thread thread_;          // the last member: it uses the others
};

}  // namespace

Status run_store(const Path& path) {
  store::keep_freed_buffers();
  PosixFiles files;
  const SystemClock clock;
  SP_ASSIGN(const StoreSettings settings, StoreSettings::load(files, path));
  start_log(settings.operation);
  SP_ASSIGN(const crypto::EthKey key, load_key(files, settings.key));
  SP_ASSIGN(const FolderLock lock, FolderLock::take(files, clock, settings.folder));
  Backend backend(files, clock);
  SP_TRY(backend.open(settings));
  SP_TRY(sweep_temporaries(settings.folder, SweepDepth::below));
  SP_ASSIGN(const auto accounts,
            store::AccountBook::open(files, settings.folder / kOwnersFile, settings.accounts,
                                     clock.unix_seconds(), backend.holds()));
  SP_ASSIGN(const auto promises,
            store::PromiseBook::open(files, settings.folder / kPromisesFile, clock.unix_seconds()));
  store::StoreService::Options options;
  options.bytes_max = settings.bytes_max;
  options.anonymous_writes = settings.anonymous_writes;
  store::StoreService service(backend.blobs(), key, clock, accounts.get(), promises.get(), options);
  DaemonFrame frame;
  frame.name = "store";
  frame.listen = settings.listen;
  frame.operation = settings.operation;
  frame.body_max = store::kBlobSizeMax + 1024;
  frame.routes = {"/health", "/metrics", "/v1/blobs", "/v1/receipts", "/v1/identity"};
  frame.handler = [&](const auto& request) { return service.handle(request); };
  frame.health = [&]() -> Status {
    SP_TRY(check_folder(files, settings.folder));
    return backend.health();
  };
  frame.collect = [&](net::MetricsText& text) {
    write_disk_metrics(text, "superprotocol_store", settings.folder);
    const auto owned = accounts->total();
    using Type = net::MetricsText::Type;
    text.single("superprotocol_store_owned_bytes", Type::gauge,
                "Bytes that count for quotas, once for each owner.", owned.bytes);
    text.single("superprotocol_store_owned_blobs", Type::gauge,
                "Blobs that count for quotas, once for each owner.", owned.blobs);
    text.single("superprotocol_store_deletions_total", Type::counter,
                "Deletions of blobs by an owner.", service.deleted());
  };
  // Of a store that can't listen nobody asks for a deletion.
  std::optional<Recall> recall;
  frame.listening = [&] { recall.emplace(*promises, backend.impatient(), clock); };
  frame.drain = [&] { recall.reset(); };
  frame.drain_max = kBucketPatience;
  return serve_until_stopped(frame);
}

}  // namespace sp::apps
