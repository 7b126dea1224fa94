#include "spctl/packages.hpp"

#include "base/durable.hpp"
#include "store/remote/http_store.hpp"
#include "store/tree.hpp"

namespace sp::spctl {
namespace {

namespace fs = std::filesystem;

Path key_file(Context& context, const store::PackageId& id) {
  return context.home().content() / (id.hex() + ".key");
}

}  // namespace

Result<Uploaded> upload_path(Context& context, Session& session, const Path& path,
                             ContentKind kind) {
  store::HttpStore blobs(context.http(), session.network.store.url);
  SP_ASSIGN(Uploaded uploaded, kind == ContentKind::image ? upload_image(context, blobs, path)
                                                          : upload_data(context, blobs, path));
  SP_TRY(context.files().make_folder(context.home().content()));
  SP_TRY(keep(context.files(), CrashSite::client_content_key,
              key_file(context, {uploaded.package.data}), uploaded.key.reveal(),
              FileMode::owner_only));
  return uploaded;
}

Result<Secret32> kept_key(Context& context, const store::PackageId& package) {
  auto bytes = context.files().read(key_file(context, package), Secret32::kSize);
  if (!bytes) {
    return failure(bytes.error().code, "no key of package " + package.hex(), bytes.error().message,
                   "Packages are opened from the home that sealed them.");
  }
  auto key = Secret32::from(*bytes);
  wipe(*bytes);
  return key;
}

Status open_package_to(Context& context, const store::Package& package, const Secret32& key,
                       const Path& out) {
  std::error_code failed;
  fs::create_directories(out, failed);
  if (failed || !fs::is_empty(out, failed)) {
    return failure(Errc::conflict, "can't open the package", out.string() + " isn't empty",
                   "Name a folder that is empty or doesn't exist (--out).");
  }
  ProgressBar bar(context.console(), "opening", package.manifest().stream_size);
  const auto source = package.open_stream(key, 2);
  return store::write_tree(*source, out, {kOpenedBytesMax, store::kTreeEntriesMax});
}

}  // namespace sp::spctl
