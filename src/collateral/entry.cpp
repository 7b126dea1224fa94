#include "collateral/entry.hpp"

#include "base/codec.hpp"
#include "crypto/hash.hpp"

namespace sp::collateral {
namespace {

constexpr std::string_view kFileMagic = "SPCC";
constexpr std::string_view kBundleMagic = "SPCB";
constexpr std::uint16_t kVersion = 1;
constexpr std::int64_t kTimeMax = 253'402'300'799;  // the end of the year 9999

void write_entry(Writer& writer, const Entry& entry) {
  SP_CHECK(!entry.published.body.empty());
  writer.var(encode(entry.wanted)).text(entry.validator.origin).text(entry.validator.etag);
  writer.u64(static_cast<std::uint64_t>(entry.fetched_at));
  writer.u64(static_cast<std::uint64_t>(entry.expires_at));
  writer.var(entry.published.body).text(entry.published.issuer_chain);
}

std::int64_t read_time(Reader& reader) {
  const std::uint64_t time = reader.u64();
  if (time > static_cast<std::uint64_t>(kTimeMax)) {
    reader.fail(Errc::malformed, "a time after the year 9999");
    return 0;
  }
  return static_cast<std::int64_t>(time);
}

Entry read_entry(Reader& reader) {
  Entry entry;
  auto wanted = decode_wanted(reader.var(kWantedSizeMax));
  if (wanted) {
    entry.wanted = std::move(*wanted);
  } else {
    reader.fail(wanted.error().code, wanted.error().message);
  }
  entry.validator.origin = reader.text(kOriginSizeMax);
  entry.validator.etag = reader.text(kEtagSizeMax);
  entry.fetched_at = read_time(reader);
  entry.expires_at = read_time(reader);
  entry.published.body = to_bytes(reader.var(kBodySizeMax));
  entry.published.issuer_chain = reader.text(kIssuerChainSizeMax);
  if (entry.published.body.empty()) reader.fail(Errc::malformed, "an answer without a body");
  return entry;
}

Writer begin(std::string_view magic) {
  Writer writer;
  writer.raw(as_bytes(magic)).u16(kVersion);
  return writer;
}

Bytes with_digest(Writer writer) {
  const Digest32 digest = crypto::sha256(writer.bytes());
  writer.raw(digest.view());
  return std::move(writer).take();
}

// Checks magic, version and digest; what is between is left to read.
Result<ByteView> content_of(ByteView bytes, std::string_view magic, std::size_t size_max) {
  const std::string name(magic);
  if (bytes.size() > size_max) return Error{Errc::too_large, name + " is too large"};
  Reader reader(bytes);
  if (as_text(reader.raw(magic.size())) != magic) {
    reader.fail(Errc::malformed, "it doesn't begin with " + name);
  }
  if (reader.u16() != kVersion) reader.fail(Errc::unsupported, "unknown version of " + name);
  if (!reader.failed() && reader.remaining() < Digest32::kSize) {
    reader.fail(Errc::malformed, name + " is truncated");
  }
  const std::size_t size = reader.failed() ? 0 : reader.remaining() - Digest32::kSize;
  const ByteView content = reader.raw(size);
  const auto digest = reader.fixed<Digest32>();
  SP_TRY(reader.finish());
  if (crypto::sha256(bytes.first(bytes.size() - Digest32::kSize)) != digest) {
    return Error{Errc::mismatch, name + " is damaged: its digest is another"};
  }
  return content;
}

}  // namespace

bool Entry::operator==(const Entry& other) const {
  return wanted == other.wanted && validator.origin == other.validator.origin &&
         validator.etag == other.validator.etag && fetched_at == other.fetched_at &&
         expires_at == other.expires_at && published == other.published;
}

Bytes encode_file(const Entry& entry) {
  Writer writer = begin(kFileMagic);
  write_entry(writer, entry);
  return with_digest(std::move(writer));
}

Result<Entry> decode_file(ByteView bytes) {
  SP_ASSIGN(const ByteView content, content_of(bytes, kFileMagic, kEntryFileSizeMax));
  Reader reader(content);
  Entry entry = read_entry(reader);
  SP_TRY(reader.finish());
  return entry;
}

Result<Bytes> Bundle::encode() const {
  if (entries.size() > kBundleEntriesMax) {
    return Error{Errc::too_large, "a bundle of " + std::to_string(entries.size()) +
                                      " entries, at most " + std::to_string(kBundleEntriesMax)};
  }
  Writer writer = begin(kBundleMagic);
  writer.u64(static_cast<std::uint64_t>(made_at)).u16(static_cast<std::uint16_t>(entries.size()));
  for (const Entry& entry : entries) {
    write_entry(writer, entry);
    if (writer.bytes().size() > kBundleSizeMax - Digest32::kSize) {
      return Error{Errc::too_large, "the bundle is too large"};
    }
  }
  return with_digest(std::move(writer));
}

Result<Bundle> Bundle::decode(ByteView bytes) {
  SP_ASSIGN(const ByteView content, content_of(bytes, kBundleMagic, kBundleSizeMax));
  Reader reader(content);
  Bundle bundle;
  bundle.made_at = read_time(reader);
  const std::size_t count = reader.count(kBundleEntriesMax);
  Bytes last;
  for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
    Entry entry = read_entry(reader);
    if (reader.failed()) break;
    Bytes key = sp::collateral::encode(entry.wanted);
    if (key <= last) reader.fail(Errc::malformed, "entries of a bundle are out of order");
    last = std::move(key);
    bundle.entries.push_back(std::move(entry));
  }
  SP_TRY(reader.finish());
  return bundle;
}

}  // namespace sp::collateral
