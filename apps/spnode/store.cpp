#include "common/daemon.hpp"
#include "common/store_settings.hpp"
#include "daemons.hpp"
#include "store/remote/http_store.hpp"

namespace sp::apps {

Status run_store(const Path& path) {
  PosixFiles files;
  const SystemClock clock;
  SP_ASSIGN(const StoreSettings settings, StoreSettings::load(files, path));
  SP_ASSIGN(const crypto::EthKey key, load_key(files, settings.key));
  SP_TRY(files.make_folder(settings.folder));
  store::DirectoryStore blobs(files, settings.folder);
  store::StoreService::Options options;
  options.bytes_max = settings.bytes_max;
  store::StoreService service(blobs, key, clock, options);
  return serve_until_stopped("store", settings.listen, store::kBlobSizeMax + 1024,
                             [&](const auto& request) { return service.handle(request); });
}

}  // namespace sp::apps
