#include "store/remote/s3_store.hpp"

#include <charconv>

#include "base/crash_point.hpp"
#include "crypto/aead.hpp"
#include "store/ordered_jobs.hpp"
#include "store/package.hpp"
#include "store/remote/byte_range.hpp"
#include "store/remote/s3_answers.hpp"
#include "store/remote/s3_upload.hpp"

namespace sp::store {
namespace {

S3Request request_for(std::string method, const BlobId& id) {
  S3Request request;
  request.method = std::move(method);
  request.key = id.hex();
  request.payload = s3_empty_payload();
  return request;
}

bool take_number(std::string_view& text, std::uint64_t& value) {
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  return true;
}

std::optional<ContentRange> range_of(const net::Headers& headers) {
  const auto field = headers.find("content-range");
  return field == headers.end() ? std::nullopt : parse_content_range(field->second);
}

}  // namespace

Result<std::unique_ptr<S3Store>> S3Store::make(net::HttpClient& http, const Clock& clock,
                                               Random& random, S3Settings settings,
                                               std::size_t part_size, unsigned threads) {
  if (threads == 0 || threads > kS3ThreadsMax) {
    return Error{Errc::usage, "S3 settings: threads out of range"};
  }
  if (part_size < kS3PartSizeMin || part_size > kBlobSizeMax) {
    return Error{Errc::usage, "S3 settings: part size out of range"};
  }
  SP_ASSIGN(auto client, S3Client::make(http, clock, random, std::move(settings)));
  return std::unique_ptr<S3Store>(new S3Store(std::move(client), part_size, threads));
}

Status S3Store::put(const BlobId& id, ByteView bytes) {
  if (bytes.size() > kBlobSizeMax) {
    return Error{Errc::too_large, "blob of " + std::to_string(bytes.size()) + " bytes, at most " +
                                      std::to_string(kBlobSizeMax)};
  }
  if (blob_id(bytes) != id) return Error{Errc::mismatch, "the bytes aren't blob " + id.hex()};
  const auto held = size(id);
  if (held && *held == bytes.size()) return {};
  // Whoever may not list a bucket is told 403 where a name is missing, so a refusal here says
  // nothing about the upload.
  if (!held && (held.error().code == Errc::unavailable || held.error().code == Errc::timed_out)) {
    return held.error();
  }
  return bytes.size() > part_size_ ? put_parts(id, bytes) : put_whole(id, bytes);
}

Status S3Store::put_whole(const BlobId& id, ByteView bytes) {
  const CrashEffect effect(CrashSite::s3_put);
  S3Request request = request_for("PUT", id);
  request.body = bytes;
  request.payload.data = id.data;
  SP_ASSIGN(const net::HttpResponse response, client_->call(request));
  if (response.status == 200 || response.status == 201) return {};
  return s3_error(response, "storing blob " + id.hex());
}

Status S3Store::put_parts(const BlobId& id, ByteView bytes) {
  const Status first = s3_upload(*client_, id.hex(), bytes, {part_size_, threads_}, S3Resume::yes);
  if (first || first.error().code != Errc::not_found) return first;
  // The upload went away under our hands: another who stores the same blob has completed it, or has
  // given it up.
  const auto held = size(id);
  if (held && *held == bytes.size()) return {};
  const Status second = s3_upload(*client_, id.hex(), bytes, {part_size_, threads_}, S3Resume::no);
  if (second || second.error().code != Errc::not_found) return second;
  return Error{Errc::unavailable, second.error().message};
}

Result<Bytes> S3Store::get(const BlobId& id, std::size_t size_max) {
  SP_ASSIGN(Bytes bytes, get_unverified(id, size_max));
  if (blob_id(bytes) != id) {
    return Error{Errc::mismatch, "the store gave other bytes for blob " + id.hex()};
  }
  return bytes;
}

Result<Bytes> S3Store::get_unverified(const BlobId& id, std::size_t size_max) {
  MemorySink sink(size_max);
  sink.bytes().reserve(std::min<std::size_t>(size_max, kChunkSizeMax + crypto::kGcmTagSize));
  SP_TRY(stream_unverified(id, 0, size_max, sink));
  return std::move(sink.bytes());
}

Status S3Store::stream_unverified(const BlobId& id, std::uint64_t offset, std::size_t size_max,
                                  ByteSink& sink) {
  const std::size_t wanted = offset < size_max ? size_max - static_cast<std::size_t>(offset) : 1;
  auto first = read_piece(id, offset, std::min(part_size_, std::max<std::size_t>(wanted, 1)));
  if (!first && first.error().code == Errc::malformed) return check_end(id, offset);
  if (!first) return first.error();
  const std::uint64_t whole = first->whole;
  if (whole > size_max) {
    return Error{Errc::too_large, "blob " + id.hex() + " has " + std::to_string(whole) +
                                      " bytes, at most " + std::to_string(size_max) + " are read"};
  }
  std::uint64_t next = offset + first->bytes.size();
  SP_TRY(sink.write(first->bytes));
  OrderedJobs<Piece> jobs(threads_);
  while (next < whole || jobs.in_flight() > 0) {
    while (next < whole && jobs.in_flight() < threads_) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(part_size_, whole - next));
      jobs.submit([this, &id, next, size] { return read_piece(id, next, size); });
      next += size;
    }
    SP_ASSIGN(const Piece got, jobs.take());
    if (got.whole != whole) {
      return Error{Errc::mismatch, "blob " + id.hex() + " changed its size while it was read"};
    }
    SP_TRY(sink.write(got.bytes));
  }
  return {};
}

// Nothing lies from `offset` on: whether that is the blob's end, or beyond it.
Status S3Store::check_end(const BlobId& id, std::uint64_t offset) {
  SP_ASSIGN(const std::uint64_t whole, size(id));
  if (whole == offset) return {};
  return Error{Errc::mismatch, "blob " + id.hex() + " ends before byte " + std::to_string(offset)};
}

Result<std::uint64_t> S3Store::size(const BlobId& id) {
  SP_ASSIGN(const net::HttpResponse response, client_->call(request_for("HEAD", id)));
  if (response.status == 404) return Error{Errc::not_found, "the bucket has no blob " + id.hex()};
  if (response.status != 200) return s3_error(response, "looking for blob " + id.hex());
  const auto field = response.headers.find("content-length");
  std::uint64_t size = 0;
  if (field != response.headers.end()) {
    std::string_view text = field->second;
    if (take_number(text, size) && text.empty()) return size;
  }
  return Error{Errc::unavailable, "the store tells no size of blob " + id.hex()};
}

Status S3Store::remove(const BlobId& id) {
  const CrashEffect effect(CrashSite::s3_delete);
  SP_ASSIGN(const net::HttpResponse response, client_->call(request_for("DELETE", id)));
  if (response.status == 200 || response.status == 204) return {};
  const Error error = s3_error(response, "deleting blob " + id.hex());
  return error.code == Errc::not_found ? Status{} : Status(error);
}

Result<Bytes> S3Store::get_range_unverified(const BlobId& id, std::uint64_t offset,
                                            std::size_t size) {
  const Error beyond{Errc::malformed, "the range lies outside of blob " + id.hex()};
  if (size == 0) {
    SP_ASSIGN(const std::uint64_t whole, this->size(id));
    if (offset > whole) return beyond;
    return Bytes{};
  }
  if (offset > UINT64_MAX - size) return beyond;
  SP_ASSIGN(Piece piece, read_piece(id, offset, size));
  if (piece.bytes.size() != size) return beyond;
  return std::move(piece.bytes);
}

Status S3Store::check_bucket() {
  S3Request request{"HEAD", {}, {}, {}, {}, s3_empty_payload(), /*of_bucket=*/true};
  SP_ASSIGN(const net::HttpResponse head, client_->call_once(request));
  if (head.status == 200) return {};
  // An answer to HEAD has no words, and is a refusal for whoever may store and not list.
  request.method = "GET";
  request.query = {{"max-keys", "1"}};
  SP_ASSIGN(const net::HttpResponse told, client_->call_once(request));
  if (told.status == 200 || s3_error_code(told.body) == "AccessDenied") return {};
  return s3_error(told, "looking for the bucket");
}

Result<std::uint64_t> S3Store::total_size() const {
  return Error{Errc::unsupported, "a bucket's blobs aren't counted"};
}

// `size` bytes from `offset`, or as many as there are; at least one, but for the empty blob.
// Whoever reads checks the digest.
Result<S3Store::Piece> S3Store::read_piece(const BlobId& id, std::uint64_t offset,
                                           std::size_t size) {
  static const BlobId kEmpty = blob_id({});
  S3Request request = request_for("GET", id);
  if (id != kEmpty) {  // no range fits an empty object
    request.headers["range"] =
        "bytes=" + std::to_string(offset) + "-" + std::to_string(offset + size - 1);
  }
  SP_ASSIGN(net::HttpResponse response, client_->call(request));
  if (response.status == 416) {
    // An object of no bytes, or a range beyond the end.
    return offset == 0 ? Error{Errc::mismatch, "the store gave no bytes for blob " + id.hex()}
                       : Error{Errc::malformed, "the range lies outside of blob " + id.hex()};
  }
  if (response.status == 200) {  // a server that knows no ranges
    const std::uint64_t whole = response.body.size();
    if (offset > whole) {
      return Error{Errc::malformed, "the range lies outside of blob " + id.hex()};
    }
    Bytes& body = response.body;
    body.erase(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(offset));
    if (body.size() > size) body.resize(size);
    return Piece{std::move(body), whole};
  }
  if (response.status != 206) return s3_error(response, "fetching blob " + id.hex());
  const auto range = range_of(response.headers);
  if (!range || range->first != offset || range->last - range->first + 1 != response.body.size() ||
      range->last != std::min(range->whole - 1, offset + size - 1)) {
    return Error{Errc::unavailable, "the store gave another range of blob " + id.hex()};
  }
  return Piece{std::move(response.body), range->whole};
}

}  // namespace sp::store
