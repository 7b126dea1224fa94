#include "store/compress.hpp"
#include "store/ordered_jobs.hpp"
#include "store/package.hpp"
#include "store/package_keys.hpp"

namespace sp::store {
namespace {

/// Counts what passes.
class CountingSource final : public ByteSource {
 public:
  explicit CountingSource(ByteSource& source) : source_(source) {}
  Result<std::size_t> read(MutableByteView out) override {
    auto got = source_.read(out);
    if (got) count_ += *got;
    return got;
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  ByteSource& source_;
  std::uint64_t count_ = 0;
};

struct SealedChunk {
  BlobId id;
  std::size_t sealed_size = 0;
  std::uint64_t plaintext_done = 0;
  Bytes buffer;  // the chunk's memory, to be used again
};

/// Cuts a stream into chunks, has them sealed and put by several threads, and collects their ids.
class Sealer {
 public:
  Sealer(Manifest& manifest, const PackageKeys& keys, BlobStore& store, const SealOptions& options)
      : manifest_(manifest),
        keys_(keys),
        store_(store),
        options_(options),
        threads_(std::min(std::max(options.threads, 1U), kPackageThreadsMax)),
        jobs_(threads_) {}

  /// `plain` counts the plaintext behind `stream`, for the progress.
  Status seal_all(ByteSource& stream, const CountingSource& plain) {
    SP_ASSIGN(Bytes chunk, read_chunk(stream));
    for (;;) {
      // Whether a chunk is the last is part of its nonce: a full one is followed by a look ahead.
      Bytes next;
      const bool full = chunk.size() == manifest_.chunk_size;
      if (full) {
        SP_ASSIGN(next, read_chunk(stream));
      }
      const bool last = next.empty();
      SP_TRY(submit(std::move(chunk), last, plain.count()));
      if (last) break;
      chunk = std::move(next);
    }
    while (jobs_.in_flight() > 0) SP_TRY(finish_one());
    return {};
  }

  [[nodiscard]] std::uint64_t sealed_size() const { return sealed_size_; }

 private:
  Result<Bytes> read_chunk(ByteSource& stream) {
    Bytes chunk = std::move(spare_);
    chunk.reserve(manifest_.chunk_size + crypto::kGcmTagSize);
    chunk.resize(manifest_.chunk_size);
    SP_ASSIGN(const std::size_t size, read_full(stream, chunk));
    chunk.resize(size);
    return chunk;
  }

  Status submit(Bytes chunk, bool last, std::uint64_t plaintext_done) {
    if (submitted_ == kChunksMax) {
      return Error{Errc::too_large, "more than " + std::to_string(kChunksMax) + " chunks"};
    }
    const std::size_t in_flight_max = std::min<std::size_t>(kChunksInFlight, 4 * threads_);
    while (jobs_.in_flight() >= in_flight_max) SP_TRY(finish_one());
    manifest_.stream_size += chunk.size();
    const auto number = static_cast<std::uint32_t>(submitted_++);
    jobs_.submit([this, number, last, plaintext_done, plain = std::move(chunk)]() mutable {
      return seal_chunk(number, last, plaintext_done, std::move(plain));
    });
    return {};
  }

  Result<SealedChunk> seal_chunk(std::uint32_t number, bool last, std::uint64_t plaintext_done,
                                 Bytes plain) const {
    if (options_.before_seal) SP_TRY(options_.before_seal(number, last, plain));
    // In place: a chunk's memory is touched once.
    const std::size_t size = plain.size();
    plain.resize(size + crypto::kGcmTagSize);
    keys_.seal(number, last, ByteView(plain).first(size), plain);
    const BlobId id = blob_id(plain);
    if (Status kept = store_.put_checked(id, plain); !kept) {
      return kept.error().in("storing chunk " + std::to_string(number));
    }
    return SealedChunk{id, plain.size(), plaintext_done, std::move(plain)};
  }

  Status finish_one() {
    SP_ASSIGN(SealedChunk chunk, jobs_.take());
    manifest_.chunks.push_back(chunk.id);
    sealed_size_ += chunk.sealed_size;
    spare_ = std::move(chunk.buffer);
    if (options_.progress && !options_.progress(chunk.plaintext_done)) {
      return Error{Errc::cancelled, "sealing was cancelled"};
    }
    return {};
  }

  Manifest& manifest_;
  const PackageKeys& keys_;
  BlobStore& store_;
  const SealOptions& options_;
  unsigned threads_;
  Bytes spare_;
  std::uint64_t submitted_ = 0;
  std::uint64_t sealed_size_ = 0;
  OrderedJobs<SealedChunk> jobs_;  // the last member: its threads end before the others go
};

Status wrap_keys(Manifest& manifest, const Secret32& content_key, Random& random,
                 const SealOptions& options) {
  const Bytes info = wrapped_key_info(options.context);
  const Bytes header = manifest.header();
  for (const crypto::X25519Public& recipient : options.recipients) {
    SP_ASSIGN(const Bytes sealed,
              crypto::hpke_seal(random, recipient, info, header, content_key.reveal()));
    WrappedKey key;
    key.recipient = recipient;
    SP_CHECK(sealed.size() == key.sealed.size());
    std::copy(sealed.begin(), sealed.end(), key.sealed.begin());
    manifest.recipients.push_back(key);
  }
  return {};
}

}  // namespace

Result<SealedPackage> seal_package(ByteSource& source, const Secret32& content_key,
                                   BlobStore& store, Random& random, const SealOptions& options) {
  if (options.recipients.size() > kRecipientsMax) {
    return Error{Errc::too_large, std::to_string(options.recipients.size()) +
                                      " recipients, at most " + std::to_string(kRecipientsMax)};
  }
  Manifest manifest;
  manifest.compression = options.compression;
  if (options.salt) {
    manifest.salt = *options.salt;
  } else {
    random.fill(manifest.salt);
  }
  SP_TRY(wrap_keys(manifest, content_key, random, options));

  const PackageKeys keys(content_key, manifest);
  CountingSource plain(source);
  Sealer sealer(manifest, keys, store, options);
  if (options.compression == Compression::zstd) {
    const std::unique_ptr<ByteSource> compressed = zstd_compressed(plain);
    SP_TRY(sealer.seal_all(*compressed, plain));
  } else {
    SP_TRY(sealer.seal_all(plain, plain));
  }

  const Bytes encoded = manifest.encode();
  const PackageId id = blob_id(encoded);
  if (Status kept = store.put(id, encoded); !kept) {
    return kept.error().in("storing the manifest");
  }
  return SealedPackage{id, plain.count(), sealer.sealed_size() + encoded.size()};
}

}  // namespace sp::store
