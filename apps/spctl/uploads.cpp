#include "spctl/uploads.hpp"

#include "spctl/leftovers.hpp"
#include "store/tree.hpp"

namespace sp::spctl {
namespace {

constexpr const char* kImageAdvice =
    "Give an OCI layout folder, or an archive that 'docker save' or 'skopeo' made";

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

std::string name_of(const Path& path) {
  const Path normal = std::filesystem::absolute(path).lexically_normal();
  return normal.has_filename() ? normal.filename().string()
                               : normal.parent_path().filename().string();
}

Result<Uploaded> seal(Context& context, OpenStore& stores, const Path& path, std::string_view kind,
                      const SourceMaker& source, const KeepKey& keep) {
  const Path absolute = std::filesystem::absolute(path).lexically_normal();
  const UploadPlan plan{name_of(path), std::string(kind) + " " + absolute.string(),
                        content_size(path)};
  SP_ASSIGN(SealedUpload sealed, upload_stream(context, stores, plan, source, keep));
  return Uploaded{{sealed.package.id.data},
                  std::move(sealed.key),
                  sealed.package.plaintext_size,
                  sealed.package.sealed_size};
}

Result<Uploaded> seal_tree(Context& context, OpenStore& stores, const store::TreeMember& member,
                           const KeepKey& keep) {
  const auto source = [&]() -> Result<std::unique_ptr<store::ByteSource>> {
    auto tree = store::read_tree({member}, store::OddEntries::refuse);
    if (!tree) return tree.error().in(member.source.string());
    return tree;
  };
  return seal(context, stores, member.source, "tree of " + member.name, source, keep);
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

Status check_image_folder(const Path& folder) {
  const auto holds = [&](const char* name) {
    std::error_code failed;
    return std::filesystem::is_regular_file(folder / name, failed);
  };
  if ((holds("index.json") && holds("oci-layout")) || holds("manifest.json")) return {};
  return failure(Errc::usage, folder.string() + " isn't an image",
                 "it holds neither index.json with oci-layout nor manifest.json (input data is "
                 "given with --data)",
                 kImageAdvice);
}

Result<Uploaded> upload_image(Context& context, OpenStore& stores, const Path& path,
                              const KeepKey& keep) {
  SP_ASSIGN(const bool folder, is_folder(path));
  if (folder) SP_TRY(check_image_folder(path));
  if (folder) return seal_tree(context, stores, {"", path}, keep);
  std::unique_ptr<ScratchFolder> scratch;
  const auto source = [&]() -> Result<std::unique_ptr<store::ByteSource>> {
    SP_ASSIGN(scratch, ScratchFolder::make(context));
    auto archive = store::read_archive(path, scratch->path());
    if (archive) return archive;
    return failure(archive.error().code, path.string() + " isn't an image archive",
                   archive.error().message, kImageAdvice);
  };
  return seal(context, stores, path, "archive", source, keep);
}

Result<Uploaded> upload_data(Context& context, OpenStore& stores, const Path& path,
                             const KeepKey& keep) {
  SP_ASSIGN(const bool folder, is_folder(path));
  return seal_tree(context, stores, {folder ? "" : name_of(path), path}, keep);
}

}  // namespace sp::spctl
