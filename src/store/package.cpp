#include "store/package.hpp"

#include "store/compress.hpp"
#include "store/ordered_jobs.hpp"
#include "store/package_keys.hpp"

namespace sp::store {
namespace {

constexpr std::size_t kPumpSize = 1 << 20;  // of decompressed bytes handed to a sink at a time

struct ChunkRange {
  std::size_t first = 0;
  std::size_t end = 0;
};

std::string chunk_name(std::size_t number, const BlobId& id) {
  return "chunk " + std::to_string(number) + " (" + id.hex() + ")";
}

/// A store that gives more than a chunk can have either lies, or holds what the sealer named: its
/// fault is told by the digest.
Error oversize_fault(BlobStore& store, std::size_t number, const BlobId& id) {
  const auto whole = store.get_unverified(id, kBlobSizeMax);
  const std::string name = chunk_name(number, id);
  if (whole && blob_id(*whole) == id) {
    return {Errc::bad_signature, name + " is larger than the manifest says"};
  }
  if (whole || whole.error().code == Errc::too_large) {
    return {Errc::mismatch, "the store gave other bytes for " + name};
  }
  return whole.error().in(name);
}

Result<Bytes> fetch_chunk(BlobStore& store, const Manifest& manifest, std::size_t number) {
  const BlobId& id = manifest.chunks[number];
  auto sealed = store.get_unverified(id, manifest.chunk_size + crypto::kGcmTagSize);
  if (!sealed) {
    if (sealed.error().code == Errc::too_large) return oversize_fault(store, number, id);
    return sealed.error().in(chunk_name(number, id));
  }
  if (blob_id(*sealed) != id) {
    return Error{Errc::mismatch, "the store gave other bytes for " + chunk_name(number, id)};
  }
  return sealed;
}

Result<Bytes> open_chunk(BlobStore& store, const Manifest& manifest, const PackageKeys& keys,
                         std::size_t number) {
  SP_ASSIGN(Bytes sealed, fetch_chunk(store, manifest, number));
  const std::string name = chunk_name(number, manifest.chunks[number]);
  const std::size_t expected = manifest.plaintext_size(number) + crypto::kGcmTagSize;
  if (sealed.size() != expected) {
    return Error{Errc::bad_signature, name + " has " + std::to_string(sealed.size()) +
                                          " bytes, expected " + std::to_string(expected)};
  }
  const std::size_t size = sealed.size() - crypto::kGcmTagSize;
  const bool last = number + 1 == manifest.chunks.size();
  if (!keys.open(static_cast<std::uint32_t>(number), last, sealed,
                 MutableByteView(sealed).first(size))) {
    return Error{Errc::bad_signature, name + " doesn't open: another key, or sealed wrongly"};
  }
  sealed.resize(size);
  return sealed;
}

/// The plaintext of a range of chunks in order, fetched and opened ahead by several threads.
class ChunkReader {
 public:
  ChunkReader(BlobStore& store, const Manifest& manifest, const Secret32& content_key,
              ChunkRange range, unsigned threads)
      : store_(store),
        manifest_(manifest),
        keys_(content_key, manifest),
        next_(range.first),
        end_(range.end),
        threads_(std::min(std::max(threads, 1U), kPackageThreadsMax)),
        jobs_(threads_) {}

  [[nodiscard]] bool done() const { return next_ == end_ && jobs_.in_flight() == 0; }

  /// The next chunk; not to be called when done, or again after an error.
  Result<Bytes> next() {
    const std::size_t in_flight_max = std::min<std::size_t>(kChunksInFlight, 4 * threads_);
    while (next_ < end_ && jobs_.in_flight() < in_flight_max) {
      jobs_.submit(
          [this, number = next_++] { return open_chunk(store_, manifest_, keys_, number); });
    }
    return jobs_.take();
  }

 private:
  BlobStore& store_;
  const Manifest& manifest_;
  PackageKeys keys_;
  std::size_t next_;
  std::size_t end_;
  unsigned threads_;
  OrderedJobs<Bytes> jobs_;  // the last member: its threads end before the others go
};

class ChunkSource final : public ByteSource {
 public:
  explicit ChunkSource(std::unique_ptr<ChunkReader> reader) : reader_(std::move(reader)) {}

  Result<std::size_t> read(MutableByteView out) override {
    if (failure_) return *failure_;
    while (at_ == chunk_.size() && !reader_->done()) {
      auto next = reader_->next();
      if (!next) return *(failure_ = next.error());
      chunk_ = *std::move(next);
      at_ = 0;
    }
    const std::size_t size = std::min(out.size(), chunk_.size() - at_);
    std::copy_n(chunk_.begin() + static_cast<std::ptrdiff_t>(at_), size, out.begin());
    at_ += size;
    return size;
  }

 private:
  std::unique_ptr<ChunkReader> reader_;
  Bytes chunk_;
  std::size_t at_ = 0;
  std::optional<Error> failure_;
};

/// Writes to the sink and tells the progress.
class Delivery {
 public:
  Delivery(ByteSink& sink, const Progress& progress) : sink_(sink), progress_(progress) {}
  Status write(ByteView bytes) {
    SP_TRY(sink_.write(bytes));
    done_ += bytes.size();
    if (progress_ && !progress_(done_)) return Error{Errc::cancelled, "opening was cancelled"};
    return {};
  }

 private:
  ByteSink& sink_;
  const Progress& progress_;
  std::uint64_t done_ = 0;
};

}  // namespace

Result<Package> Package::fetch(BlobStore& store, const PackageId& id) {
  auto bytes = store.get_unverified(id, kManifestSizeMax);
  if (!bytes) {
    if (bytes.error().code != Errc::too_large) return bytes.error().in("package " + id.hex());
    // No store can hold such a blob: whatever it is, it isn't the one asked for.
    return Error{Errc::mismatch, "the store gave too many bytes for package " + id.hex()};
  }
  if (blob_id(*bytes) != id) {
    return Error{Errc::mismatch, "the store gave other bytes for package " + id.hex()};
  }
  auto manifest = Manifest::decode(*bytes);
  if (!manifest) return manifest.error().in("package " + id.hex());
  return Package(store, id, *std::move(manifest));
}

Result<Secret32> Package::unwrap(const crypto::X25519KeyPair& recipient, ByteView context) const {
  const Bytes info = wrapped_key_info(context);
  const Bytes header = manifest_.header();
  Error failure{Errc::not_found, "no key of package " + id_.hex() + " is for this recipient"};
  for (const WrappedKey& key : manifest_.recipients) {
    if (key.recipient != recipient.public_key) continue;
    auto opened = crypto::hpke_open(recipient, info, header, key.sealed);
    if (opened) return Secret32::from(opened->reveal());
    failure = {Errc::bad_signature, "the wrapped key of package " + id_.hex() + " doesn't open"};
  }
  return failure;
}

std::unique_ptr<ByteSource> Package::open_stream(const Secret32& content_key,
                                                 unsigned threads) const {
  auto chunks = std::make_unique<ChunkSource>(std::make_unique<ChunkReader>(
      *store_, manifest_, content_key, ChunkRange{0, manifest_.chunks.size()}, threads));
  if (manifest_.compression == Compression::none) return chunks;
  return zstd_decompressed(std::move(chunks), kZstdWindowMax);
}

Status Package::open(const Secret32& content_key, ByteSink& sink, unsigned threads,
                     const Progress& progress) const {
  Delivery delivery(sink, progress);
  if (manifest_.compression == Compression::none) {
    ChunkReader reader(*store_, manifest_, content_key, {0, manifest_.chunks.size()}, threads);
    while (!reader.done()) {
      SP_ASSIGN(const Bytes chunk, reader.next());
      SP_TRY(delivery.write(chunk));
    }
    return {};
  }
  const std::unique_ptr<ByteSource> stream = open_stream(content_key, threads);
  Bytes buffer(kPumpSize);
  for (;;) {
    SP_ASSIGN(const std::size_t got, stream->read(buffer));
    if (got == 0) return {};
    SP_TRY(delivery.write(ByteView(buffer).first(got)));
  }
}

Result<Bytes> Package::open_range(const Secret32& content_key, std::uint64_t offset,
                                  std::size_t size) const {
  if (manifest_.compression != Compression::none) {
    return Error{Errc::unsupported, "a compressed package has no ranges"};
  }
  if (size > kRangeSizeMax) {
    return Error{Errc::too_large, "range of " + std::to_string(size) + " bytes, at most " +
                                      std::to_string(kRangeSizeMax)};
  }
  if (offset > manifest_.stream_size || size > manifest_.stream_size - offset) {
    return Error{Errc::malformed, "range of " + std::to_string(size) + " bytes from " +
                                      std::to_string(offset) + " ends beyond the " +
                                      std::to_string(manifest_.stream_size) + " there are"};
  }
  Bytes range;
  if (size == 0) return range;
  range.reserve(size);
  const std::size_t first = offset / manifest_.chunk_size;
  const std::size_t end = (offset + size - 1) / manifest_.chunk_size + 1;
  ChunkReader reader(*store_, manifest_, content_key, {first, end}, 2);
  std::size_t skip = offset % manifest_.chunk_size;
  while (!reader.done()) {
    SP_ASSIGN(const Bytes chunk, reader.next());
    const ByteView rest = ByteView(chunk).subspan(skip);
    append(range, rest.first(std::min(rest.size(), size - range.size())));
    skip = 0;
  }
  SP_CHECK(range.size() == size);
  return range;
}

}  // namespace sp::store
