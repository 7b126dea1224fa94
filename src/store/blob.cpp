#include "store/blob.hpp"

#include "base/durable.hpp"
#include "crypto/hash.hpp"

namespace sp::store {
namespace {

constexpr std::size_t kFolderNameSize = 2;  // hexadecimal digits of a blob's folder

// The error by the blob's name: where it lies is nobody else's business.
template <class Value>
Result<Value> named(Result<Value> result, const BlobId& id) {
  if (result) return result;
  const Errc code = result.error().code;
  if (code == Errc::not_found) return Error{code, "no blob " + id.hex()};
  return Error{code, "blob " + id.hex() + " can't be read: " + std::string(errc_name(code))};
}

}  // namespace

BlobId blob_id(ByteView bytes) { return BlobId{crypto::sha256(bytes).data}; }

Path DirectoryStore::path_of(const BlobId& id) const {
  const std::string name = id.hex();
  return folder_ / name.substr(0, kFolderNameSize) / name;
}

Status BlobStore::stream_unverified(const BlobId& id, std::uint64_t offset, std::size_t size_max,
                                    ByteSink& sink) {
  SP_ASSIGN(const Bytes bytes, get_unverified(id, size_max));
  if (offset > bytes.size()) {
    return Error{Errc::mismatch,
                 "blob " + id.hex() + " ends before byte " + std::to_string(offset)};
  }
  return sink.write(ByteView(bytes).subspan(static_cast<std::size_t>(offset)));
}

Status BlobStore::remove(const BlobId& id) {
  return Error{Errc::unsupported, "this store doesn't delete blob " + id.hex()};
}

Status DirectoryStore::put(const BlobId& id, ByteView bytes) {
  if (bytes.size() > kBlobSizeMax) {
    return Error{Errc::too_large, "blob of " + std::to_string(bytes.size()) + " bytes, at most " +
                                      std::to_string(kBlobSizeMax)};
  }
  if (const BlobId actual = blob_id(bytes); actual != id) {
    return Error{Errc::mismatch, "blob " + id.hex() + " has the digest " + actual.hex()};
  }
  return put_checked(id, bytes);
}

Status DirectoryStore::put_checked(const BlobId& id, ByteView bytes) {
  const Path path = path_of(id);
  // What is there is compared: bytes that the disk has damaged are mended by whoever puts them.
  const auto size = files_.size(path);
  if (size && *size == bytes.size()) {
    const auto kept = files_.read(path, bytes.size());
    if (kept && std::equal(kept->begin(), kept->end(), bytes.begin(), bytes.end())) return {};
  }
  Status written = keep(files_, CrashSite::store_blob, path, bytes, FileMode::owner_only);
  if (!written && written.error().code == Errc::not_found) {
    SP_TRY(files_.make_folder(path.parent_path()));
    written = keep(files_, CrashSite::store_blob, path, bytes, FileMode::owner_only);
  }
  if (written) note_put(path, bytes.size());
  return written;
}

// The system would hold every new blob until its memory is full, and finding new pages costs more
// than all else of a write.
void DirectoryStore::note_put(const Path& path, std::size_t size) {
  std::vector<Path> old;
  {
    const std::lock_guard lock(mutex_);
    put_lately_.emplace_back(path, size);
    bytes_put_lately_ += size;
    while (bytes_put_lately_ > kPutLatelyBytesMax || put_lately_.size() > kPutLatelyMax) {
      bytes_put_lately_ -= put_lately_.front().second;
      old.push_back(std::move(put_lately_.front().first));
      put_lately_.pop_front();
    }
  }
  for (const Path& one : old) files_.leave_cache(one);
}

Result<Bytes> DirectoryStore::get(const BlobId& id, std::size_t size_max) {
  SP_ASSIGN(Bytes bytes, get_unverified(id, size_max));
  if (blob_id(bytes) != id) {
    return Error{Errc::mismatch, "blob " + id.hex() + " is damaged: its digest differs"};
  }
  return bytes;
}

Result<Bytes> DirectoryStore::get_unverified(const BlobId& id, std::size_t size_max) {
  return named(files_.read(path_of(id), size_max), id);
}

Result<std::uint64_t> DirectoryStore::size(const BlobId& id) {
  return named(files_.size(path_of(id)), id);
}

Status DirectoryStore::remove(const BlobId& id) { return files_.remove(path_of(id)); }

Result<Bytes> DirectoryStore::get_range_unverified(const BlobId& id, std::uint64_t offset,
                                                   std::size_t size) {
  return named(files_.read_range(path_of(id), offset, size), id);
}

Result<std::uint64_t> DirectoryStore::total_size() const {
  const auto folders = files_.list(folder_);
  if (!folders) {
    if (folders.error().code == Errc::not_found) return std::uint64_t{0};
    return folders.error();
  }
  std::uint64_t total = 0;
  for (const std::string& folder : *folders) {
    if (folder.size() != kFolderNameSize) continue;
    SP_ASSIGN(const std::vector<std::string> names, files_.list(folder_ / folder));
    for (const std::string& name : names) {
      SP_ASSIGN(const std::uint64_t size, files_.size(folder_ / folder / name));
      total += size;
    }
  }
  return total;
}

}  // namespace sp::store
