// Writing to a store: who may, how much, and what is left of it after a crash.
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <latch>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/json.hpp"
#include "crypto/hash.hpp"
#include "store/remote/testing/signed_store.hpp"

namespace sp::store {
namespace {

using crypto::testing::eth_key;
using testing::kNow;
using testing::pattern;
using testing::SignedStore;
using testing::TemporaryFolder;

TEST(SignedRequest, HasOneSpelling) {
  const crypto::EthKey key = eth_key(7);
  const StoreRequest request{key.address(), "PUT", "/v1/blobs/00", {}, kNow};
  const std::string field = sign_request(key, request);
  EXPECT_EQ(RequestSignature::parse(field)->text(), field);
  EXPECT_EQ(RequestSignature::parse(field)->account, key.address());
  for (std::string wrong :
       {field + " ", " " + field, field.substr(1), field.substr(0, field.size() - 1), std::string(),
        std::string("SP-EIP712"), std::string("Bearer x")}) {
    EXPECT_EQ(RequestSignature::parse(wrong).error().code, Errc::malformed) << wrong;
  }
  const auto with = [&](std::string_view what, std::string_view by) {
    std::string changed = field;
    changed.replace(changed.find(what), what.size(), by);
    return RequestSignature::parse(changed).error().code;
  };
  EXPECT_EQ(with("time=", "time=0"), Errc::malformed);
  EXPECT_EQ(with("time=", "time=-"), Errc::malformed);
  EXPECT_EQ(with("=0x", "=0X"), Errc::malformed);
  EXPECT_EQ(with(",time", ", time"), Errc::malformed);
  EXPECT_EQ(RequestSignature::parse(std::string(kSignedFieldMax + 1, 'x')).error().code,
            Errc::too_large);
}

TEST(SignedRequest, CoversAllOfIt) {
  const crypto::EthKey key = eth_key(7);
  const Address store = eth_key(8).address();
  const StoreRequest request{store, "PUT", "/v1/blobs/00", Digest32{}, kNow};
  const RequestSignature signature = *RequestSignature::parse(sign_request(key, request));
  EXPECT_TRUE(signature.verify(request, kNow).ok());
  const auto refused = [&](StoreRequest other) {
    return signature.verify(other, kNow).error().code == Errc::bad_signature;
  };
  EXPECT_TRUE(refused({key.address(), "PUT", request.path, {}, 0}));
  EXPECT_TRUE(refused({store, "POST", request.path, {}, 0}));
  EXPECT_TRUE(refused({store, "PUT", "/v1/blobs/01", {}, 0}));
  EXPECT_TRUE(refused({store, "PUT", request.path, blob_id({}).data, 0}));
  RequestSignature other = signature;
  other.time += 1;
  EXPECT_EQ(other.verify(request, kNow).error().code, Errc::bad_signature);
  other = signature;
  other.account = store;
  EXPECT_EQ(other.verify(request, kNow).error().code, Errc::bad_signature);

  EXPECT_TRUE(signature.verify(request, kNow + kRequestClockWindow).ok());
  EXPECT_TRUE(signature.verify(request, kNow - kRequestClockWindow).ok());
  EXPECT_EQ(signature.verify(request, kNow + kRequestClockWindow + 1).error().code, Errc::expired);
  EXPECT_EQ(signature.verify(request, kNow - kRequestClockWindow - 1).error().code, Errc::expired);
}

class SignedStoreTest : public SignedStore {
 protected:
  net::HttpResponse put(const Bytes& bytes, const net::Headers& headers) {
    return *client_.call("PUT", url_ + "/v1/blobs/" + blob_id(bytes).hex(), bytes, headers);
  }
  std::string signed_put(const crypto::EthKey& key, const Bytes& bytes, std::int64_t time) {
    const std::string path = "/v1/blobs/" + blob_id(bytes).hex();
    return sign_request(key, {key_.address(), "PUT", path, blob_id(bytes).data, time});
  }
  net::HttpResponse send(const crypto::EthKey& key, const std::string& method,
                         const std::string& path, ByteView body, std::int64_t time = kNow) {
    const StoreRequest request{key_.address(), method, path, crypto::sha256(body), time};
    return *client_.call(method, url_ + path, body,
                         {{"authorization", sign_request(key, request)}});
  }
  net::HttpResponse ask_receipt(const crypto::EthKey& key, const PackageId& package) {
    const std::string json = Json{{"package", package.hex()}, {"until", kNow + 10}}.dump();
    return send(key, "POST", "/v1/receipts", as_bytes(json));
  }
  // A refusal that time cures says when, in words and as Retry-After.
  static void expect_later(const net::HttpResponse& answer, unsigned status,
                           const std::string& seconds) {
    const std::string text(as_text(answer.body));
    EXPECT_EQ(answer.status, status) << text;
    EXPECT_EQ(answer.headers.contains("retry-after") ? answer.headers.at("retry-after") : "none",
              seconds);
    EXPECT_NE(text.find("; try again in " + seconds + " s\""), std::string::npos) << text;
  }
  static Status put_in(HttpStore store, const Bytes& bytes) {
    return store.put(blob_id(bytes), bytes);
  }

  Bytes bytes_ = pattern(1000);
};

TEST_F(SignedStoreTest, WantsASignature) {
  serve({.open = true});
  EXPECT_EQ(put(bytes_, {}).status, 401U);
  EXPECT_EQ(put(bytes_, {}).headers.at("www-authenticate"), "SP-EIP712");
  EXPECT_EQ(put(bytes_, {{"authorization", "Basic x"}}).status, 401U);
  // Another's signature, for other bytes, or of another time.
  EXPECT_EQ(put(bytes_, {{"authorization", signed_put(ann_, pattern(5), kNow)}}).status, 401U);
  EXPECT_EQ(put(bytes_, {{"authorization", signed_put(ann_, bytes_, kNow - 301)}}).status, 401U);
  EXPECT_EQ(blobs_.size(blob_id(bytes_)).error().code, Errc::not_found);
  const std::string field = signed_put(ann_, bytes_, kNow);
  EXPECT_EQ(put(bytes_, {{"authorization", field}}).status, 201U);
  // A replay changes nothing.
  EXPECT_EQ(put(bytes_, {{"authorization", field}}).status, 200U);
  EXPECT_EQ(book_->usage(ann_.address()), (AccountBook::Usage{1000, 1}));
  // Reading is for all.
  HttpStore nobody(client_, url_);
  EXPECT_EQ(*nobody.get(blob_id(bytes_), 1000), bytes_);
  EXPECT_EQ(nobody.put(blob_id(pattern(3)), pattern(3)).error().code, Errc::unauthorised);
  EXPECT_EQ(nobody.request_receipt(blob_id(bytes_), kNow + 1).error().code, Errc::unauthorised);
  // The body counts, not only its name.
  EXPECT_EQ(as(ann_).put(blob_id({}), bytes_).error().code, Errc::unauthorised);
}

TEST_F(SignedStoreTest, AsksTheStoreForItsAccountOnce) {
  serve({.open = true});
  HttpStore store(client_, url_, {&ann_, std::nullopt, &clock_, nullptr, {}});
  EXPECT_TRUE(store.put(blob_id(bytes_), bytes_).ok());
  HttpStore wrong(client_, url_, {&ann_, bob_.address(), &clock_, nullptr, {}});
  EXPECT_EQ(wrong.put(blob_id(pattern(3)), pattern(3)).error().code, Errc::unauthorised);
}

TEST_F(SignedStoreTest, OnlyTheListedMayWrite) {
  serve({.quotas = {{ann_.address(), 5000}}});
  EXPECT_TRUE(put_in(as(ann_), bytes_).ok());
  const auto refused = put_in(as(bob_), pattern(10));
  EXPECT_EQ(refused.error().code, Errc::unauthorised);
  EXPECT_NE(refused.error().message.find("status 403: account " + bob_.address().hex0x()),
            std::string::npos);
  // What is there is there for him too.
  EXPECT_EQ(put(bytes_, {{"authorization", signed_put(bob_, bytes_, kNow)}}).status, 403U);
}

TEST_F(SignedStoreTest, QuotaInBytesAndBlobs) {
  serve({.open = true, .quota_bytes = 2500, .quota_blobs = 3});
  EXPECT_TRUE(put_in(as(ann_), bytes_).ok());
  EXPECT_TRUE(put_in(as(ann_), pattern(1000, 2)).ok());
  const auto over = put_in(as(ann_), pattern(501, 3));
  EXPECT_EQ(over.error().code, Errc::io);
  EXPECT_NE(over.error().message.find(
                "status 507: the quota of " + ann_.address().hex0x() +
                " is 2500 bytes: 2000 are used, 501 more don't fit; delete something, "),
            std::string::npos)
      << over.error().message;
  EXPECT_TRUE(put_in(as(ann_), pattern(500, 3)).ok());
  const auto many = put_in(as(ann_), {});
  EXPECT_NE(many.error().message.find(" is 3 blobs, and all are used; delete something, or ask "
                                      "the operator for more"),
            std::string::npos)
      << many.error().message;
  // Another has a quota of his own, which what he brings counts for, be it there or not.
  EXPECT_TRUE(put_in(as(bob_), bytes_).ok());
  EXPECT_EQ(book_->usage(bob_.address()), (AccountBook::Usage{1000, 1}));
  EXPECT_TRUE(put_in(as(bob_), bytes_).ok());
  EXPECT_EQ(book_->usage(bob_.address()), (AccountBook::Usage{1000, 1}));
}

TEST_F(SignedStoreTest, QuotaOutlivesTheProcess) {
  const StoreAccounts accounts{.open = true, .quota_bytes = 2500};
  serve(accounts);
  EXPECT_TRUE(put_in(as(ann_), bytes_).ok());
  EXPECT_TRUE(put_in(as(bob_), pattern(700, 2)).ok());
  // Crashes: a charge whose blob was never written, one made again, and one cut off.
  const Bytes late = pattern(900, 3);
  ASSERT_TRUE(book_->charge(ann_.address(), blob_id(late), late.size(), kNow).ok());
  ASSERT_EQ(*book_->charge(ann_.address(), blob_id(bytes_), bytes_.size(), kNow),
            AccountBook::Charge::owned_already);
  std::ofstream(folder_.path() / "owners.log", std::ios::app) << "cut off";
  serve(accounts);
  EXPECT_EQ(book_->usage(ann_.address()), (AccountBook::Usage{1000, 1}));
  EXPECT_EQ(book_->usage(bob_.address()), (AccountBook::Usage{700, 1}));
  EXPECT_EQ(book_->total(), (AccountBook::Usage{1700, 2}));
  EXPECT_TRUE(put_in(as(ann_), late).ok());
  serve(accounts);
  EXPECT_EQ(book_->usage(ann_.address()), (AccountBook::Usage{1900, 2}));
  EXPECT_EQ(put_in(as(ann_), pattern(601, 4)).error().code, Errc::io);
}

TEST_F(SignedStoreTest, WhatCouldNotBeKeptIsGivenBack) {
  serve({.open = true, .quota_bytes = 100'000}, {.bytes_max = 1500});
  EXPECT_TRUE(put_in(as(ann_), bytes_).ok());
  const auto full = put_in(as(ann_), pattern(1000, 2));
  EXPECT_EQ(full.error().code, Errc::io);
  EXPECT_NE(full.error().message.find("the store is full"), std::string::npos);
  EXPECT_EQ(book_->usage(ann_.address()), (AccountBook::Usage{1000, 1}));
  serve({.open = true});
  EXPECT_EQ(book_->usage(ann_.address()), (AccountBook::Usage{1000, 1}));
}

TEST_F(SignedStoreTest, TheSameBlobAtOnceCountsOnce) {
  serve({.open = true});
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back(
        [&, t] { EXPECT_TRUE(put_in(as(t % 2 == 0 ? ann_ : bob_), bytes_).ok()); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(book_->usage(ann_.address()), (AccountBook::Usage{1000, 1}));
  EXPECT_EQ(book_->usage(bob_.address()), (AccountBook::Usage{1000, 1}));
}

TEST_F(SignedStoreTest, AnAccountHasOnlySoManyRequestsAtOnce) {
  serve({.open = true});
  for (std::size_t i = 0; i < kAccountPutsMax; ++i) ASSERT_TRUE(book_->enter(ann_.address()));
  const auto busy = put(bytes_, {{"authorization", signed_put(ann_, bytes_, kNow)}});
  expect_later(busy, 429, "1");
  EXPECT_EQ(put(bytes_, {{"authorization", signed_put(bob_, bytes_, kNow)}}).status, 201U);
  book_->leave(ann_.address());
  EXPECT_EQ(put(bytes_, {{"authorization", signed_put(ann_, bytes_, kNow)}}).status, 200U);
  for (std::size_t i = 1; i < kAccountPutsMax; ++i) book_->leave(ann_.address());
}

TEST_F(SignedStoreTest, ReceiptsAreForAccounts) {
  serve({.open = true});
  MemorySource source(bytes_);
  testing::CountingRandom random;
  HttpStore store = as(ann_);
  const SealedPackage sealed = *seal_package(source, Secret32{}, store, random, {});
  EXPECT_TRUE(store.request_receipt(sealed.id, kNow + 10)->verify(key_.address()).ok());
}

TEST_F(SignedStoreTest, LargeReceiptsTakeTurns) {
  serve({.open = true});
  const Bytes chunk = pattern(kChunkSizeMin + 16);
  std::vector<PackageId> packages;
  const crypto::EthKey cid = eth_key(8);
  const crypto::EthKey dan = eth_key(9);
  for (const crypto::EthKey* key :
       std::initializer_list<const crypto::EthKey*>{&ann_, &bob_, &cid}) {
    ASSERT_TRUE(put_in(as(*key), chunk).ok());
    packages.push_back(bring_manifest(*key, std::vector<BlobId>(1025, blob_id(chunk))));
  }
  const PackageId small = bring_manifest(cid, {blob_id(chunk)});
  std::latch under_way(2);
  std::latch go_on(1);
  std::atomic<int> looked = 0;
  // The first two receipts wait at their first chunk.
  watched_.sized = [&](const BlobId& id) {
    if (id == blob_id(chunk) && looked++ < 2) {
      under_way.count_down();
      go_on.wait();
    }
  };
  std::thread anns([&] { EXPECT_TRUE(as(ann_).request_receipt(packages[0], kNow + 10).ok()); });
  std::thread bobs([&] { EXPECT_TRUE(as(bob_).request_receipt(packages[1], kNow + 10).ok()); });
  under_way.wait();
  expect_later(ask_receipt(cid, packages[2]), 503, "1");
  EXPECT_EQ(as(dan).request_receipt(packages[2], kNow + 10).error().code, Errc::unauthorised);
  EXPECT_TRUE(as(cid).request_receipt(small, kNow + 10).ok());
  go_on.count_down();
  anns.join();
  bobs.join();
  EXPECT_TRUE(as(cid).request_receipt(packages[2], kNow + 10).ok());
}

TEST_F(SignedStoreTest, AnAccountHasOneLargeReceiptAtOnce) {
  serve({.open = true});
  const Bytes chunk = pattern(kChunkSizeMin + 16);
  ASSERT_TRUE(put_in(as(ann_), chunk).ok());
  const PackageId package = bring_manifest(ann_, std::vector<BlobId>(1025, blob_id(chunk)));
  std::atomic<bool> first = true;
  Errc second{};
  watched_.sized = [&](const BlobId& id) {
    if (id != blob_id(chunk) || !first.exchange(false)) return;
    second = as(ann_).request_receipt(package, kNow + 10).error().code;
  };
  EXPECT_TRUE(as(ann_).request_receipt(package, kNow + 10).ok());
  EXPECT_EQ(second, Errc::unavailable);
}

TEST_F(SignedStoreTest, PromisesThatFindNoRoomAreForLater) {
  promises_max_ = kPromisesAccountPart;  // one of an account
  serve({.open = true});
  const Bytes chunk = pattern(kChunkSizeMin + 16);
  ASSERT_TRUE(put_in(as(ann_), chunk).ok());
  const PackageId small = bring_manifest(ann_, {blob_id(chunk)});
  const PackageId large = bring_manifest(ann_, {blob_id(chunk), blob_id(chunk)});
  EXPECT_EQ(ask_receipt(ann_, small).status, 200U);
  expect_later(ask_receipt(ann_, large), 507, "3600");
}

TEST_F(SignedStoreTest, ABucketThatIsAwayIsForLater) {
  serve({.open = true});
  ASSERT_TRUE(put_in(as(ann_), bytes_).ok());
  const std::string path = "/v1/blobs/" + blob_id(bytes_).hex();
  for (const Errc code : {Errc::unavailable, Errc::timed_out}) {
    watched_.away = Error{code, "the bucket doesn't answer"};
    expect_later(*client_.call("GET", url_ + path), 503, "2");
    EXPECT_EQ(client_.call("HEAD", url_ + path)->headers.at("retry-after"), "2");
    expect_later(send(ann_, "PUT", path, bytes_), 503, "2");
    expect_later(send(ann_, "DELETE", path, {}, kNow + 1), 503, "2");
    expect_later(ask_receipt(ann_, blob_id(bytes_)), 503, "2");
  }
  watched_.away = {};
  EXPECT_EQ(client_.call("GET", url_ + path)->body, bytes_);
  EXPECT_EQ(book_->usage(ann_.address()), (AccountBook::Usage{1000, 1}));
}

TEST_F(SignedStoreTest, ABucketHasABound) {
  watched_.counts = false;
  const StoreService::Options options{.bytes_max = 1000, .anonymous_writes = true};
  serve({.open = true}, options);
  EXPECT_EQ(put(pattern(100), {}).status, 201U);
  EXPECT_EQ(put(pattern(901), {}).status, 507U);
  EXPECT_TRUE(put_in(as(ann_), pattern(900)).ok());
  serve({.open = true}, options);
  EXPECT_EQ(put(pattern(101, 2), {}).status, 507U) << "what accounts brought counts after a start";
  EXPECT_EQ(put(pattern(100, 2), {}).status, 201U);
}

TEST_F(SignedStoreTest, ADeletionBesideTheFirstUploadIsntCountedTwice) {
  serve({.open = true});
  const Bytes other = pattern(600, 2);
  ASSERT_TRUE(put_in(as(ann_), other).ok());
  serve({.open = true}, {.bytes_max = 1600});
  watched_.removed = [&] { EXPECT_TRUE(put_in(as(bob_), bytes_).ok()); };
  EXPECT_TRUE(as(ann_).remove(blob_id(other)).ok());
  EXPECT_EQ(put_in(as(ann_), pattern(601, 3)).error().code, Errc::io);
  EXPECT_TRUE(put_in(as(ann_), pattern(600, 3)).ok());
}

TEST_F(SignedStoreTest, AFullStoreMakesNoRecords) {
  serve({.open = true}, {.bytes_max = 1500});
  ASSERT_TRUE(put_in(as(ann_), bytes_).ok());
  for (unsigned i = 2; i < 12; ++i)
    EXPECT_EQ(put_in(as(ann_), pattern(900, i)).error().code, Errc::io);
  EXPECT_EQ(*files_.size(folder_.path() / "owners.log"), 64U);
}

// Over kAskFirstSize a client asks first, and HEAD tells the size alone.
TEST_F(SignedStoreTest, WhatADiskDamagedIsMendedByWhoeverSendsIt) {
  serve({.open = true});
  for (const std::size_t size : {std::size_t{1000}, std::size_t{100 << 10}}) {
    const Bytes bytes = pattern(size, 9);
    const BlobId id = blob_id(bytes);
    ASSERT_TRUE(put_in(as(ann_), bytes).ok());
    Bytes damaged = bytes;
    damaged[0] ^= 1;
    const Path file = blobs_.path_of(id);
    ASSERT_TRUE(files_.write_atomic(file, damaged, FileMode::owner_only).ok());
    ASSERT_TRUE(put_in(as(ann_), bytes).ok());
    const bool sent = size <= kAskFirstSize;
    EXPECT_EQ(*blobs_.get_unverified(id, size), sent ? bytes : damaged);
    ASSERT_TRUE(files_.write_atomic(file, damaged, FileMode::owner_only).ok());
    ASSERT_TRUE(put_in(as(bob_), bytes).ok());
    EXPECT_EQ(*blobs_.get_unverified(id, size), bytes) << "it wasn't his, so he sent it";
    // Its owner sends it where it isn't his any more, or has another size.
    ASSERT_TRUE(files_.write_atomic(file, damaged, FileMode::owner_only).ok());
    ASSERT_TRUE(as(ann_).remove(id).ok());
    ASSERT_TRUE(put_in(as(ann_), bytes).ok());
    EXPECT_EQ(*blobs_.get_unverified(id, size), bytes);
    damaged.pop_back();
    ASSERT_TRUE(files_.write_atomic(file, damaged, FileMode::owner_only).ok());
    ASSERT_TRUE(put_in(as(ann_), bytes).ok());
    EXPECT_EQ(*blobs_.get_unverified(id, size), bytes);
  }
}

}  // namespace
}  // namespace sp::store
