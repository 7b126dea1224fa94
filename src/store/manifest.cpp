#include <bit>

#include "base/codec.hpp"
#include "store/package.hpp"

namespace sp::store {
namespace {

constexpr std::string_view kMagic = "SPPK";

/// ceil(size / chunk), and one chunk for an empty stream.
std::uint64_t chunks_of(std::uint64_t stream_size, std::uint32_t chunk_size) {
  return stream_size == 0 ? 1 : (stream_size - 1) / chunk_size + 1;
}

void write_header(Writer& writer, const Manifest& manifest) {
  writer.raw(as_bytes(kMagic))
      .u16(kPackageVersion)
      .u8(static_cast<std::uint8_t>(manifest.compression))
      .u32(manifest.chunk_size)
      .raw(manifest.salt);
}

void read_header(Reader& reader, Manifest& manifest) {
  if (as_text(reader.raw(kMagic.size())) != kMagic) {
    reader.fail(Errc::malformed, "not a package manifest");
  }
  if (const auto version = reader.u16(); !reader.failed() && version != kPackageVersion) {
    reader.fail(Errc::unsupported, "package version " + std::to_string(version));
  }
  const std::uint8_t compression = reader.u8();
  if (compression > static_cast<std::uint8_t>(Compression::zstd)) {
    reader.fail(Errc::unsupported, "compression " + std::to_string(compression));
  }
  manifest.compression = static_cast<Compression>(compression);
  manifest.chunk_size = reader.u32();
  if (!reader.failed() &&
      (!std::has_single_bit(manifest.chunk_size) || manifest.chunk_size < kChunkSizeMin ||
       manifest.chunk_size > kChunkSizeMax)) {
    reader.fail(Errc::malformed, "chunk size " + std::to_string(manifest.chunk_size));
  }
  const ByteView salt = reader.raw(manifest.salt.size());
  std::copy(salt.begin(), salt.end(), manifest.salt.begin());
}

void read_recipients(Reader& reader, Manifest& manifest) {
  const std::size_t count = reader.count(kRecipientsMax);
  for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
    WrappedKey key;
    key.recipient = reader.fixed<crypto::X25519Public>();
    const ByteView sealed = reader.raw(key.sealed.size());
    std::copy(sealed.begin(), sealed.end(), key.sealed.begin());
    manifest.recipients.push_back(key);
  }
}

void read_chunks(Reader& reader, Manifest& manifest) {
  const std::size_t count = reader.u32();
  if (reader.failed()) return;
  if (count > kChunksMax) {
    reader.fail(Errc::too_large, std::to_string(count) + " chunks");
  } else if (count != chunks_of(manifest.stream_size, manifest.chunk_size)) {
    reader.fail(Errc::malformed, std::to_string(count) + " chunks for a stream of " +
                                     std::to_string(manifest.stream_size) + " bytes");
  } else if (reader.remaining() != count * BlobId::kSize) {
    reader.fail(Errc::malformed, "the list of chunks isn't what the end of the manifest holds");
  }
  if (reader.failed()) return;
  manifest.chunks.reserve(count);
  for (std::size_t i = 0; i < count; ++i) manifest.chunks.push_back(reader.fixed<BlobId>());
}

}  // namespace

Bytes Manifest::header() const {
  Writer writer;
  write_header(writer, *this);
  SP_CHECK(writer.bytes().size() == kHeaderSize);
  return std::move(writer).take();
}

std::size_t Manifest::plaintext_size(std::size_t number) const {
  SP_CHECK(number < chunks.size());
  if (number + 1 < chunks.size()) return chunk_size;
  return static_cast<std::size_t>(stream_size - std::uint64_t{chunk_size} * (chunks.size() - 1));
}

Bytes Manifest::encode() const {
  SP_CHECK(recipients.size() <= kRecipientsMax);
  SP_CHECK(chunks.size() <= kChunksMax && chunks.size() == chunks_of(stream_size, chunk_size));
  Writer writer;
  write_header(writer, *this);
  writer.u64(stream_size).u16(static_cast<std::uint16_t>(recipients.size()));
  for (const WrappedKey& key : recipients) writer.raw(key.recipient.view()).raw(key.sealed);
  writer.u32(static_cast<std::uint32_t>(chunks.size()));
  for (const BlobId& chunk : chunks) writer.raw(chunk.view());
  return std::move(writer).take();
}

Result<Manifest> Manifest::decode(ByteView bytes) {
  if (bytes.size() > kManifestSizeMax) {
    return Error{Errc::too_large, "manifest of " + std::to_string(bytes.size()) + " bytes"};
  }
  Reader reader(bytes);
  Manifest manifest;
  read_header(reader, manifest);
  manifest.stream_size = reader.u64();
  read_recipients(reader, manifest);
  read_chunks(reader, manifest);
  SP_TRY(reader.finish());
  return manifest;
}

}  // namespace sp::store
