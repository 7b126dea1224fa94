// The store's process, and people who would have what it has promised to keep deleted.
#include "sim/world.hpp"
#include "store/remote/store_service.hpp"

namespace sp::sim {

using std::chrono::seconds;

void World::run_store(ProcessId process) {
  SimFiles files(store_disk_, tasks_, process, faults_);
  store::DirectoryStore blobs(files, "/store/blobs");
  const Path forgotten = "/store/promises-" + std::to_string(process);
  const auto accounts =
      store::AccountBook::open(files, "/store/owners.log", {.open = true}, clock_.unix_seconds(),
                               store::AccountBook::held_in(blobs));
  const auto promises = store::PromiseBook::open(
      files, options_.bug == Bug::store_forgets ? forgotten : Path("/store/promises.log"),
      clock_.unix_seconds());
  if (!accounts || !promises || !(*promises)->recall(blobs, clock_.unix_seconds())) return;
  store::StoreService service(blobs, store_key_, clock_, accounts->get(), promises->get(), {});
  Alone alone(tasks_);
  network_.serve("store", process,
                 [&](const net::HttpRequest& request) { return service.handle(request); });
  alone.wait_for_ever();
}

// The provider wants its quota back, and a stranger wants harm: both delete each result's blobs.
void World::want_deleted() {
  SimCaller http(network_, "provider");
  SimFiles files(store_disk_, tasks_, 0, faults_);
  store::DirectoryStore held(files, "/store/blobs");
  for (;;) {
    tasks_.sleep(seconds(faults_.dice().between(5, 40)));
    for (const store::PackageId& result : checkers_->results()) {
      const auto package = store::Package::fetch(held, result);
      if (!package) continue;
      for (const crypto::EthKey* key : {&stranger_, &action_}) {
        store::HttpStore store(http, "http://store",
                               {key, store_key_.address(), &clock_, &dice_, {}});
        static_cast<void>(store.remove(package->manifest().chunks.front()).ok());
        static_cast<void>(store.remove(result).ok());
      }
    }
  }
}

void World::check_results() {
  SimFiles files(store_disk_, tasks_, 0, faults_);
  store::DirectoryStore held(files, "/store/blobs");
  for (const store::PackageId& result : checkers_->results()) {
    const auto package = store::Package::fetch(held, result);
    bool all = package.ok();
    for (std::size_t i = 0; all && i < package->manifest().chunks.size(); ++i) {
      all = held.get(package->manifest().chunks[i], store::kBlobSizeMax).ok();
    }
    checkers_->check_result(result, all);
  }
}

}  // namespace sp::sim
