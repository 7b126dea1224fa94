#include "store/remote/s3_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "net/testing/tls_files.hpp"
#include "store/remote/testing/s3_fixture.hpp"

namespace sp::store {
namespace {

using std::chrono::milliseconds;
using testing::CountingRandom;
using testing::FakeS3;
using testing::kPart;
using testing::pattern;

class S3StoreTest : public testing::S3Fixture {};

TEST_F(S3StoreTest, KeepsAndGives) {
  EXPECT_EQ(store_->get(id_, 5000).error().code, Errc::not_found);
  EXPECT_EQ(store_->size(id_).error().code, Errc::not_found);
  ASSERT_TRUE(store_->put(id_, bytes_).ok());
  EXPECT_EQ(server_.objects.at(key(id_)), bytes_);
  EXPECT_EQ(*store_->get(id_, 5000), bytes_);
  EXPECT_EQ(*store_->size(id_), 5000U);
  EXPECT_EQ(store_->get(id_, 4999).error().code, Errc::too_large);
  EXPECT_EQ(store_->put(id_, pattern(5000, 2)).error().code, Errc::mismatch);
  EXPECT_EQ(store_->put(id_, Bytes(kBlobSizeMax + 1)).error().code, Errc::too_large);
}

TEST_F(S3StoreTest, Deletes) {
  ASSERT_TRUE(store_->put(id_, bytes_).ok());
  answer("DELETE", 1, FakeS3::error(403, "AccessDenied"));
  EXPECT_EQ(store_->remove(id_).error().code, Errc::unauthorised);
  EXPECT_TRUE(server_.objects.contains(key(id_)));
  ASSERT_TRUE(store_->remove(id_).ok());
  EXPECT_FALSE(server_.objects.contains(key(id_)));
  EXPECT_TRUE(store_->remove(id_).ok());
}

TEST_F(S3StoreTest, KeepsTheEmptyBlob) {
  ASSERT_TRUE(store_->put(blob_id({}), {}).ok());
  EXPECT_TRUE(store_->get(blob_id({}), 0)->empty());
  EXPECT_EQ(*store_->size(blob_id({})), 0U);
  EXPECT_TRUE(store_->get_range_unverified(blob_id({}), 0, 0)->empty());
}

TEST_F(S3StoreTest, SendsNothingThatIsThere) {
  server_.objects[key(id_)] = bytes_;
  ASSERT_TRUE(store_->put(id_, bytes_).ok());
  EXPECT_EQ(server_.asked, std::vector<std::string>{"HEAD /bucket/" + key(id_)});
  server_.objects[key(id_)] = Bytes(3);
  ASSERT_TRUE(store_->put(id_, bytes_).ok());
  EXPECT_EQ(server_.objects.at(key(id_)), bytes_);
}

TEST_F(S3StoreTest, StoresWhereItMayNotLook) {
  answer("HEAD", 1, FakeS3::error(403, "AccessDenied"));
  ASSERT_TRUE(store_->put(id_, bytes_).ok());
  EXPECT_EQ(server_.objects.at(key(id_)), bytes_);
}

TEST_F(S3StoreTest, Ranges) {
  server_.objects[key(id_)] = bytes_;
  const auto is = [&](std::size_t from, std::size_t size) {
    const auto got = store_->get_range_unverified(id_, from, size);
    return got && std::equal(got->begin(), got->end(), bytes_.begin() + std::ptrdiff_t(from)) &&
           got->size() == size;
  };
  EXPECT_TRUE(is(0, 5000));
  EXPECT_TRUE(is(10, 1));
  EXPECT_TRUE(is(4999, 1));
  EXPECT_TRUE(is(5000, 0));
  for (const auto& [from, size] :
       {std::pair<std::uint64_t, std::size_t>{0, 5001}, {5000, 1}, {5001, 0}, {UINT64_MAX, 2}}) {
    EXPECT_EQ(store_->get_range_unverified(id_, from, size).error().code, Errc::malformed);
  }
}

TEST_F(S3StoreTest, GoesOnAtAByte) {
  server_.objects[key(large_id_)] = large_;
  std::size_t sent = 0;
  server_.alter = [&](net::HttpResponse& response) { sent += response.body.size(); };
  const auto rest = [&](std::size_t from, std::size_t size_max) -> Result<Bytes> {
    MemorySink sink(size_max);
    sent = 0;
    SP_TRY(store_->stream_unverified(large_id_, from, size_max, sink));
    return std::move(sink.bytes());
  };
  const std::size_t whole = large_.size();
  for (const std::size_t from : {std::size_t{0}, std::size_t{1}, kPart, 2 * kPart + 76, whole}) {
    const auto got = rest(from, whole);
    ASSERT_TRUE(got.ok()) << from;
    EXPECT_EQ(*got, Bytes(large_.begin() + std::ptrdiff_t(from), large_.end()));
    EXPECT_LE(sent, whole - from + (from == whole ? 1000 : 0)) << "the error's own body";
  }
  EXPECT_EQ(rest(whole + 1, whole + 2).error().code, Errc::mismatch);
  EXPECT_EQ(rest(5, whole - 1).error().code, Errc::too_large);
  EXPECT_EQ(rest(whole - 1, whole - 1).error().code, Errc::too_large);
}

TEST_F(S3StoreTest, EveryPieceIsHandedOnBeforeTheNext) {
  class Seen final : public ByteSink {
   public:
    Status write(ByteView bytes) override {
      sizes.push_back(bytes.size());
      return sizes.size() < stop_after ? Status{} : Error{Errc::io, "full"};
    }
    std::vector<std::size_t> sizes;
    std::size_t stop_after = SIZE_MAX;
  };
  server_.objects[key(large_id_)] = large_;
  Seen all;
  ASSERT_TRUE(store_->stream_unverified(large_id_, 10, large_.size(), all).ok());
  EXPECT_EQ(all.sizes, (std::vector<std::size_t>{kPart, kPart, 67}));
  Seen full;
  full.stop_after = 2;
  server_.asked.clear();
  EXPECT_EQ(store_->stream_unverified(large_id_, 0, large_.size(), full).error().code, Errc::io);
  EXPECT_EQ(server_.asked.size(), 2U);
  // What came before an error stays with the reader.
  Seen cut;
  server_.hook = [&](const auto&) {
    return server_.asked.size() < 4 ? std::nullopt : std::optional(FakeS3::error(403, "Denied"));
  };
  EXPECT_EQ(store_->stream_unverified(large_id_, 0, large_.size(), cut).error().code,
            Errc::unauthorised);
  EXPECT_EQ(cut.sizes, std::vector<std::size_t>{kPart});
}

TEST_F(S3StoreTest, LargeBlobsGoInParts) {
  ASSERT_TRUE(store_->put(large_id_, large_).ok());
  EXPECT_EQ(server_.objects.at(key(large_id_)), large_);
  EXPECT_TRUE(server_.uploads.empty());
  EXPECT_EQ(count("PUT /bucket/" + key(large_id_) + "?partNumber&uploadId"), 3U);
  EXPECT_EQ(*store_->get(large_id_, large_.size()), large_);
  EXPECT_EQ(count("GET /bucket/" + key(large_id_)), 3U);
}

TEST_F(S3StoreTest, ACutUploadGoesOn) {
  server_.uploads["cut"] = {{1, Bytes(large_.begin(), large_.begin() + kPart)},
                            {2, Bytes(kPart)}};  // of the right size, and not the bytes
  server_.upload_keys["cut"] = key(large_id_);
  server_.uploads["another"];
  server_.upload_keys["another"] = key(large_id_) + "x";
  ASSERT_TRUE(store_->put(large_id_, large_).ok());
  EXPECT_EQ(server_.objects.at(key(large_id_)), large_);
  EXPECT_EQ(count("POST /bucket/" + key(large_id_) + "?uploads"), 0U);
  EXPECT_EQ(count("PUT"), 2U);
}

TEST_F(S3StoreTest, StartsOverWhereNothingIsListed) {
  for (const auto& listing :
       {FakeS3::error(501, "NotImplemented"), FakeS3::error(403, "AccessDenied"),
        net::text_response(200, "application/xml", "<<<"),
        net::text_response(200, "application/xml", "<ListMultipartUploadsResult><Upload/>")}) {
    server_.objects.clear();
    answer("GET /bucket?", 1, listing);
    ASSERT_TRUE(store_->put(large_id_, large_).ok());
    EXPECT_EQ(server_.objects.at(key(large_id_)), large_);
  }
}

TEST_F(S3StoreTest, AnUploadThatWentAwayStartsOver) {
  const std::string post = "POST /bucket/" + key(large_id_) + "?uploadId";
  answer(post, 1, FakeS3::error(404, "NoSuchUpload"));
  ASSERT_TRUE(store_->put(large_id_, large_).ok());
  EXPECT_EQ(server_.objects.at(key(large_id_)), large_);
  EXPECT_EQ(count("POST /bucket/" + key(large_id_) + "?uploads"), 2U);

  server_.objects.clear();
  answer(post, 2, FakeS3::error(404, "NoSuchUpload"));
  EXPECT_EQ(store_->put(large_id_, large_).error().code, Errc::unavailable);
}

TEST_F(S3StoreTest, AnotherMayHaveCompletedTheUpload) {
  server_.hook = [&](const net::HttpRequest& request) -> std::optional<net::HttpResponse> {
    if (request.method != "POST" || !request.query.contains("uploadId")) return {};
    server_.objects[key(large_id_)] = large_;
    return FakeS3::error(404, "NoSuchUpload");
  };
  ASSERT_TRUE(store_->put(large_id_, large_).ok());
  EXPECT_EQ(count("POST /bucket/" + key(large_id_) + "?uploads"), 1U);
}

TEST_F(S3StoreTest, AServerThatKnowsNoRanges) {
  server_.objects[key(large_id_)] = large_;
  server_.hook = [&](const net::HttpRequest& request) -> std::optional<net::HttpResponse> {
    if (request.method != "GET") return {};
    net::HttpResponse whole;
    whole.body = large_;
    return whole;
  };
  EXPECT_EQ(*store_->get(large_id_, large_.size()), large_);
  EXPECT_EQ(store_->get(large_id_, large_.size() - 1).error().code, Errc::too_large);
  const auto some = store_->get_range_unverified(large_id_, kPart, 3);
  EXPECT_TRUE(std::equal(some->begin(), some->end(), large_.begin() + kPart));
}

TEST_F(S3StoreTest, SessionTokensAreSentAndSigned) {
  auto changed = settings();
  changed.credentials.session_token = SecretBytes(as_bytes("token+/="));
  open(std::move(changed));
  std::string token;
  server_.hook = [&](const net::HttpRequest& request) -> std::optional<net::HttpResponse> {
    token = request.headers.at("x-amz-security-token");
    return {};
  };
  ASSERT_TRUE(store_->put(id_, bytes_).ok());
  EXPECT_EQ(token, "token+/=");
}

TEST_F(S3StoreTest, ManyThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (unsigned thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (unsigned i = 0; i < 16; ++i) {
        const Bytes bytes = pattern(10'000, thread % 2 * 100 + i);  // each by two threads
        const BlobId id = blob_id(bytes);
        const auto got = store_->put(id, bytes) ? store_->get(id, bytes.size()) : Bytes();
        if (got && *got == bytes) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 64);
  EXPECT_EQ(server_.objects.size(), 32U);
}

// A bucket named "127" before the host "0.0.1" is 127.0.0.1, so no name server is needed.
TEST_F(S3StoreTest, VirtualHostStyle) {
  auto changed = settings();
  changed.endpoint = "http://0.0.1:" + std::to_string(server_.port());
  changed.bucket = "127";
  changed.addressing = S3Settings::Addressing::virtual_host;
  server_.bucket_in_host = "127";
  open(std::move(changed));
  ASSERT_TRUE(store_->put(id_, bytes_).ok());
  EXPECT_EQ(server_.objects.at(key(id_)), bytes_);
  ASSERT_TRUE(store_->put(large_id_, large_).ok());
  EXPECT_EQ(*store_->get(large_id_, large_.size()), large_);
}

TEST_F(S3StoreTest, OverTls) {
  const net::testing::TlsFiles files;
  const auto own = files.server("s3", "DNS:localhost,IP:127.0.0.1");
  net::HttpServer::Options listening;
  listening.certificate_file = own.certificate;
  listening.key_file = own.key;
  FakeS3 server(listening);
  net::HttpClient::Options options;
  options.ca_file = files.ca_file();
  net::HttpClient client(options);
  auto changed = settings();
  changed.endpoint = "https://localhost:" + std::to_string(server.port()) + "/";
  open(std::move(changed), client);
  ASSERT_TRUE(store_->put(id_, bytes_).ok());
  EXPECT_EQ(*store_->get(id_, 5000), bytes_);

  auto again = settings();
  again.endpoint = "https://localhost:" + std::to_string(server.port());
  open(std::move(again), client_);  // knows nobody who vouches for it
  EXPECT_EQ(store_->get(id_, 5000).error().code, Errc::refused);
}

TEST(S3Urls, BothStyles) {
  net::HttpClient http;
  testing::SleepKeeper clock;
  CountingRandom random;
  const auto url = [&](std::string endpoint, S3Settings::Addressing addressing) {
    S3Settings settings;
    settings.endpoint = std::move(endpoint);
    settings.bucket = "my-bucket";
    settings.prefix = "a/";
    settings.credentials = FakeS3::credentials();
    settings.addressing = addressing;
    const auto client = *S3Client::make(http, clock, random, std::move(settings));
    return client->url({"GET", "k+", {{"uploadId", "a/b"}}, {}, {}, {}});
  };
  EXPECT_EQ(url("https://s3.amazonaws.com", S3Settings::Addressing::virtual_host),
            "https://my-bucket.s3.amazonaws.com/a/k%2B?uploadId=a%2Fb");
  EXPECT_EQ(url("https://s3.amazonaws.com:443/", S3Settings::Addressing::path),
            "https://s3.amazonaws.com/my-bucket/a/k%2B?uploadId=a%2Fb");
  EXPECT_EQ(url("http://[::1]:9000", S3Settings::Addressing::path),
            "http://[::1]:9000/my-bucket/a/k%2B?uploadId=a%2Fb");
}

TEST(S3SettingsTest, WhatCannotBe) {
  const auto wrong = [](const std::function<void(S3Settings&)>& change) {
    S3Settings settings;
    settings.endpoint = "https://s3.example.com";
    settings.bucket = "my.bucket";
    settings.credentials = FakeS3::credentials();
    SP_CHECK(settings.check().ok());
    change(settings);
    const Status checked = settings.check();
    return !checked && checked.error().code == Errc::usage;
  };
  for (const char* endpoint : {"", "s3.example.com", "ftp://a", "https://a/b", "https://u@a"}) {
    EXPECT_TRUE(wrong([&](auto& s) { s.endpoint = endpoint; })) << endpoint;
  }
  for (const char* bucket : {"", "ab", "Abc", "a_b", "-ab", "ab.", "a..b", "a/b", "127.0.0.1"}) {
    EXPECT_TRUE(wrong([&](auto& s) { s.bucket = bucket; })) << bucket;
  }
  for (const char* prefix : {"/a", "a//b", "./", "a/../b", "a b", "a?", "\xc3\xa9"}) {
    EXPECT_TRUE(wrong([&](auto& s) { s.prefix = prefix; })) << prefix;
  }
  EXPECT_TRUE(wrong([](auto& s) { s.region = "US"; }));
  EXPECT_TRUE(wrong([](auto& s) { s.region = ""; }));
  EXPECT_TRUE(wrong([](auto& s) { s.credentials.access_key = ""; }));
  EXPECT_TRUE(wrong([](auto& s) { s.credentials.access_key = "a/b"; }));
  EXPECT_TRUE(wrong([](auto& s) { s.credentials.secret_key = SecretBytes(); }));
  EXPECT_TRUE(wrong([](auto& s) { s.credentials.session_token = SecretBytes(as_bytes("a\nb")); }));
  EXPECT_TRUE(wrong([](auto& s) { s.attempts = 0; }));
  EXPECT_TRUE(wrong([](auto& s) { s.attempts = kS3AttemptsMax + 1; }));
  EXPECT_TRUE(wrong([](auto& s) { s.backoff_first = milliseconds(0); }));
  EXPECT_TRUE(wrong([](auto& s) { s.backoff_max = milliseconds(60'001); }));
  // No certificate has two stars.
  EXPECT_TRUE(wrong([](auto& s) { s.addressing = S3Settings::Addressing::virtual_host; }));
  EXPECT_TRUE(wrong([](auto& s) {
    s.endpoint = "http://127.0.0.1";
    s.addressing = S3Settings::Addressing::virtual_host;
  }));
}

}  // namespace
}  // namespace sp::store
