// files: sealed packages in the store.
#include <nlohmann/json.hpp>

#include "crypto/hash.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"
#include "spctl/ids.hpp"
#include "spctl/packages.hpp"
#include "store/ordered_jobs.hpp"
#include "store/tree.hpp"

namespace sp::spctl {
namespace {

constexpr std::size_t kHashPiece = 1 << 20;

struct FileOptions {
  std::string path;
  std::string out;
  std::string package;
  std::string key_file;
  std::string signer = kDefaultKey;
  std::vector<std::string> stores;
  bool image = false;
};

Result<int> upload(Context& context, const FileOptions& options) {
  SP_ASSIGN(const auto stores, chosen_stores(context, options.stores, options.signer));
  const ContentKind kind = options.image ? ContentKind::image : ContentKind::data;
  SP_ASSIGN(const Uploaded uploaded, upload_path(context, *stores, options.path, kind));
  context.console().line(uploaded.package.hex());
  context.console().note("sealed " + size_text(uploaded.plaintext_size) + " into " +
                         size_text(uploaded.sealed_size) + "; the key is kept in this home");
  context.console().result({{"package", uploaded.package.hex()},
                            {"store", stores->name()},
                            {"size", uploaded.plaintext_size},
                            {"sealedSize", uploaded.sealed_size}});
  return 0;
}

Result<Secret32> content_key(Context& context, const store::PackageId& package,
                             const std::string& file) {
  if (file.empty()) return kept_key(context, package);
  SP_ASSIGN(Bytes bytes, context.files().read(file, Secret32::kSize));
  auto key = Secret32::from(bytes);
  wipe(bytes);
  if (!key) return key.error().in(file);
  return key;
}

Result<int> download(Context& context, const FileOptions& options) {
  SP_ASSIGN(const auto digest, typed_id<store::PackageId>(options.package, "package"));
  SP_ASSIGN(const Secret32 key, content_key(context, digest, options.key_file));
  SP_ASSIGN(const auto stores, chosen_stores(context, options.stores, ""));
  SP_ASSIGN(const auto download, Download::begin(context, *stores, digest));
  SP_TRY(open_package_to(*download, key, options.out));
  context.console().line("Opened into " + options.out);
  context.console().result({{"package", digest.hex()}, {"out", options.out}});
  return 0;
}

// The manifest last, so that the same command again ends what was interrupted.
Status delete_package(store::BlobStore& blobs, const store::Package& package) {
  store::OrderedJobs<bool> jobs(kTransferThreads);
  for (const store::BlobId& chunk : package.manifest().chunks) {
    if (jobs.in_flight() == kTransferThreads) SP_TRY(jobs.take());
    jobs.submit([&blobs, chunk]() -> Result<bool> {
      SP_TRY(blobs.remove(chunk));
      return true;
    });
  }
  while (jobs.in_flight() > 0) SP_TRY(jobs.take());
  return blobs.remove(package.id());
}

Result<int> remove(Context& context, const FileOptions& options) {
  SP_ASSIGN(const auto digest, typed_id<store::PackageId>(options.package, "package"));
  SP_ASSIGN(const auto stores, chosen_stores(context, options.stores, options.signer));
  const auto package = store::Package::fetch(stores->blobs(), digest);
  const bool there = package.ok();
  if (!there && package.error().code != Errc::not_found) return package.error();
  if (there) {
    if (const Status gone = delete_package(stores->blobs(), *package); !gone) {
      return gone.error().in("deleting package " + digest.hex());
    }
  }
  context.console().line(there ? "Deleted " + digest.hex() : digest.hex() + " isn't there");
  context.console().result(
      {{"package", digest.hex()}, {"store", stores->name()}, {"deleted", there}});
  return 0;
}

// The digest of a folder's canonical tree, or of the tree that holds one file under its name.
Result<Digest32> hash_of(const Path& path) {
  std::error_code failed;
  if (std::filesystem::is_directory(path, failed)) {
    return store::tree_digest(path, store::OddEntries::refuse);
  }
  SP_ASSIGN(const auto source,
            store::read_tree({{path.filename().string(), path}}, store::OddEntries::refuse));
  crypto::Hasher hasher(crypto::Hasher::Kind::sha256);
  Bytes piece(kHashPiece);
  for (;;) {
    SP_ASSIGN(const std::size_t size, source->read(piece));
    if (size == 0) break;
    hasher.update(ByteView(piece).first(size));
  }
  return Digest32::from(hasher.finish());
}

Result<int> hash(Context& context, const FileOptions& options) {
  SP_ASSIGN(const Digest32 digest, hash_of(options.path));
  context.console().line(digest.hex());
  context.console().result({{"digest", digest.hex()}});
  return 0;
}

void add_store_option(apps::Command command, FileOptions& options) {
  command.add_option("--store", options.stores,
                     "Store: http://..., https://... or s3://BUCKET/PREFIX (endpoint, region and "
                     "credentials from AWS's environment variables); several are tried in order "
                     "[the network's]");
}

}  // namespace

void add_file_commands(Cli& cli) {
  apps::Command files =
      cli.add(cli.app(), "files", "Sealed packages", "  spctl files upload ./data");
  files.require_command();
  auto options = std::make_shared<FileOptions>();
  apps::Command command =
      cli.add(files, "upload", "Seal a file or folder and upload it; prints the package's id",
              "  spctl files upload ./records\n  spctl files upload --image ./image.tar\n"
              "  spctl files upload ./records --store s3://bucket/sealed\n"
              "The same command again goes on with an upload that was interrupted.");
  command.add_option("PATH", options->path, "File or folder").required();
  add_store_option(command, *options);
  command.add_option("--key", options->signer, "Key that signs the upload").shows_default();
  command.add_flag("--image", options->image, "It is an OCI layout or an image archive");
  cli.on(command, [options](Context& context) { return upload(context, *options); });
  command = cli.add(files, "download", "Open a sealed package",
                    "  spctl files download ID --out ./records\n"
                    "  spctl files download ID --out ./records --store https://a.example:8301 "
                    "--store s3://bucket/sealed\n"
                    "The same command again goes on with a download that was interrupted.");
  add_store_option(command, *options);
  command.add_option("PACKAGE", options->package, "Package id").required();
  command.add_option("--out", options->out, "Folder for it").required();
  command.add_option("--key-file", options->key_file,
                     "File with the content key, 32 bytes [the one that this home kept]");
  cli.on(command, [options](Context& context) { return download(context, *options); });
  command = cli.add(files, "delete", "Delete an own package from the store; frees the quota",
                    "  spctl files delete ID\n"
                    "  spctl files delete ID --store https://a.example:8301 --key me\n"
                    "What another account uploaded as well stays for it. A store that has promised "
                    "by a receipt to keep the package refuses until then.");
  command.add_option("PACKAGE", options->package, "Package id").required();
  add_store_option(command, *options);
  command.add_option("--key", options->signer, "Key that signed the upload").shows_default();
  cli.on(command, [options](Context& context) { return remove(context, *options); });
  command =
      cli.add(files, "hash",
              "The digest of the canonical tree of a folder or file, as receipts commit to it",
              "  spctl files hash ./result/output");
  command.add_option("PATH", options->path, "Folder or file").required();
  cli.on(command, [options](Context& context) { return hash(context, *options); });
}

}  // namespace sp::spctl
