#include "common/daemon.hpp"
#include "common/folder_health.hpp"
#include "common/store_settings.hpp"
#include "daemons.hpp"
#include "store/remote/http_store.hpp"

namespace sp::apps {

Status run_store(const Path& path) {
  PosixFiles files;
  const SystemClock clock;
  SP_ASSIGN(const StoreSettings settings, StoreSettings::load(files, path));
  start_log(settings.operation);
  SP_ASSIGN(const crypto::EthKey key, load_key(files, settings.key));
  SP_TRY(files.make_folder(settings.folder));
  store::DirectoryStore blobs(files, settings.folder);
  store::StoreService::Options options;
  options.bytes_max = settings.bytes_max;
  store::StoreService service(blobs, key, clock, options);
  DaemonFrame frame;
  frame.name = "store";
  frame.listen = settings.listen;
  frame.operation = settings.operation;
  frame.body_max = store::kBlobSizeMax + 1024;
  frame.routes = {"/health", "/metrics", "/v1/blobs", "/v1/receipts", "/v1/identity"};
  frame.handler = [&](const auto& request) { return service.handle(request); };
  frame.health = [&] { return check_folder(files, settings.folder); };
  frame.collect = [&](net::MetricsText& text) {
    write_disk_metrics(text, "superprotocol_store", settings.folder);
  };
  return serve_until_stopped(frame);
}

}  // namespace sp::apps
