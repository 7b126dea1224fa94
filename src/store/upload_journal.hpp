// What makes an upload resumable: the content key and the salt that a package is sealed with, and
// the digest of every chunk's plaintext so far, in a file of the sealer's own.
//
// Sealed again under the same key and salt, the same content gives the same blobs, so what a store
// has already needn't be sent again. But one nonce must never seal two different plaintexts: the
// digest of a chunk is in the file before its ciphertext leaves, and a chunk that doesn't match its
// digest is refused, whatever the file that is uploaded has become meanwhile.
//
// The file: magic "SPUJ", u16 version, content key (32), salt (32), then records of u32
// number and SHA-256 of (last-flag byte, plaintext); a record that was cut off is overwritten, and
// a file with one that is damaged is begun anew. It holds the content key, so it is its owner's
// alone. Each record is on disk before what it vouches for leaves.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "base/secret.hpp"
#include "base/world.hpp"
#include "store/package.hpp"

namespace sp::store {

/// Safe to call from any thread.
class UploadJournal {
 public:
  /// Opens the file, or begins it with a key and a salt of its own; one process at a time
  /// (Errc::conflict). A file that can't be read is begun anew. Errc::io.
  static Result<std::unique_ptr<UploadJournal>> open(const Path& file, Random& random);
  /// Leaves the file.
  ~UploadJournal();
  UploadJournal(const UploadJournal&) = delete;
  UploadJournal& operator=(const UploadJournal&) = delete;

  [[nodiscard]] const Secret32& content_key() const { return key_; }
  [[nodiscard]] const std::array<std::uint8_t, 32>& salt() const { return salt_; }
  /// Chunks that were recorded before.
  [[nodiscard]] std::size_t resumed() const { return resumed_; }

  /// For SealOptions::before_seal. Errc::conflict where the chunk was another one before.
  Status record(std::uint32_t number, bool last, ByteView plain);
  /// Makes `options` seal so that the upload can go on. The journal must outlive them.
  void use(SealOptions& options);
  /// Removes the file: the upload is done, or is to begin anew.
  void forget();

 private:
  UploadJournal(Path file, Fd descriptor) : file_(std::move(file)), fd_(std::move(descriptor)) {}
  Result<bool> read();
  Status begin(Random& random);

  const Path file_;
  Secret32 key_;
  std::array<std::uint8_t, 32> salt_{};
  std::size_t resumed_ = 0;
  std::mutex mutex_;  // guards all below
  Fd fd_;
  std::uint64_t end_ = 0;  // of the last whole record
  std::vector<Digest32> chunks_;
  std::vector<bool> known_;
};

}  // namespace sp::store
