#include "store/remote/s3_upload.hpp"

#include <algorithm>

#include "base/crash_point.hpp"
#include "crypto/hash.hpp"
#include "store/ordered_jobs.hpp"
#include "store/remote/s3_answers.hpp"

namespace sp::store {
namespace {

class Upload {
 public:
  Upload(const S3Client& client, const std::string& key, ByteView bytes, S3Pieces pieces)
      : client_(client),
        key_(key),
        bytes_(bytes),
        part_size_(pieces.size),
        threads_(pieces.threads) {}

  Status run(S3Resume resume) {
    if (resume == S3Resume::yes) find();
    if (id_.empty()) SP_TRY(begin());
    const Status done = send_all();
    if (!done && done.error().code != Errc::not_found) abort();
    return done;
  }

 private:
  [[nodiscard]] S3Request request(std::string method, S3Query query) const {
    S3Request request;
    request.method = std::move(method);
    request.key = key_;
    request.query = std::move(query);
    request.payload = s3_empty_payload();
    return request;
  }

  // Looks for an upload that was cut off. Not every server, and not every key, can list: without an
  // answer the upload starts from the beginning.
  void find() {
    S3Request listing = request("GET", {{"uploads", ""},
                                        {"prefix", client_.object_key(key_)},
                                        {"max-uploads", std::to_string(kS3PartsMax)}});
    listing.of_bucket = true;
    const auto uploads = client_.call_once(listing);
    if (!uploads || uploads->status != 200) return;
    const auto id = s3_upload_of(uploads->body, client_.object_key(key_));
    if (!id || !*id) return;
    const auto held = client_.call_once(
        request("GET", {{"uploadId", **id}, {"max-parts", std::to_string(kS3PartsMax)}}));
    if (!held || held->status != 200) return;
    auto parts = s3_parts(held->body);
    if (!parts) return;
    held_ = *std::move(parts);
    id_ = **id;
  }

  Status begin() {
    const CrashEffect effect(CrashSite::s3_begin);
    SP_ASSIGN(const net::HttpResponse response, client_.call(request("POST", {{"uploads", ""}})));
    if (response.status != 200) return failure(response, "beginning");
    SP_ASSIGN(id_, s3_upload_id(response.body));
    return {};
  }

  Status send_all() {
    std::vector<S3Part> parts;
    OrderedJobs<S3Part> jobs(threads_);
    unsigned number = 0;
    for (std::size_t offset = 0; offset < bytes_.size(); offset += part_size_) {
      const ByteView part = bytes_.subspan(offset, std::min(part_size_, bytes_.size() - offset));
      if (jobs.in_flight() == threads_) {
        SP_ASSIGN(parts.emplace_back(), jobs.take());
      }
      jobs.submit([this, number = ++number, part] { return send(number, part); });
    }
    while (jobs.in_flight() > 0) {
      SP_ASSIGN(parts.emplace_back(), jobs.take());
    }
    return complete(parts);
  }

  Result<S3Part> send(unsigned number, ByteView part) {
    const auto held = std::find_if(held_.begin(), held_.end(),
                                   [&](const S3Part& one) { return one.number == number; });
    if (held != held_.end() && held->size == part.size() && held->etag == crypto::md5(part).hex()) {
      return *held;
    }
    const CrashEffect effect(CrashSite::s3_part);
    S3Request put = request("PUT", {{"partNumber", std::to_string(number)}, {"uploadId", id_}});
    put.body = part;
    put.payload = crypto::sha256(part);
    SP_ASSIGN(const net::HttpResponse response, client_.call(put));
    if (response.status != 200) return failure(response, "part " + std::to_string(number));
    const auto field = response.headers.find("etag");
    if (field == response.headers.end()) {
      return Error{Errc::unavailable, "the store gave a part of blob " + key_ + " no ETag"};
    }
    SP_ASSIGN(std::string etag, s3_etag(field->second));
    return S3Part{number, part.size(), std::move(etag)};
  }

  Status complete(const std::vector<S3Part>& parts) {
    const CrashEffect effect(CrashSite::s3_complete);
    const std::string body = s3_completion(parts);
    S3Request post = request("POST", {{"uploadId", id_}});
    post.headers["content-type"] = "application/xml";
    post.body = as_bytes(body);
    post.payload = crypto::sha256(post.body);
    SP_ASSIGN(const net::HttpResponse response, client_.call(post));
    if (response.status == 200) return s3_completed(response.body);
    return failure(response, "completing");
  }

  // What was kept would cost its owner money; a server that doesn't answer now gets no second try.
  void abort() {
    const CrashEffect effect(CrashSite::s3_abort);
    const auto ignored = client_.call_once(request("DELETE", {{"uploadId", id_}}));
  }

  [[nodiscard]] Error failure(const net::HttpResponse& response, std::string_view step) const {
    return s3_error(response, std::string(step) + " of the upload of blob " + key_);
  }

  const S3Client& client_;
  const std::string& key_;
  ByteView bytes_;
  std::size_t part_size_;
  unsigned threads_;
  std::string id_;
  std::vector<S3Part> held_;
};

}  // namespace

Status s3_upload(const S3Client& client, const std::string& key, ByteView bytes, S3Pieces pieces,
                 S3Resume resume) {
  return Upload(client, key, bytes, pieces).run(resume);
}

}  // namespace sp::store
