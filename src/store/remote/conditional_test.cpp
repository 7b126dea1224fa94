#include "store/remote/conditional.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "store/remote/byte_range.hpp"
#include "store/remote/http_store.hpp"
#include "store/remote/store_service.hpp"
#include "store/testing/test_support.hpp"

namespace sp::store {
namespace {

using testing::pattern;

TEST(EntityTags, Lists) {
  EXPECT_TRUE(*names_tag("*", "\"a\"", false));
  EXPECT_TRUE(*names_tag("\"a\"", "\"a\"", false));
  EXPECT_TRUE(*names_tag("\"b\" ,\t\"a\"", "\"a\"", false));
  EXPECT_FALSE(*names_tag("\"b\"", "\"a\"", false));
  EXPECT_FALSE(*names_tag("W/\"a\"", "\"a\"", false));
  EXPECT_TRUE(*names_tag("W/\"a\"", "\"a\"", true));
  for (const char* wrong : {"", "a", "\"a", "\"a\" \"b\"", "\"a\",", "w/\"a\"", "*, \"a\""}) {
    EXPECT_EQ(names_tag(wrong, "\"a\"", true).error().code, Errc::malformed) << wrong;
  }
  std::string many = "\"b\"";
  for (std::size_t i = 1; i < kEntityTagsMax; ++i) many += ",\"b\"";
  EXPECT_FALSE(*names_tag(many, "\"a\"", true));
  EXPECT_EQ(names_tag(many + ",\"a\"", "\"a\"", true).error().code, Errc::too_large);
}

TEST(ContentRange, HasOneSpelling) {
  EXPECT_EQ(parse_content_range("bytes 0-9/100"), (ContentRange{0, 9, 100}));
  for (const char* wrong : {"", "bytes", "bytes 0-9", "bytes */100", "bytes 0-9/*", "bytes 9-0/100",
                            "bytes 0-100/100", "bytes 00-9/100", "bytes 0-9/100 ", "bytes  0-9/100",
                            "bytes=0-9/100", "bytes 0-9/99999999999999999999999", "bytes -/-"}) {
    EXPECT_FALSE(parse_content_range(wrong)) << wrong;
  }
}

/// A store whose connections break off after so many bytes of a body.
class CuttingStoreTest : public ::testing::Test {
 protected:
  CuttingStoreTest() {
    EXPECT_TRUE(blobs_.put(id_, bytes_).ok());
    server_ = *net::HttpServer::start({}, [this](const net::HttpRequest& request) {
      asked_.push_back(request.headers.contains("range") ? request.headers.at("range") : "");
      auto response = service_.handle(request);
      if (hook_) hook_(response);
      return response;
    });
    url_ = "http://127.0.0.1:" + std::to_string(server_->port());
  }
  net::HttpResponse call(const std::string& method, const net::Headers& headers,
                         ByteView body = {}) {
    return *client_.call(method, url_ + "/v1/blobs/" + id_.hex(), body, headers);
  }

  testing::TemporaryFolder folder_;
  PosixFiles files_;
  DirectoryStore blobs_{files_, folder_.path()};
  crypto::EthKey key_ = *crypto::EthKey::from_secret(*Secret32::from(Bytes(32, 5)));
  SystemClock clock_;
  testing::CountingRandom random_;
  StoreService service_{blobs_, key_, clock_, nullptr, nullptr, {.anonymous_writes = true}};
  net::HttpClient client_;
  std::function<void(net::HttpResponse&)> hook_;
  std::vector<std::string> asked_;
  Bytes bytes_ = pattern(200'000);
  BlobId id_ = blob_id(bytes_);
  std::string tag_ = entity_tag(id_);
  std::unique_ptr<net::HttpServer> server_;
  std::string url_;
};

TEST_F(CuttingStoreTest, Conditions) {
  EXPECT_EQ(call("GET", {}).headers.at("etag"), tag_);
  for (const char* method : {"GET", "HEAD"}) {
    const auto same = call(method, {{"if-none-match", "\"x\", " + tag_}});
    EXPECT_EQ(same.status, 304U);
    EXPECT_TRUE(same.body.empty());
    EXPECT_EQ(same.headers.at("etag"), tag_);
    EXPECT_EQ(call(method, {{"if-none-match", "\"x\""}}).status, 200U);
    EXPECT_EQ(call(method, {{"if-match", "\"x\""}}).status, 412U);
    EXPECT_EQ(call(method, {{"if-match", tag_}}).status, 200U);
    EXPECT_EQ(call(method, {{"if-match", "W/" + tag_}}).status, 412U);
    EXPECT_EQ(call(method, {{"if-match", "x"}}).status, 400U);
  }
  EXPECT_EQ(call("GET", {{"range", "bytes=5-6"}, {"if-range", tag_}}).status, 206U);
  EXPECT_EQ(call("GET", {{"range", "bytes=5-6"}, {"if-range", "\"x\""}}).body, bytes_);
  EXPECT_EQ(call("GET", {{"range", "bytes=" + std::string(kRangeFieldMax, '0') + "-"}}).status,
            200U);
  EXPECT_EQ(call("PUT", {{"if-none-match", "*"}}, bytes_).status, 412U);
  EXPECT_EQ(call("PUT", {}, bytes_).status, 200U);
}

TEST_F(CuttingStoreTest, NothingThatIsThereIsSentAgain) {
  std::size_t puts = 0;
  hook_ = [&](const net::HttpResponse& response) { puts += response.status == 412 ? 1U : 0U; };
  HttpStore store(client_, url_);
  EXPECT_TRUE(store.put(id_, bytes_).ok());
  EXPECT_EQ(asked_.size(), 1U);  // HEAD
  const Bytes little = pattern(10);
  EXPECT_TRUE(store.put(blob_id(little), little).ok());
  EXPECT_TRUE(store.put(blob_id(little), little).ok());
  EXPECT_EQ(puts, 1U);
}

TEST_F(CuttingStoreTest, GoesOnAtAByte) {
  HttpStore store(client_, url_);
  MemorySink sink(bytes_.size());
  ASSERT_TRUE(store.stream_unverified(id_, 150'000, bytes_.size(), sink).ok());
  EXPECT_EQ(sink.bytes(), Bytes(bytes_.begin() + 150'000, bytes_.end()));
  EXPECT_EQ(asked_.back(), "bytes=150000-");
  MemorySink none(0);
  EXPECT_TRUE(store.stream_unverified(id_, bytes_.size(), bytes_.size(), none).ok());
  EXPECT_EQ(store.stream_unverified(id_, bytes_.size() + 1, 1 << 20, none).error().code,
            Errc::mismatch);
  EXPECT_EQ(store.stream_unverified(id_, 5, bytes_.size() - 1, none).error().code, Errc::too_large);
  // A server that knows no ranges: what was there already is passed over.
  hook_ = [&](net::HttpResponse& response) {
    response.status = 200;
    response.body = bytes_;
  };
  MemorySink rest(bytes_.size());
  ASSERT_TRUE(store.stream_unverified(id_, 199'000, bytes_.size(), rest).ok());
  EXPECT_EQ(rest.bytes(), Bytes(bytes_.begin() + 199'000, bytes_.end()));
  // One that gives another range than was asked for.
  hook_ = [&](net::HttpResponse& response) {
    response.headers["content-range"] = "bytes 0-10/200000";
  };
  EXPECT_EQ(store.stream_unverified(id_, 199'000, bytes_.size(), rest).error().code,
            Errc::unavailable);
}

TEST_F(CuttingStoreTest, HonoursRetryAfter) {
  class Counting final : public Clock {
   public:
    [[nodiscard]] std::int64_t unix_seconds() const override { return 0; }
    [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return {}; }
    void sleep_for(std::chrono::nanoseconds time) const override { slept.push_back(time); }
    mutable std::vector<std::chrono::nanoseconds> slept;
  };
  const Counting clock;
  HttpStore store(client_, url_, {nullptr, {}, &clock, &random_, {.attempts = 4}});
  int busy = 2;
  hook_ = [&](net::HttpResponse& response) {
    if (busy-- <= 0) return;
    response.status = busy == 1 ? 429 : 503;
    response.headers["retry-after"] = "7";
  };
  EXPECT_EQ(*store.get(id_, bytes_.size()), bytes_);
  ASSERT_EQ(clock.slept.size(), 2U);
  EXPECT_GE(clock.slept[0], std::chrono::seconds(7));
  EXPECT_LE(clock.slept[0], std::chrono::milliseconds(7200));
  busy = 100;
  const auto given_up = store.get(id_, bytes_.size());
  EXPECT_EQ(given_up.error().code, Errc::unavailable);
  EXPECT_NE(given_up.error().message.find("to be tried again after 7 s"), std::string::npos);
  EXPECT_EQ(clock.slept.size(), 5U);
}

}  // namespace
}  // namespace sp::store
