// Uploads and downloads that go on where they were interrupted or killed.
//
// An upload's journal lies in HOME/transfers under a name made of what is uploaded and whereto; it
// goes away when the package is whole; what nobody goes on with is given up after 14 days. A
// download's blobs lie in HOME/transfers/PACKAGE until it has been opened.
#pragma once

#include "common/folder_lock.hpp"
#include "spctl/stores.hpp"
#include "store/spool_store.hpp"
#include "store/upload_journal.hpp"

namespace sp::spctl {

inline constexpr unsigned kTransferThreads = 8;  ///< chunks that are moved at once

/// What makes a stream of the same content again: an upload that finds its content changed begins
/// anew with another stream.
using SourceMaker = std::function<Result<std::unique_ptr<store::ByteSource>>()>;

struct UploadPlan {
  std::string what;         ///< for people: the file's name
  std::string identity;     ///< which upload it is: an absolute path and its kind
  std::uint64_t total = 0;  ///< bytes, for the bar; 0 = unknown
};

/// A package that has been uploaded, and its content key.
struct SealedUpload {
  store::SealedPackage package;
  Secret32 key;
};

/// Seals and uploads, going on with an upload of the same that was cut off, and after one of the
/// same from this home that is under way. `keep` is given the key
/// before the journal goes away. Errc::cancelled at an interrupt.
Result<SealedUpload> upload_stream(Context& context, OpenStore& stores, const UploadPlan& plan,
                                   const SourceMaker& make_source,
                                   const std::function<Status(const SealedUpload&)>& keep);

/// A download under way: its blobs on their way through a folder, which it alone works in.
class Download {
 public:
  /// Fetches the manifest; waits while another process of this home downloads the same. The stores
  /// must outlive it. Errors of Package::fetch, and Errc::cancelled at an interrupt.
  static Result<std::unique_ptr<Download>> begin(Context& context, OpenStore& stores,
                                                 const store::PackageId& id);

  [[nodiscard]] const store::Package& package() const { return *package_; }
  /// The plaintext, with a bar on the console. The download must outlive it. Its errors are those
  /// of Package::open_stream, and Errc::cancelled at an interrupt.
  std::unique_ptr<store::ByteSource> open(const Secret32& key, const std::string& what);
  /// Notes that the content is about to be moved whole to its place, so that a kill right behind
  /// that leaves nothing that a second run couldn't end.
  Status opens_into(const Path& place);
  /// It couldn't be moved there after all.
  void opens_nowhere();
  /// Whether a run before noted that place.
  [[nodiscard]] bool opened_into(const Path& place) const;
  /// The content is safe: removes what was kept of the blobs.
  void finish();

 private:
  Download(Context& context, OpenStore& stores, Path folder, apps::FolderLock turn)
      : context_(context),
        folder_(std::move(folder)),
        turn_(std::move(turn)),
        spool_(context.files(), folder_, stores.blobs(), stores.places()) {}

  Context& context_;
  const Path folder_;
  const apps::FolderLock turn_;
  store::SpoolStore spool_;
  std::optional<store::Package> package_;
};

}  // namespace sp::spctl
