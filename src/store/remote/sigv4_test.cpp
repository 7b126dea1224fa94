#include "store/remote/sigv4.hpp"

#include <gtest/gtest.h>

#include <type_traits>

#include "base/world.hpp"
#include "crypto/hash.hpp"

namespace sp::store {
namespace {

static_assert(!std::is_copy_constructible_v<S3Credentials>);

std::string signature_of(const std::string& authorization) {
  return authorization.substr(authorization.find("Signature=") + 10);
}

// AWS documentation, S3 API reference, "Signature Calculations for the Authorization Header:
// Transferring Payload in a Single Chunk", its four examples.
class S3Examples : public ::testing::Test {
 protected:
  std::string sign(SigningRequest request) {
    request.headers["host"] = "examplebucket.s3.amazonaws.com";
    request.headers["x-amz-date"] = amz_date(scope_.unix_seconds);
    request.headers["x-amz-content-sha256"] = request.payload.hex();
    return sigv4_authorization(request, credentials_, scope_);
  }

  const S3Credentials credentials_{
      "AKIAIOSFODNN7EXAMPLE",
      SecretBytes(as_bytes("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")),
      {}};
  const SigningScope scope_{"us-east-1", "s3", *from_rfc3339("2013-05-24T00:00:00Z")};
  const Digest32 empty_ = crypto::sha256(ByteView{});
};

TEST_F(S3Examples, GetObject) {
  EXPECT_EQ(sign({"GET", "/test.txt", {}, {{"range", "bytes=0-9"}}, empty_}),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_F(S3Examples, PutObject) {
  const SigningRequest request{
      "PUT",
      "/test$file.text",
      {},
      {{"date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
      crypto::sha256(as_bytes("Welcome to Amazon S3."))};
  EXPECT_EQ(sign(request),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, "
            "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST_F(S3Examples, GetBucketLifecycle) {
  EXPECT_EQ(signature_of(sign({"GET", "/", {{"lifecycle", ""}}, {}, empty_})),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST_F(S3Examples, ListObjects) {
  EXPECT_EQ(signature_of(sign({"GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, {}, empty_})),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

// AWS's Signature Version 4 test suite, those of its cases that hold for S3's single encoding.
class Suite : public ::testing::Test {
 protected:
  static SigningRequest request(std::string method, std::string path, S3Query query,
                                net::Headers headers, std::string_view body = "") {
    headers["host"] = "example.amazonaws.com";
    headers["x-amz-date"] = "20150830T123600Z";
    return {std::move(method), std::move(path), std::move(query), std::move(headers),
            crypto::sha256(as_bytes(body))};
  }
  std::string sign(const SigningRequest& request) {
    return signature_of(sigv4_authorization(request, credentials_, scope_));
  }

  const std::string unreserved_ =
      "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const S3Credentials credentials_{
      "AKIDEXAMPLE", SecretBytes(as_bytes("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")), {}};
  const SigningScope scope_{"us-east-1", "service", *from_rfc3339("2015-08-30T12:36:00Z")};
};

TEST_F(Suite, Vanilla) {
  EXPECT_EQ(canonical_request(request("GET", "/", {}, {})),
            "GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(signing_key(credentials_.secret_key, scope_).reveal()),
            "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75");
  EXPECT_EQ(sign(request("GET", "/", {}, {})),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  EXPECT_EQ(sign(request("POST", "/", {}, {})),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

TEST_F(Suite, PathsAreEncodedOnce) {
  EXPECT_EQ(sign(request("GET", "/" + unreserved_, {}, {})),
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f");
  EXPECT_EQ(sign(request("GET", "/\u1234", {}, {})),
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85");
  EXPECT_EQ(sign(request("GET", "/example space/", {}, {})),
            "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741");
}

TEST_F(Suite, QueriesAreEncodedAndOrdered) {
  EXPECT_EQ(sign(request("GET", "/", {{"Param2", "value2"}, {"Param1", "value1"}}, {})),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
  EXPECT_EQ(sign(request("GET", "/", {{unreserved_, unreserved_}}, {})),
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197");
  EXPECT_EQ(sign(request("GET", "/", {{"\u1234", "bar"}}, {})),
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04");
  EXPECT_EQ(sign(request("POST", "/", {{"Param1", "value1"}}, {})),
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11");
}

TEST_F(Suite, HeadersAreTrimmed) {
  const net::Headers spaced{{"my-header1", "  value1"}, {"my-header2", " \"a   b   c\" "}};
  EXPECT_EQ(sign(request("GET", "/", {}, spaced)),
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
  EXPECT_EQ(sign(request("GET", "/", {}, {{"my-header1", "value2,value2,value1"}})),
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea");
}

TEST_F(Suite, BodiesAreSigned) {
  EXPECT_EQ(sign(request("POST", "/", {}, {{"content-type", "application/x-www-form-urlencoded"}},
                         "Param1=value1")),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
}

TEST(SigV4, Encodes) {
  EXPECT_EQ(encode_path("/a b/%41//x+y=z&"), "/a%20b/%2541//x%2By%3Dz%26");
  EXPECT_EQ(encode_path("/"), "/");
  EXPECT_EQ(encode_path(""), "");
  EXPECT_EQ(encode_query({{"b", "2"}, {"a", "/+ "}, {"A", ""}, {"a", "!"}}),
            "A=&a=%21&a=%2F%2B%20&b=2");
  // Ordered after encoding: '%' stands before letters.
  EXPECT_EQ(encode_query({{"a", "1"}, {"\xc3\xa9", "2"}}), "%C3%A9=2&a=1");
  EXPECT_EQ(amz_date(0), "19700101T000000Z");
}

}  // namespace
}  // namespace sp::store
