#include "store/remote/store_service.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/json.hpp"
#include "crypto/random.hpp"
#include "crypto/testing/fixed_keys.hpp"
#include "store/remote/byte_range.hpp"
#include "store/remote/http_store.hpp"
#include "store/remote/testing/set_clock.hpp"
#include "store/testing/test_support.hpp"

namespace sp::store {
namespace {

using crypto::testing::eth_key;
using testing::CountingRandom;
using testing::pattern;
using testing::TemporaryFolder;

constexpr std::int64_t kNow = 1'800'000'000;

class FixedClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t unix_seconds() const override { return kNow; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return {}; }
  void sleep_for(std::chrono::nanoseconds) const override {}
};

TEST(ByteRange, OneRangeOrNone) {
  const auto is = [](std::string_view field, std::uint64_t first, std::uint64_t size) {
    const auto range = parse_byte_range(field, 100);
    return range && range->first == first && range->size == size;
  };
  EXPECT_TRUE(is("bytes=0-0", 0, 1));
  EXPECT_TRUE(is("bytes=10-19", 10, 10));
  EXPECT_TRUE(is("bytes=10-", 10, 90));
  EXPECT_TRUE(is("bytes=90-1000", 90, 10));
  EXPECT_TRUE(is("bytes=-7", 93, 7));
  EXPECT_TRUE(is("bytes=-1000", 0, 100));
  EXPECT_TRUE(is("bytes=99-18446744073709551615", 99, 1));
  for (const char* outside : {"bytes=100-", "bytes=100-100", "bytes=-0"}) {
    EXPECT_EQ(parse_byte_range(outside, 100)->size, 0U) << outside;
  }
  for (const char* ignored :
       {"", "bytes", "bytes=", "bytes=-", "bytes=5", "bytes=9-8", "bytes=0-1,4-5", "bytes=a-b",
        "bytes=+1-2", "bytes= 1-2", "bytes=1-2 ", "lines=0-1", "Bytes=0-1", "bytes=0x1-2",
        "bytes=0-99999999999999999999999", "bytes=--1"}) {
    EXPECT_FALSE(parse_byte_range(ignored, 100)) << ignored;
  }
  EXPECT_EQ(parse_byte_range("bytes=0-0", 0)->size, 0U);
}

class HttpStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { serve({.anonymous_writes = true}); }

  void serve(const StoreService::Options& options) {
    server_.reset();
    service_ = std::make_unique<StoreService>(blobs_, key_, clock_, nullptr, nullptr, options);
    net::HttpServer::Options listening;
    listening.body_max = kBlobSizeMax + 1;
    server_ = *net::HttpServer::start(
        listening, [this](const net::HttpRequest& request) { return service_->handle(request); });
    url_ = "http://127.0.0.1:" + std::to_string(server_->port());
    store_ = std::make_unique<HttpStore>(client_, url_ + "/");
  }

  net::HttpResponse call(const std::string& method, const std::string& path, ByteView body = {},
                         const net::Headers& headers = {}) {
    auto response = client_.call(method, url_ + path, body, headers);
    SP_CHECK(response.ok());
    return *std::move(response);
  }
  static std::string code_of(const net::HttpResponse& response) {
    const auto json = parse_json(as_text(response.body), 4096);
    return json ? json->at("error").get<std::string>() : "not JSON";
  }

  TemporaryFolder folder_;
  PosixFiles files_;
  DirectoryStore blobs_{files_, folder_.path()};
  crypto::EthKey key_ = eth_key(5);
  FixedClock clock_;
  net::HttpClient client_;
  std::unique_ptr<StoreService> service_;
  std::unique_ptr<net::HttpServer> server_;
  std::string url_;
  std::unique_ptr<HttpStore> store_;
  Bytes bytes_ = pattern(5000);
  BlobId id_ = blob_id(bytes_);
};

TEST_F(HttpStoreTest, KeepsAndGives) {
  EXPECT_EQ(store_->get(id_, 5000).error().code, Errc::not_found);
  EXPECT_EQ(store_->size(id_).error().code, Errc::not_found);
  ASSERT_TRUE(store_->put(id_, bytes_).ok());
  ASSERT_TRUE(store_->put(id_, bytes_).ok());
  EXPECT_EQ(*store_->get(id_, 5000), bytes_);
  EXPECT_EQ(*store_->size(id_), 5000U);
  EXPECT_EQ(store_->get(id_, 4999).error().code, Errc::too_large);
  EXPECT_EQ(store_->put(id_, pattern(5000, 2)).error().code, Errc::mismatch);
  ASSERT_TRUE(store_->put(blob_id({}), {}).ok());
  EXPECT_TRUE(store_->get(blob_id({}), 0)->empty());
  EXPECT_EQ(*store_->size(blob_id({})), 0U);
}

TEST_F(HttpStoreTest, StatusesOfThePaths) {
  const std::string blob = "/v1/blobs/" + id_.hex();
  EXPECT_EQ(call("GET", blob).status, 404U);
  EXPECT_EQ(call("HEAD", blob).status, 404U);
  EXPECT_EQ(call("PUT", blob, bytes_).status, 201U);
  EXPECT_EQ(call("PUT", blob, bytes_).status, 200U);
  const auto differs = call("PUT", "/v1/blobs/" + blob_id({}).hex(), bytes_);
  EXPECT_EQ(differs.status, 409U);
  EXPECT_EQ(code_of(differs), "mismatch");
  EXPECT_EQ(call("GET", blob).body, bytes_);
  EXPECT_EQ(call("HEAD", blob).headers.at("content-length"), "5000");
  EXPECT_EQ(call("POST", blob).status, 405U);
  EXPECT_EQ(call("DELETE", blob).status, 401U);
  EXPECT_EQ(call("GET", "/health").body, to_bytes(as_bytes("ok\n")));
  EXPECT_EQ(call("PUT", "/health", bytes_).status, 405U);
  EXPECT_EQ(call("GET", "/v1/receipts").status, 405U);
  EXPECT_EQ(call("GET", "/").status, 404U);
  EXPECT_EQ(code_of(call("GET", "/v2/blobs/" + id_.hex())), "not_found");
  EXPECT_EQ(*store_->identity(), key_.address());
}

TEST_F(HttpStoreTest, NamesAreStrict) {
  ASSERT_TRUE(store_->put(id_, bytes_).ok());
  std::string upper = id_.hex();
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  for (const std::string& name :
       {upper, std::string("0x") + id_.hex(), id_.hex().substr(1), id_.hex() + "0", std::string(),
        id_.hex() + "/", std::string(63, '0') + "g", std::string("..%2f..%2fetc%2fpasswd")}) {
    const auto response = call("GET", "/v1/blobs/" + name);
    EXPECT_EQ(response.status, 400U) << name;
  }
}

TEST_F(HttpStoreTest, Ranges) {
  ASSERT_TRUE(store_->put(id_, bytes_).ok());
  const std::string blob = "/v1/blobs/" + id_.hex();
  const auto part = call("GET", blob, {}, {{"range", "bytes=100-199"}});
  EXPECT_EQ(part.status, 206U);
  EXPECT_EQ(part.headers.at("content-range"), "bytes 100-199/5000");
  EXPECT_EQ(part.body, Bytes(bytes_.begin() + 100, bytes_.begin() + 200));
  EXPECT_EQ(call("GET", blob, {}, {{"range", "bytes=-1"}}).body, Bytes(1, bytes_.back()));
  const auto outside = call("GET", blob, {}, {{"range", "bytes=5000-"}});
  EXPECT_EQ(outside.status, 416U);
  EXPECT_EQ(outside.headers.at("content-range"), "bytes */5000");
  const auto several = call("GET", blob, {}, {{"range", "bytes=0-1,3-4"}});
  EXPECT_EQ(several.status, 200U);
  EXPECT_EQ(several.body, bytes_);
}

TEST_F(HttpStoreTest, FullStore) {
  ASSERT_TRUE(store_->put(id_, bytes_).ok());
  serve({.bytes_max = 10'000, .anonymous_writes = true});
  const Bytes fits = pattern(4000, 2);
  const Bytes over = pattern(1001, 3);
  ASSERT_TRUE(store_->put(blob_id(fits), fits).ok());
  EXPECT_EQ(call("PUT", "/v1/blobs/" + blob_id(over).hex(), over).status, 507U);
  EXPECT_EQ(store_->put(blob_id(over), over).error().code, Errc::io);
  EXPECT_TRUE(store_->put(id_, bytes_).ok());  // is there already
  // A refused put gives its room back.
  EXPECT_EQ(store_->put(BlobId{}, pattern(1000, 4)).error().code, Errc::mismatch);
  const Bytes last = pattern(1000, 5);
  EXPECT_TRUE(store_->put(blob_id(last), last).ok());
}

TEST_F(HttpStoreTest, TooLarge) {
  const Bytes large(kBlobSizeMax + 1);
  EXPECT_EQ(store_->put(blob_id(large), large).error().code, Errc::too_large);
  EXPECT_EQ(call("PUT", "/v1/blobs/" + blob_id(large).hex(), large).status, 413U);
}

TEST_F(HttpStoreTest, PackagesAndReceipts) {
  const Bytes content = pattern(3 * kChunkSize + 5);
  MemorySource source(content);
  CountingRandom random;
  SealOptions options;
  options.threads = 4;
  const SealedPackage sealed = *seal_package(source, Secret32{}, *store_, random, options);
  const Package package = *Package::fetch(*store_, sealed.id);
  MemorySink sink(content.size());
  ASSERT_TRUE(package.open(Secret32{}, sink, 4).ok());
  EXPECT_EQ(sink.bytes(), content);

  const StorageReceipt receipt = *store_->request_receipt(sealed.id, kNow + 1000);
  EXPECT_TRUE(receipt.verify(*store_->identity()).ok());
  EXPECT_EQ(receipt.size, sealed.sealed_size);
  const std::int64_t longest = StoreService::Options{}.keep_seconds_max;
  EXPECT_TRUE(store_->request_receipt(sealed.id, kNow + longest).ok());
  EXPECT_EQ(store_->request_receipt(sealed.id, kNow + longest + 1).error().code, Errc::refused);
  EXPECT_EQ(store_->request_receipt(sealed.id, kNow).error().code, Errc::refused);
  EXPECT_EQ(store_->request_receipt(id_, kNow + 1000).error().code, Errc::not_found);

  const BlobId chunk = package.manifest().chunks[2];
  std::filesystem::remove(folder_.path() / chunk.hex().substr(0, 2) / chunk.hex());
  const auto missing = store_->request_receipt(sealed.id, kNow + 1000);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_NE(missing.error().message.find(chunk.hex()), std::string::npos);
}

TEST_F(HttpStoreTest, ReceiptRequestsThatAreNone) {
  const std::string package = id_.hex();
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("{}"), "{\"package\":\"" + package + "\"}",
        "{\"package\":\"" + package + "\",\"until\":-1}",
        "{\"package\":\"" + package + "\",\"until\":1.5}",
        "{\"package\":\"" + package + "\",\"until\":9223372036854775808}",
        "{\"package\":\"" + package + "\",\"until\":1,\"x\":1}",
        std::string("{\"package\":\"00\",\"until\":1800000001}")}) {
    EXPECT_EQ(call("POST", "/v1/receipts", as_bytes(body)).status, 400U) << body;
  }
  EXPECT_EQ(call("POST", "/v1/receipts", Bytes(kReceiptRequestMax + 1, ' ')).status, 413U);
}

TEST_F(HttpStoreTest, DamagedOnDisk) {
  ASSERT_TRUE(store_->put(id_, bytes_).ok());
  Bytes damaged = bytes_;
  damaged[0] ^= 1;
  const Path file = folder_.path() / id_.hex().substr(0, 2) / id_.hex();
  ASSERT_TRUE(files_.write_atomic(file, damaged, FileMode::owner_only).ok());
  EXPECT_EQ(store_->get(id_, 5000).error().code, Errc::mismatch);
  EXPECT_EQ(*store_->get_unverified(id_, 5000), damaged);
  ASSERT_TRUE(store_->put(id_, bytes_).ok());
  EXPECT_EQ(*store_->get(id_, 5000), bytes_) << "whoever has it mends it";
}

/// Gives a blob of any size piece by piece, and breaks off behind each.
class Breaking final : public net::HttpCaller {
 public:
  explicit Breaking(std::size_t piece) : piece_(piece) {}
  Result<net::HttpResponse> download(const std::string&, const net::Headers& headers,
                                     net::BodyReceiver& receiver) override {
    ++calls;
    const auto field = headers.find("range");
    const std::uint64_t at = field == headers.end() ? 0 : std::stoull(field->second.substr(6));
    net::HttpResponse head;
    head.status = at == 0 ? 200 : 206;
    head.headers["content-range"] = content_range({at, kWhole - 1, kWhole});
    SP_TRY(receiver.begin(head));
    const Bytes bytes(std::min<std::uint64_t>(piece_, kWhole - at));
    SP_TRY(receiver.take(bytes));
    if (at + bytes.size() == kWhole) return head;
    return Error{Errc::unavailable, "broke off"};
  }

  static constexpr std::uint64_t kWhole = 1 << 20;
  unsigned calls = 0;

 private:
  Result<net::HttpResponse> carry(const std::string&, const std::string&, ByteView,
                                  const net::Headers&) override {
    return Error{Errc::unavailable, "not asked for"};
  }
  const std::size_t piece_;
};

// So that whoever gives a byte at a time doesn't keep others from being asked.
TEST(HttpStorePatience, ALittleIsNoProgress) {
  testing::SetClock clock;
  crypto::SystemRandom random;
  const auto fetch = [&](Breaking& caller) {
    const Backoff backoff{3, std::chrono::milliseconds(1), std::chrono::milliseconds(1)};
    HttpStore store(caller, "http://store", {nullptr, std::nullopt, &clock, &random, backoff});
    MemorySink sink(Breaking::kWhole);
    const Status done = store.stream_unverified(BlobId{}, 0, Breaking::kWhole, sink);
    return done ? sink.bytes().size() : 0;
  };
  Breaking bytes(1);
  EXPECT_EQ(fetch(bytes), 0U);
  EXPECT_EQ(bytes.calls, 3U);
  Breaking pieces(30'000);  // three of which are progress
  EXPECT_EQ(fetch(pieces), Breaking::kWhole);
  EXPECT_EQ(pieces.calls, 35U);
}

/// A store that answers anything to anything.
class LyingStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = *net::HttpServer::start({}, [this](const net::HttpRequest&) { return answer_; });
    store_ =
        std::make_unique<HttpStore>(client_, "http://127.0.0.1:" + std::to_string(server_->port()));
  }
  void answers(unsigned status, std::string_view body) {
    answer_ = net::text_response(status, "application/json", body);
  }

  net::HttpResponse answer_;
  net::HttpClient client_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<HttpStore> store_;
  BlobId id_ = blob_id(as_bytes("x"));
};

TEST_F(LyingStoreTest, IsNotBelieved) {
  answers(200, "y");
  EXPECT_EQ(store_->get(id_, 10).error().code, Errc::mismatch);
  EXPECT_EQ(store_->request_receipt(id_, kNow).error().code, Errc::malformed);
  EXPECT_EQ(store_->identity().error().code, Errc::malformed);
  answers(200, "{\"address\":\"0x12\"}");
  EXPECT_EQ(store_->identity().error().code, Errc::malformed);
  StorageReceipt other;
  other.package = blob_id(as_bytes("y"));
  other.until = kNow;
  answers(200, as_text(other.encode()));
  EXPECT_EQ(store_->request_receipt(id_, kNow).error().code, Errc::mismatch);
  answers(204, "");
  EXPECT_EQ(store_->put(id_, as_bytes("x")).error().code, Errc::unavailable);
  EXPECT_EQ(store_->get(id_, 10).error().code, Errc::unavailable);
  answers(302, "");
  EXPECT_EQ(store_->get(id_, 10).error().code, Errc::unavailable);
}

TEST_F(LyingStoreTest, ItsWordsAreCutAndCleaned) {
  answers(503, "{\"error\":\"x\",\"message\":\"a\\u001b[2J" + std::string(2000, 'b') + "\"}");
  const auto error = store_->get(id_, 10).error();
  EXPECT_EQ(error.code, Errc::unavailable);
  EXPECT_LT(error.message.size(), 500U);
  EXPECT_NE(error.message.find("a?[2Jbb"), std::string::npos);
}

TEST_F(LyingStoreTest, Gone) {
  server_.reset();
  EXPECT_EQ(store_->get(id_, 10).error().code, Errc::unavailable);
  EXPECT_EQ(store_->put(id_, as_bytes("x")).error().code, Errc::unavailable);
}

TEST_F(HttpStoreTest, ManyAtOnce) {
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (unsigned i = 0; i < 20; ++i) {
        const Bytes bytes = pattern(1000 + i, t % 2 * 100 + i);
        EXPECT_TRUE(store_->put(blob_id(bytes), bytes).ok());
        EXPECT_EQ(*store_->get(blob_id(bytes), 2000), bytes);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace sp::store
