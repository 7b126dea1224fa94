#include "spctl/packages.hpp"

#include "base/durable.hpp"
#include "store/tree.hpp"

namespace sp::spctl {
namespace {

namespace fs = std::filesystem;

Path key_file(Context& context, const store::PackageId& id) {
  return context.home().content() / (id.hex() + ".key");
}

// First the content is at its place after a power failure as well, then what it could be made from
// again goes.
Status end(Download& download, const Path& target) {
  SP_TRY(store::sync_tree(target.parent_path()));
  download.finish();
  return {};
}

}  // namespace

Result<Uploaded> upload_path(Context& context, OpenStore& stores, const Path& path,
                             ContentKind kind) {
  const KeepKey keep = [&](const SealedUpload& sealed) -> Status {
    SP_TRY(context.files().make_folder(context.home().content()));
    return sp::keep(context.files(), CrashSite::client_content_key,
                    key_file(context, sealed.package.id), sealed.key.reveal(),
                    FileMode::owner_only);
  };
  return kind == ContentKind::image ? upload_image(context, stores, path, keep)
                                    : upload_data(context, stores, path, keep);
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

Status open_package_to(Download& download, const Secret32& key, const Path& out) {
  std::error_code failed;
  const Path absolute = fs::absolute(out).lexically_normal();
  const Path target = absolute.has_filename() ? absolute : absolute.parent_path();
  if (fs::exists(out, failed) && !(fs::is_directory(out, failed) && fs::is_empty(out, failed))) {
    // A run before was killed when it had moved all there, perhaps before that was on the disk.
    if (download.opened_into(target)) return end(download, target);
    return failure(Errc::conflict, "can't open the package", out.string() + " isn't empty",
                   "Name a folder that is empty or doesn't exist (--out).");
  }
  Path partial = target;
  partial += ".partial-" + download.package().id().hex().substr(0, 8);
  // What a killed process left there is opened again: its blobs are kept elsewhere.
  fs::remove_all(partial, failed);
  fs::create_directories(partial, failed);
  if (failed) return Error{Errc::io, partial.string() + ": " + failed.message()};
  const auto source = download.open(key, "downloading");
  if (const Status written =
          store::write_tree(*source, partial, {kOpenedBytesMax, store::kTreeEntriesMax});
      !written) {
    fs::remove_all(partial, failed);
    return written;
  }
  SP_TRY(store::sync_tree(partial));  // the note says that all is there
  SP_TRY(download.opens_into(target));
  {
    const CrashEffect effect(CrashSite::download_opened);
    fs::rename(partial, target, failed);
  }
  if (failed) {  // such as another package that came there meanwhile, which stays
    const Error error{Errc::io, target.string() + ": " + failed.message()};
    download.opens_nowhere();
    fs::remove_all(partial, failed);
    return error;
  }
  return end(download, target);
}

}  // namespace sp::spctl
