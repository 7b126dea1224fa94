#include "store/receipt.hpp"

#include <limits>

#include "base/codec.hpp"
#include "crypto/aead.hpp"
#include "crypto/eip712.hpp"

namespace sp::store {
namespace {

constexpr std::string_view kMagic = "SPSR";
constexpr std::uint16_t kReceiptVersion = 1;
constexpr std::string_view kType = "StorageReceipt(bytes32 package,uint64 size,uint64 until)";

Status check_size(BlobStore& blobs, const BlobId& id, std::size_t expected,
                  const std::string& name) {
  const auto size = blobs.size(id);
  if (!size) return size.error().in(name);
  if (*size != expected) {
    return Error{Errc::mismatch, name + " has " + std::to_string(*size) + " bytes, expected " +
                                     std::to_string(expected)};
  }
  return {};
}

}  // namespace

Digest32 StorageReceipt::digest() const {
  SP_CHECK(until >= 0);
  const Digest32 hash = crypto::Eip712Struct(kType)
                            .word(package.view())
                            .number(size)
                            .number(static_cast<std::uint64_t>(until))
                            .hash();
  return crypto::eip712_digest(crypto::eip712_separator_without_chain("Super Protocol Store", "1"),
                               hash);
}

Bytes StorageReceipt::encode() const {
  SP_CHECK(until >= 0);
  Writer writer;
  writer.raw(as_bytes(kMagic))
      .u16(kReceiptVersion)
      .raw(package.view())
      .u64(size)
      .u64(static_cast<std::uint64_t>(until))
      .raw(signature.view());
  return std::move(writer).take();
}

Result<StorageReceipt> StorageReceipt::decode(ByteView bytes) {
  Reader reader(bytes);
  StorageReceipt receipt;
  if (as_text(reader.raw(kMagic.size())) != kMagic) {
    reader.fail(Errc::malformed, "not a storage receipt");
  }
  if (const auto version = reader.u16(); !reader.failed() && version != kReceiptVersion) {
    reader.fail(Errc::unsupported, "storage receipt version " + std::to_string(version));
  }
  receipt.package = reader.fixed<PackageId>();
  receipt.size = reader.u64();
  const std::uint64_t until = reader.u64();
  if (until > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    reader.fail(Errc::malformed, "a time beyond all times");
  }
  receipt.until = static_cast<std::int64_t>(until);
  receipt.signature = reader.fixed<crypto::EthSignature>();
  SP_TRY(reader.finish());
  return receipt;
}

Status StorageReceipt::verify(const Address& store) const {
  return crypto::verify_eth(digest(), signature, store);
}

Result<StorageReceipt> issue_storage_receipt(BlobStore& blobs, const PackageId& package,
                                             std::int64_t until, const crypto::EthKey& key) {
  SP_CHECK(until >= 0);
  SP_ASSIGN(const Package whole, Package::fetch(blobs, package));
  const Manifest& manifest = whole.manifest();
  StorageReceipt receipt;
  receipt.package = package;
  receipt.until = until;
  receipt.size = manifest.encode().size();
  for (std::size_t i = 0; i < manifest.chunks.size(); ++i) {
    const std::size_t expected = manifest.plaintext_size(i) + crypto::kGcmTagSize;
    SP_TRY(check_size(blobs, manifest.chunks[i], expected,
                      "chunk " + std::to_string(i) + " (" + manifest.chunks[i].hex() + ")"));
    receipt.size += expected;
  }
  receipt.signature = key.sign(receipt.digest());
  return receipt;
}

}  // namespace sp::store
