// Blobs of another store, kept in a folder on the way: what has come of a download stays there, so
// that one that was killed at any byte goes on at that byte.
//
// A blob that is whole lies in the folder as in a DirectoryStore; one that isn't is HEX.part, which
// grows as bytes come. Nothing counts before its digest has been checked, and it is checked again
// when it is read from the folder. What a killed process had not yet handed to the system is lost,
// at most kSpoolLossMax bytes of each blob under way (of a bucket's, the pieces that were on their
// way; of one that a liar among several stores has spoiled, all); a power failure may lose more,
// and costs time alone. Several processes may share a folder: a lock on the part makes the second
// wait.
#pragma once

#include "store/blob.hpp"

namespace sp::store {

inline constexpr std::size_t kSpoolLossMax = 64 << 10;

/// Safe to call from any thread.
class SpoolStore final : public BlobStore {
 public:
  /// What is passed must outlive it; the folder is made when the first blob comes. `sources` is how
  /// many stores stand behind the source. Of several, one that lies spoils what others gave of a
  /// blob, and the honest one may have broken off: wrong bytes are asked for again by get(), for
  /// which a MirrorStore asks each for the whole.
  SpoolStore(Files& files, Path folder, BlobStore& source, std::size_t sources = 1);

  /// To the source.
  Status put(const BlobId& id, ByteView bytes) override { return source_.put(id, bytes); }
  /// From the folder, or from the source into it. Errors of the source; Errc::io.
  Result<Bytes> get(const BlobId& id, std::size_t size_max) override;
  Result<Bytes> get_unverified(const BlobId& id, std::size_t size_max) override {
    return get(id, size_max);
  }
  Result<std::uint64_t> size(const BlobId& id) override;

 private:
  Result<Bytes> fetch(const BlobId& id, std::size_t size_max);
  enum class Ask : std::uint8_t { rest, whole };
  Result<Bytes> complete(const BlobId& id, std::size_t size_max, Ask ask, int part, bool& emptied);
  Status pass_whole(const BlobId& id, std::size_t size_max, ByteSink& sink);

  Files& files_;
  const Path folder_;
  DirectoryStore kept_;
  BlobStore& source_;
  const std::size_t sources_;
};

}  // namespace sp::store
