// S3 servers that fail, lie, dawdle and refuse.
#include <gtest/gtest.h>

#include <thread>

#include "net/testing/raw_socket.hpp"
#include "store/remote/testing/s3_fixture.hpp"

namespace sp::store {
namespace {

using std::chrono::milliseconds;
using testing::FakeS3;
using testing::pattern;

class S3Failures : public testing::S3Fixture {};

TEST_F(S3Failures, AFailedUploadIsAborted) {
  answer("PUT", 100, FakeS3::error(403, "AccessDenied"));
  const Status done = store_->put(large_id_, large_);
  EXPECT_EQ(done.error().code, Errc::unauthorised);
  EXPECT_EQ(done.error().message,
            "part 1 of the upload of blob " + large_id_.hex() + ": status 403 AccessDenied");
  EXPECT_TRUE(server_.uploads.empty());
  EXPECT_EQ(count("DELETE"), 1U);
}

TEST_F(S3Failures, WrongEtagsEndTheUpload) {
  for (const char* etag : {"\"00000000000000000000000000000000\"", "", "a\"b", "<x>"}) {
    server_.alter = [&](net::HttpResponse& response) {
      if (response.headers.contains("etag")) response.headers["etag"] = etag;
    };
    const Status done = store_->put(large_id_, large_);
    ASSERT_FALSE(done.ok()) << etag;
    EXPECT_TRUE(server_.uploads.empty());
    EXPECT_TRUE(server_.objects.empty());
  }
  server_.alter = [](net::HttpResponse& response) { response.headers.erase("etag"); };
  EXPECT_EQ(store_->put(large_id_, large_).error().code, Errc::unavailable);
}

TEST_F(S3Failures, CompletingCanFailInside200) {
  const std::string post = "POST /bucket/" + key(large_id_) + "?uploadId";
  auto failing = FakeS3::error(200, "InternalError");
  answer(post, 2, failing);
  ASSERT_TRUE(store_->put(large_id_, large_).ok());
  EXPECT_EQ(count(post), 3U);
  EXPECT_EQ(clock_.slept.size(), 2U);

  server_.objects.clear();
  answer(post, 100, FakeS3::error(200, "EntityTooSmall"));
  EXPECT_EQ(store_->put(large_id_, large_).error().code, Errc::unavailable);
  answer(post, 100, net::text_response(200, "text/html", "<html>proxy</html>"));
  EXPECT_EQ(store_->put(large_id_, large_).error().code, Errc::malformed);
  EXPECT_TRUE(server_.uploads.empty());
}

TEST_F(S3Failures, TriesAgainAfterOverload) {
  for (const unsigned status : {429U, 500U, 502U, 503U, 504U}) {
    server_.objects[key(id_)] = bytes_;
    clock_.slept.clear();
    answer("GET", 2, FakeS3::error(status, "SlowDown"));
    EXPECT_EQ(*store_->get(id_, 5000), bytes_);
    ASSERT_EQ(clock_.slept.size(), 2U);
    EXPECT_LE(clock_.slept[0], milliseconds(200));
    EXPECT_LE(clock_.slept[1], milliseconds(400));
  }
  answer("GET", 1, FakeS3::error(400, "RequestTimeout"));
  EXPECT_TRUE(store_->get(id_, 5000).ok());
}

TEST_F(S3Failures, GivesUpAfterTheAttempts) {
  answer("GET", 100, FakeS3::error(503, "SlowDown"));
  const auto got = store_->get(id_, 5000);
  EXPECT_EQ(got.error().code, Errc::unavailable);
  EXPECT_EQ(got.error().message, "fetching blob " + id_.hex() + ": status 503 SlowDown");
  EXPECT_EQ(server_.asked.size(), 3U);
}

TEST_F(S3Failures, BackOffIsBoundedAndRandom) {
  auto changed = settings();
  changed.attempts = kS3AttemptsMax;
  changed.backoff_max = milliseconds(1000);
  open(std::move(changed));
  answer("GET", 100, FakeS3::error(503, "SlowDown"));
  EXPECT_FALSE(store_->get(id_, 5000).ok());
  ASSERT_EQ(clock_.slept.size(), kS3AttemptsMax - 1);
  EXPECT_TRUE(std::all_of(clock_.slept.begin(), clock_.slept.end(),
                          [](milliseconds one) { return one <= milliseconds(1000); }));
  EXPECT_NE(clock_.slept[5], clock_.slept[6]);
}

TEST_F(S3Failures, WaitsAsLongAsItIsAskedTo) {
  server_.objects[key(id_)] = bytes_;
  auto busy = FakeS3::error(429, "SlowDown");
  busy.headers["retry-after"] = "7";
  answer("GET", 1, busy);
  EXPECT_TRUE(store_->get(id_, 5000).ok());
  ASSERT_EQ(clock_.slept.size(), 1U);
  EXPECT_GE(clock_.slept[0], milliseconds(7000));
  EXPECT_LE(clock_.slept[0], milliseconds(7200));

  busy.headers["retry-after"] = "61";
  answer("GET", 1, busy);
  const auto got = store_->get(id_, 5000);
  EXPECT_EQ(got.error().message,
            "fetching blob " + id_.hex() + ": status 429 SlowDown, to be tried again after 61 s");
  EXPECT_EQ(clock_.slept.size(), 1U);

  busy.headers["retry-after"] = "soon";
  answer("GET", 1, busy);
  EXPECT_TRUE(store_->get(id_, 5000).ok());
  EXPECT_LE(clock_.slept[1], milliseconds(200));
}

TEST_F(S3Failures, SlowAnswersAreTriedAgain) {
  net::HttpClient::Options options;
  options.timeout = milliseconds(3'000);  // a slow machine's second answer takes less
  net::HttpClient impatient(options);
  open(settings(), impatient);
  server_.objects[key(id_)] = bytes_;
  server_.hook = [&](const auto&) -> std::optional<net::HttpResponse> {
    if (server_.asked.size() <= 1) {
      std::this_thread::sleep_for(options.timeout + milliseconds(500));
    }
    return {};
  };
  const auto got = store_->get(id_, 5000);
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(*got, bytes_);
  EXPECT_EQ(clock_.slept.size(), 1U);
}

TEST_F(S3Failures, NobodyThere) {
  auto changed = settings();
  changed.endpoint = "http://127.0.0.1:1";
  open(std::move(changed));
  EXPECT_EQ(store_->get(id_, 5000).error().code, Errc::unavailable);
  EXPECT_EQ(store_->put(id_, bytes_).error().code, Errc::unavailable);
  EXPECT_EQ(clock_.slept.size(), 4U);
}

TEST_F(S3Failures, TruncatedBodiesAreTriedAgain) {
  int connections = 0;
  net::testing::RawServer server([&](net::testing::RawSocket& peer, int) {
    ++connections;
    peer.read_until("\r\n\r\n");
    peer.send(
        "HTTP/1.1 206 Partial Content\r\ncontent-length: 5000\r\n"
        "content-range: bytes 0-4999/5000\r\n\r\nonly this");
  });
  auto changed = settings();
  changed.endpoint = "http://127.0.0.1:" + std::to_string(server.port());
  open(std::move(changed));
  EXPECT_EQ(store_->get(id_, 5000).error().code, Errc::unavailable);
  EXPECT_EQ(connections, 3);
}

TEST_F(S3Failures, WhatComesIsBelievedByDigestOnly) {
  server_.objects[key(id_)] = pattern(5000, 9);
  server_.alter = [&](net::HttpResponse& response) {
    response.headers["etag"] = "\"" + crypto::md5(bytes_).hex() + "\"";
  };
  EXPECT_EQ(store_->get(id_, 5000).error().code, Errc::mismatch);
  server_.objects[key(id_)] = {};
  EXPECT_EQ(store_->get(id_, 5000).error().code, Errc::mismatch);
}

TEST_F(S3Failures, HostileRanges) {
  server_.objects[key(id_)] = bytes_;
  for (const char* range :
       {"bytes 0-4998/5000", "bytes 1-5000/5001", "bytes 0-4999/4999", "bytes 0-4999/*",
        "bytes 0-4999/99999999999999999999999", "", "x", "bytes 0-4999/6000x"}) {
    server_.alter = [&](net::HttpResponse& response) { response.headers["content-range"] = range; };
    EXPECT_EQ(store_->get(id_, 5000).error().code, Errc::unavailable) << range;
  }
  // More than was asked for in all.
  server_.alter = [&](net::HttpResponse& response) {
    response.headers["content-range"] = "bytes 0-4999/18446744073709551615";
  };
  EXPECT_EQ(store_->get(id_, 5000).error().code, Errc::too_large);
}

TEST_F(S3Failures, ASizeThatChangesInBetween) {
  server_.objects[key(large_id_)] = large_;
  server_.hook = [&](const auto&) -> std::optional<net::HttpResponse> {
    if (server_.asked.size() == 2) server_.objects[key(large_id_)].push_back(0);
    return {};
  };
  EXPECT_EQ(store_->get(large_id_, large_.size()).error().code, Errc::mismatch);
}

TEST_F(S3Failures, HostileXml) {
  for (
      const std::string& body :
      {std::string("<InitiateMultipartUploadResult/>"), std::string("<Error>"),
       "<InitiateMultipartUploadResult><UploadId>a\x01</UploadId></InitiateMultipartUploadResult>" +
           std::string(),
       std::string("<!DOCTYPE a [<!ENTITY b \"&b;&b;\">]><a>&b;</a>"), std::string(300'000, '<')}) {
    answer("POST", 100, net::text_response(200, "application/xml", body));
    const Status done = store_->put(large_id_, large_);
    ASSERT_FALSE(done.ok());
    EXPECT_TRUE(done.error().code == Errc::malformed || done.error().code == Errc::too_large);
    EXPECT_EQ(count("PUT"), 0U);
  }
}

TEST_F(S3Failures, ErrorsHaveCodes) {
  const auto code_of = [&](unsigned status, const std::string& code) {
    answer("GET", 1, FakeS3::error(status, code));
    return store_->get(id_, 5000).error().code;
  };
  EXPECT_EQ(code_of(404, "NoSuchKey"), Errc::not_found);
  EXPECT_EQ(code_of(404, "NoSuchBucket"), Errc::usage);
  EXPECT_EQ(code_of(404, "Other"), Errc::unavailable);
  EXPECT_EQ(code_of(301, "PermanentRedirect"), Errc::usage);
  EXPECT_EQ(code_of(403, "SignatureDoesNotMatch"), Errc::unauthorised);
  EXPECT_EQ(code_of(400, "ExpiredToken"), Errc::unauthorised);
  EXPECT_EQ(code_of(400, "EntityTooLarge"), Errc::too_large);
  EXPECT_EQ(code_of(507, "Full"), Errc::io);
  EXPECT_EQ(code_of(400, "Other"), Errc::unavailable);
}

TEST_F(S3Failures, AProxysPageIsntTheBucketsWord) {
  server_.objects[key(id_)] = bytes_;
  const auto page = net::text_response(404, "text/html", "<html><Code>NoSuchKey</Code></html>");
  answer("GET", 1, page);
  const Error read = store_->get(id_, 5000).error();
  EXPECT_EQ(read.code, Errc::unavailable);
  EXPECT_EQ(read.message, "fetching blob " + id_.hex() +
                              ": status 404 without an S3 server's words, perhaps of a proxy: "
                              "look at what is before the bucket");
  answer("DELETE", 1, page);
  EXPECT_EQ(store_->remove(id_).error().code, Errc::unavailable);
  EXPECT_TRUE(server_.objects.contains(key(id_)));
  answer("DELETE", 1, FakeS3::error(404, "NoSuchKey"));
  EXPECT_TRUE(store_->remove(id_).ok());
  // An answer to HEAD has no words: what is there may be put once more.
  answer("HEAD", 2, page);
  EXPECT_EQ(store_->size(id_).error().code, Errc::not_found);
  EXPECT_TRUE(store_->put(id_, bytes_).ok());
}

TEST_F(S3Failures, WhatAServerRepeatsStaysOutOfErrors) {
  const std::string token(200, 'T');
  auto changed = settings();
  changed.credentials.session_token = SecretBytes(as_bytes(token));
  open(std::move(changed));
  server_.hook = [&](const net::HttpRequest& request) {
    const std::string echo = request.headers.at("x-amz-security-token") +
                             request.headers.at("authorization") + "\x1b[31m";
    auto answer = FakeS3::error(403, echo);
    const std::string body = "<Error><Code>Denied</Code><Message>" + token + "</Message></Error>";
    if (request.method == "GET") answer.body = to_bytes(as_bytes(body));
    return std::optional(answer);
  };
  const Status put = store_->put(id_, bytes_);
  EXPECT_EQ(put.error().message, "storing blob " + id_.hex() + ": status 403");
  const auto got = store_->get(id_, 5000);
  EXPECT_EQ(got.error().message, "fetching blob " + id_.hex() + ": status 403 Denied");
}

TEST_F(S3Failures, ABucketThatIsGoneIsTold) {
  EXPECT_TRUE(store_->check_bucket().ok());
  EXPECT_EQ(server_.asked, std::vector<std::string>{"HEAD /bucket"});
  // Whoever may store and not list is refused where all is well.
  answer("", 2, FakeS3::error(403, "AccessDenied"));
  EXPECT_TRUE(store_->check_bucket().ok());
  answer("", 2, FakeS3::error(403, "InvalidAccessKeyId"));
  EXPECT_EQ(store_->check_bucket().error().code, Errc::unauthorised);
  server_.asked.clear();
  answer("", 100, FakeS3::error(503, "SlowDown"));
  EXPECT_EQ(store_->check_bucket().error().code, Errc::unavailable);
  EXPECT_EQ(server_.asked.size(), 2U);  // whoever asks wants to know now
  EXPECT_TRUE(clock_.slept.empty());
  auto elsewhere = settings();
  elsewhere.bucket = "nowhere";
  open(std::move(elsewhere));
  server_.hook = {};
  const Status gone = store_->check_bucket();
  EXPECT_EQ(gone.error().code, Errc::usage);
  EXPECT_EQ(gone.error().message, "looking for the bucket: status 404 NoSuchBucket");
}

TEST_F(S3Failures, AWrongSecretIsRefused) {
  auto changed = settings();
  changed.credentials = FakeS3::credentials("other");
  open(std::move(changed));
  EXPECT_EQ(store_->get(id_, 5000).error().code, Errc::unauthorised);
  EXPECT_EQ(store_->put(id_, bytes_).error().code, Errc::unauthorised);
  EXPECT_TRUE(server_.objects.empty());
}

}  // namespace
}  // namespace sp::store
