#include "store/spool_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/crash_point.hpp"

namespace sp::store {
namespace {

constexpr int kTriesMax = 8;  // for a part that others finish under our hands

/// Appends to a file.
class FileSink final : public ByteSink {
 public:
  FileSink(int descriptor, const Path& path) : descriptor_(descriptor), path_(path) {}
  Status write(ByteView bytes) override { return write_fully(descriptor_, bytes, path_); }

 private:
  int descriptor_;
  const Path& path_;
};

// Opens and locks; an invalid Fd where the file isn't at its place any more.
Result<Fd> open_part(const Path& path) {
  Fd part(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!part.valid()) return errno_error("open", path);
  while (::flock(part.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return errno_error("lock", path);
  }
  struct stat ours {};
  struct stat there {};
  if (::fstat(part.get(), &ours) != 0) return errno_error("stat", path);
  if (::stat(path.c_str(), &there) != 0 || there.st_ino != ours.st_ino) return Fd();
  return part;
}

}  // namespace

SpoolStore::SpoolStore(Files& files, Path folder, BlobStore& source, std::size_t sources)
    : files_(files),
      folder_(std::move(folder)),
      kept_(files, folder_),
      source_(source),
      sources_(sources) {}

Result<std::uint64_t> SpoolStore::size(const BlobId& id) {
  auto here = kept_.size(id);
  return here ? here : source_.size(id);
}

Result<Bytes> SpoolStore::get(const BlobId& id, std::size_t size_max) {
  auto here = kept_.get(id, size_max);
  if (here || here.error().code == Errc::too_large) return here;
  if (here.error().code == Errc::mismatch) SP_TRY(files_.remove(kept_.path_of(id)));
  return fetch(id, size_max);
}

Result<Bytes> SpoolStore::fetch(const BlobId& id, std::size_t size_max) {
  const Path path = folder_ / (id.hex() + ".part");
  SP_TRY(files_.make_folder(folder_));
  Ask ask = Ask::rest;
  for (int tries = 0; tries < kTriesMax; ++tries) {
    SP_ASSIGN(const Fd part, open_part(path));
    if (!part.valid()) {
      auto here = kept_.get(id, size_max);
      if (here) return here;
      continue;
    }
    bool emptied = false;
    auto bytes = complete(id, size_max, ask, part.get(), emptied);
    if (bytes) {
      SP_TRY(files_.make_folder(kept_.path_of(id).parent_path()));
      const CrashEffect effect(CrashSite::download_blob);
      if (::rename(path.c_str(), kept_.path_of(id).c_str()) != 0) {
        return errno_error("rename", path);
      }
      return bytes;
    }
    if (bytes.error().code != Errc::mismatch) return bytes;
    if (emptied) continue;  // what the part held before may have been to blame
    if (sources_ == 1 || ask == Ask::whole) return bytes;
    ask = Ask::whole;
  }
  return Error{Errc::unavailable, "blob " + id.hex() + " is being fetched by others"};
}

// Gets the rest of a part, or the whole anew, and checks it. `emptied`: it wasn't the blob, and the
// part is empty now, and had something in it before.
Result<Bytes> SpoolStore::complete(const BlobId& id, std::size_t size_max, Ask ask, int part,
                                   bool& emptied) {
  const Path path = folder_ / (id.hex() + ".part");
  SP_ASSIGN(std::uint64_t had, files_.size(path));
  if (had > size_max || (had > 0 && ask == Ask::whole)) {
    if (::ftruncate(part, 0) != 0) return errno_error("truncate", path);
    had = 0;
  }
  FileSink sink(part, path);
  Status streamed = ask == Ask::whole ? pass_whole(id, size_max, sink)
                                      : source_.stream_unverified(id, had, size_max, sink);
  if (!streamed && streamed.error().code != Errc::mismatch) {
    SP_ASSIGN(const std::uint64_t has, files_.size(path));
    if (has == 0) SP_TRY(files_.remove(path));
    return streamed.error();
  }
  if (streamed) {
    SP_ASSIGN(Bytes bytes, files_.read(path, size_max));
    if (blob_id(bytes) == id) return bytes;
    streamed = Error{Errc::mismatch, "the store gave other bytes for blob " + id.hex()};
  }
  emptied = had > 0;
  if (::ftruncate(part, 0) != 0) return errno_error("truncate", path);
  if (!emptied) SP_TRY(files_.remove(path));
  return streamed.error();
}

Status SpoolStore::pass_whole(const BlobId& id, std::size_t size_max, ByteSink& sink) {
  SP_ASSIGN(const Bytes bytes, source_.get(id, size_max));
  return sink.write(bytes);
}

}  // namespace sp::store
