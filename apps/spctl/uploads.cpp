#include "spctl/uploads.hpp"

#include "spctl/leftovers.hpp"
#include "store/tree.hpp"

namespace sp::spctl {
namespace {

// A folder of its own that goes away with the object.
class ScratchFolder {
 public:
  static Result<std::unique_ptr<ScratchFolder>> make(Context& context) {
    SP_ASSIGN(Path path, make_scratch_folder(context.files(), context.home()));
    return std::make_unique<ScratchFolder>(std::move(path));
  }
  explicit ScratchFolder(Path path) : path_(std::move(path)) {}
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const Path& path() const { return path_; }

 private:
  Path path_;
};

Result<bool> is_folder(const Path& path) {
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  if (std::filesystem::is_directory(status)) return true;
  if (std::filesystem::is_regular_file(status)) return false;
  return failure(Errc::not_found, path.string() + " can't be read",
                 "there is no such file or folder", "Check the path");
}

Result<Uploaded> seal(Context& context, store::BlobStore& blobs, store::ByteSource& source,
                      const std::string& name, std::uint64_t total) {
  Uploaded uploaded;
  uploaded.key = crypto::random_secret<32>(context.random());
  ProgressBar bar(context.console(), "sealing " + name, total);
  store::SealOptions options;
  options.threads = kSealThreads;
  options.progress = [&](std::uint64_t done) {
    bar.update(done, context.clock().monotonic());
    return true;
  };
  auto sealed = store::seal_package(source, uploaded.key, blobs, context.random(), options);
  if (!sealed) return sealed.error().in("sealing " + name);
  uploaded.package = {sealed->id.data};
  uploaded.plaintext_size = sealed->plaintext_size;
  uploaded.sealed_size = sealed->sealed_size;
  return uploaded;
}

std::string name_of(const Path& path) {
  const Path normal = std::filesystem::absolute(path).lexically_normal();
  return normal.has_filename() ? normal.filename().string()
                               : normal.parent_path().filename().string();
}

Result<Uploaded> seal_tree(Context& context, store::BlobStore& blobs,
                           const store::TreeMember& member) {
  auto source = store::read_tree({member}, store::OddEntries::refuse);
  if (!source) return source.error().in(member.source.string());
  return seal(context, blobs, **source, name_of(member.source), content_size(member.source));
}

}  // namespace

std::uint64_t content_size(const Path& path) {
  std::error_code failed;
  if (std::filesystem::is_regular_file(path, failed)) {
    const auto size = std::filesystem::file_size(path, failed);
    return failed ? 0 : size;
  }
  std::uint64_t total = 0;
  for (std::filesystem::recursive_directory_iterator entry(path, failed), end;
       !failed && entry != end; entry.increment(failed)) {
    std::error_code odd;
    const auto size = entry->is_regular_file(odd) ? entry->file_size(odd) : 0;
    if (!odd) total += size;
  }
  return total;
}

Result<Uploaded> upload_image(Context& context, store::BlobStore& blobs, const Path& path) {
  SP_ASSIGN(const bool folder, is_folder(path));
  if (folder) return seal_tree(context, blobs, {"", path});
  SP_ASSIGN(const auto scratch, ScratchFolder::make(context));
  auto source = store::read_archive(path, scratch->path());
  if (!source) {
    return failure(source.error().code, path.string() + " isn't an image archive",
                   source.error().message,
                   "Give an OCI layout folder, or an archive that 'docker save' or 'skopeo' made");
  }
  return seal(context, blobs, **source, name_of(path), content_size(path));
}

Result<Uploaded> upload_data(Context& context, store::BlobStore& blobs, const Path& path) {
  SP_ASSIGN(const bool folder, is_folder(path));
  return seal_tree(context, blobs, {folder ? "" : name_of(path), path});
}

}  // namespace sp::spctl
