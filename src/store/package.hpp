// Sealed packages: content of any size, encrypted in chunks that any store can hold (FORMATS.md
// section 4).
//
// plaintext stream -> optional zstd -> chunks of kChunkSize -> AES-256-GCM per chunk (STREAM: the
// nonce holds the chunk's number and whether it is the last, so nothing can be reordered, cut or
// joined) -> blobs, and a manifest that lists them. The package's id is the SHA-256 of the
// manifest. The key of the chunks is derived from the content key and the manifest's random salt,
// so one content key may seal many packages. A manifest may carry the content key wrapped to
// recipients (HPKE).
//
// Sealing and opening use several threads inside and are bounded to kChunksInFlight chunks of
// memory each; the functions block their caller and are safe to call from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/secret.hpp"
#include "base/world.hpp"
#include "crypto/hpke.hpp"
#include "store/blob.hpp"
#include "store/stream.hpp"

namespace sp::store {

using PackageId = BlobId;

inline constexpr std::size_t kChunkSize = 1 << 20;  ///< bytes of plaintext in a chunk but the last
inline constexpr std::size_t kChunksMax = 1'000'000;  ///< of one package: about 1 TB
inline constexpr std::size_t kRecipientsMax = 16;
inline constexpr std::size_t kManifestSizeMax = kBlobSizeMax;
inline constexpr std::size_t kChunksInFlight = 16;

enum class Compression : std::uint8_t { none = 0, zstd = 1 };

inline constexpr std::uint16_t kPackageVersion = 1;
inline constexpr std::size_t kHeaderSize = 43;  ///< magic, version, compression, chunk size, salt
inline constexpr std::uint32_t kChunkSizeMin = 4 << 10;  ///< accepted of others' packages
inline constexpr std::uint32_t kChunkSizeMax = 4 << 20;
inline constexpr std::size_t kContextSizeMax = 256;     ///< of SealOptions::context
inline constexpr std::size_t kRangeSizeMax = 64 << 20;  ///< of one open_range
inline constexpr std::size_t kZstdWindowMax = 8 << 20;  ///< memory that a frame may ask for
inline constexpr unsigned kPackageThreadsMax = 32;      ///< more are cut to this

/// The content key wrapped to one recipient.
struct WrappedKey {
  crypto::X25519Public recipient;
  std::array<std::uint8_t, 32 + crypto::kHpkeOverhead> sealed{};
  bool operator==(const WrappedKey&) const = default;
};

struct Manifest {
  Compression compression = Compression::none;
  std::uint32_t chunk_size = kChunkSize;
  std::uint64_t stream_size = 0;  ///< bytes in all chunks, before sealing and after compression
  std::array<std::uint8_t, 32> salt{};
  std::vector<WrappedKey> recipients;
  std::vector<BlobId> chunks;  ///< in order; never empty: an empty stream is one empty chunk

  [[nodiscard]] Bytes encode() const;
  /// The first kHeaderSize bytes of encode(): what every chunk and wrapped key authenticates.
  [[nodiscard]] Bytes header() const;
  /// Bytes of plaintext in chunk `number` (below chunks.size()).
  [[nodiscard]] std::size_t plaintext_size(std::size_t number) const;
  /// Errc::malformed, Errc::too_large, Errc::unsupported. Checks that the number of chunks fits the
  /// size.
  static Result<Manifest> decode(ByteView bytes);
  bool operator==(const Manifest&) const = default;
};

/// Called from one thread at a time with the bytes of plaintext done so far; returning false stops
/// with Errc::cancelled.
using Progress = std::function<bool(std::uint64_t)>;

struct SealOptions {
  Compression compression = Compression::none;
  std::vector<crypto::X25519Public> recipients;
  Bytes context;  ///< bound into each wrapped key (HPKE info), such as the order's id; at most 256
                  ///< bytes (CHECK)
  unsigned threads = 2;  ///< the caller's own included
  Progress progress;
  /// Instead of a random one. Whoever gives a salt twice with one content key has to see to it, by
  /// before_seal, that no chunk's number ever seals two plaintexts (UploadJournal does).
  std::optional<std::array<std::uint8_t, 32>> salt;
  /// Called by any thread, before a chunk is sealed: its number, whether it is the last, its
  /// plaintext. An error ends the sealing.
  std::function<Status(std::uint32_t, bool, ByteView)> before_seal;
};

struct SealedPackage {
  PackageId id;
  std::uint64_t plaintext_size = 0;
  std::uint64_t sealed_size = 0;  ///< all blobs, manifest included
};

/// Seals all of `source` into `store`: the chunks first, the manifest last. Errc::too_large (over
/// kChunksMax chunks or kRecipientsMax recipients), Errc::cancelled, Errc::refused (a low-order
/// recipient), and the errors of source and store.
Result<SealedPackage> seal_package(ByteSource& source, const Secret32& content_key,
                                   BlobStore& store, Random& random, const SealOptions& options);

/// A package whose manifest has been fetched and matches its id.
class Package {
 public:
  /// Errc::not_found, Errc::mismatch, Errc::malformed, Errc::unavailable.
  static Result<Package> fetch(BlobStore& store, const PackageId& id);

  [[nodiscard]] const PackageId& id() const { return id_; }
  [[nodiscard]] const Manifest& manifest() const { return manifest_; }

  /// The content key, where one of the wrapped keys is for this key pair. Errc::not_found where
  /// none is; Errc::bad_signature.
  [[nodiscard]] Result<Secret32> unwrap(const crypto::X25519KeyPair& recipient,
                                        ByteView context) const;

  /// Opens everything, in order, into `sink`. A blob that isn't what the manifest says is
  /// Errc::mismatch (the store's fault); one that is and doesn't open is Errc::bad_signature (the
  /// sealer's fault), as is broken compression, Errc::malformed. Plaintext reaches the sink only
  /// from chunks that opened.
  Status open(const Secret32& content_key, ByteSink& sink, unsigned threads = 2,
              const Progress& progress = {}) const;

  /// The same as open(), pulled: a source that reads (ahead, within the limits) as it is read from.
  /// The package must outlive it. Broken compression is Errc::malformed.
  [[nodiscard]] std::unique_ptr<ByteSource> open_stream(const Secret32& content_key,
                                                        unsigned threads = 2) const;

  /// Opens `size` bytes from `offset` of an uncompressed package, fetching only the chunks
  /// concerned. Errc::unsupported for a compressed one, Errc::malformed beyond the end,
  /// Errc::too_large over 64 MiB.
  [[nodiscard]] Result<Bytes> open_range(const Secret32& content_key, std::uint64_t offset,
                                         std::size_t size) const;

 private:
  Package(BlobStore& store, PackageId id, Manifest manifest)
      : store_(&store), id_(id), manifest_(std::move(manifest)) {}
  BlobStore* store_;
  PackageId id_;
  Manifest manifest_;
};

}  // namespace sp::store
