// Deleting blobs: by an owner alone, once for each signature, never against a promise.
#include <gtest/gtest.h>

#include "base/codec.hpp"
#include "crypto/hash.hpp"
#include "store/remote/testing/signed_store.hpp"

namespace sp::store {
namespace {

using testing::kNow;
using testing::pattern;
using testing::SignedStore;

class DeleteTest : public SignedStore {
 protected:
  DeleteTest() { start(); }

  // As after a restart.
  void start(const StoreService::Options& options = {}) { serve({.open = true}, options); }
  std::string field(const crypto::EthKey& key, std::int64_t time, const std::string& method,
                    const BlobId& id, const Digest32& content) {
    return sign_request(key, {key_.address(), method, "/v1/blobs/" + id.hex(), content, time});
  }
  std::string field(const crypto::EthKey& key, std::int64_t time) {
    return field(key, time, "DELETE", id_, crypto::sha256({}));
  }
  net::HttpResponse call(const std::string& method, const std::string& authorization,
                         ByteView body = {}) {
    net::Headers headers;
    if (!authorization.empty()) headers["authorization"] = authorization;
    return *client_.call(method, url_ + "/v1/blobs/" + id_.hex(), body, headers);
  }
  unsigned remove(const std::string& authorization) { return call("DELETE", authorization).status; }
  Status bring(const crypto::EthKey& key) { return as(key).put(id_, bytes_); }
  bool is_there() { return blobs_.size(id_).ok(); }

  Bytes bytes_ = pattern(100'000);  // of which a client asks first
  BlobId id_ = blob_id(bytes_);
};

TEST_F(DeleteTest, AnOwnerFreesHisQuotaAndMayDoSoAgain) {
  start({.bytes_max = 150'000});
  ASSERT_TRUE(bring(ann_).ok());
  EXPECT_FALSE(as(ann_).put(blob_id(pattern(90'000, 2)), pattern(90'000, 2)).ok()) << "it's full";
  ASSERT_TRUE(as(ann_).remove(id_).ok());
  EXPECT_FALSE(is_there());
  EXPECT_EQ(book_->usage(ann_.address()), AccountBook::Usage{});
  EXPECT_EQ(service_->deleted(), 1U);
  EXPECT_TRUE(as(ann_).remove(id_).ok());
  EXPECT_EQ(service_->deleted(), 1U);
  EXPECT_TRUE(as(ann_).put(blob_id(pattern(90'000, 2)), pattern(90'000, 2)).ok());
  start();
  EXPECT_EQ(book_->usage(ann_.address()), (AccountBook::Usage{90'000, 1}));
}

TEST_F(DeleteTest, ABlobStaysUntilItsLastOwnerDeletesIt) {
  ASSERT_TRUE(bring(ann_).ok());
  ASSERT_TRUE(bring(bob_).ok());
  EXPECT_EQ(book_->usage(bob_.address()), (AccountBook::Usage{100'000, 1}));
  ASSERT_TRUE(as(ann_).remove(id_).ok());
  EXPECT_TRUE(is_there());
  EXPECT_EQ(book_->usage(ann_.address()), AccountBook::Usage{});
  EXPECT_EQ(as(ann_).remove(id_).error().code, Errc::unauthorised) << "it's another's now";
  start();
  EXPECT_EQ(book_->usage(bob_.address()), (AccountBook::Usage{100'000, 1}));
  ASSERT_TRUE(as(bob_).remove(id_).ok());
  EXPECT_FALSE(is_there());
}

TEST_F(DeleteTest, NobodyElseDeletes) {
  ASSERT_TRUE(bring(ann_).ok());
  EXPECT_EQ(remove(""), 401U);
  EXPECT_EQ(remove("Basic x"), 401U);
  EXPECT_EQ(remove(field(bob_, kNow + 1)), 403U);
  std::string stolen = field(bob_, kNow + 1);
  stolen.replace(stolen.find(bob_.address().hex0x()), 42, ann_.address().hex0x());
  EXPECT_EQ(remove(stolen), 401U);
  // For another method, blob, body, time, store.
  EXPECT_EQ(remove(field(ann_, kNow + 1, "PUT", id_, crypto::sha256({}))), 401U);
  EXPECT_EQ(remove(field(ann_, kNow + 1, "DELETE", blob_id({}), crypto::sha256({}))), 401U);
  EXPECT_EQ(remove(field(ann_, kNow + 1, "DELETE", id_, {id_.data})), 401U);
  EXPECT_EQ(remove(field(ann_, kNow - 301)), 401U);
  EXPECT_EQ(remove(field(ann_, kNow + 301)), 401U);
  EXPECT_EQ(remove(sign_request(ann_, {bob_.address(), "DELETE", "/v1/blobs/" + id_.hex(),
                                       crypto::sha256({}), kNow + 1})),
            401U);
  EXPECT_EQ(call("DELETE", field(ann_, kNow + 1, "DELETE", id_, {id_.data}), bytes_).status, 400U);
  EXPECT_TRUE(is_there());
  EXPECT_EQ(book_->usage(ann_.address()), (AccountBook::Usage{100'000, 1}));
  // Anonymous writers have nothing to delete.
  start({.anonymous_writes = true});
  EXPECT_EQ(remove(""), 401U);
  EXPECT_TRUE(is_there());
}

TEST_F(DeleteTest, WhatWasSignedOnceDeletesOnce) {
  ASSERT_TRUE(bring(ann_).ok());
  EXPECT_EQ(remove(field(ann_, kNow)), 425U) << "not later than the upload";
  const std::string once = field(ann_, kNow + 1);
  EXPECT_EQ(remove(once), 204U);
  ASSERT_TRUE(bring(ann_).ok());
  EXPECT_EQ(remove(once), 425U) << "in the same second";
  clock_.now += 60;
  EXPECT_EQ(remove(once), 425U);
  // A deletion that was signed ahead is not one for what is brought after it.
  EXPECT_EQ(remove(field(ann_, clock_.now + 200)), 204U);
  ASSERT_TRUE(bring(ann_).ok());
  EXPECT_EQ(remove(field(ann_, clock_.now + 200)), 425U);
  // Nor does a restart make an old one good.
  const std::string old = field(ann_, clock_.now + 4);
  clock_.now += 5;
  start();
  EXPECT_EQ(remove(old), 425U);
  EXPECT_TRUE(is_there());
  EXPECT_TRUE(as(ann_).remove(id_).ok());
  EXPECT_FALSE(is_there());
}

TEST_F(DeleteTest, TheClientSignsAgainWhereASecondIsTooShort) {
  ASSERT_TRUE(bring(ann_).ok());
  ASSERT_TRUE(as(ann_).remove(id_).ok());
  ASSERT_TRUE(bring(ann_).ok());
  EXPECT_TRUE(as(ann_).remove(id_).ok());
  EXPECT_EQ(clock_.now, kNow + 1);
  EXPECT_FALSE(is_there());
}

TEST_F(DeleteTest, APromiseHoldsOverARestartUntilItEnds) {
  MemorySource source(bytes_);
  testing::CountingRandom random;
  HttpStore store = as(ann_);
  const SealedPackage sealed = *seal_package(source, Secret32{}, store, random, {});
  const BlobId chunk = Package::fetch(store, sealed.id)->manifest().chunks.at(0);
  ASSERT_TRUE(store.request_receipt(sealed.id, kNow + 100).ok());
  for (const bool restarted : {false, true}) {
    if (restarted) start();
    HttpStore owner = as(ann_);
    const Status refused = owner.remove(chunk);
    EXPECT_EQ(refused.error().code, Errc::refused);
    EXPECT_NE(refused.error().message.find("until 1800000100"), std::string::npos)
        << refused.error().message;
    EXPECT_EQ(owner.remove(sealed.id).error().code, Errc::refused);
    EXPECT_TRUE(blobs_.size(chunk).ok());
  }
  clock_.now = kNow + 100;
  HttpStore owner = as(ann_);
  EXPECT_TRUE(owner.remove(chunk).ok());
  EXPECT_TRUE(owner.remove(sealed.id).ok());
  EXPECT_FALSE(blobs_.size(chunk).ok());
  start();
  EXPECT_EQ(*files_.size(folder_.path() / "promises.log"), 0U) << "what is over is left out";
}

TEST_F(DeleteTest, OnlyAnOwnerBindsABlob) {
  const Bytes bytes = pattern(kChunkSizeMin + 16);
  const BlobId chunk = blob_id(bytes);
  ASSERT_TRUE(as(ann_).put(chunk, bytes).ok());
  const PackageId anns = bring_manifest(ann_, {chunk});
  EXPECT_EQ(as(bob_).request_receipt(anns, kNow + 100).error().code, Errc::unauthorised);
  const PackageId bobs = bring_manifest(bob_, {chunk, chunk});
  EXPECT_EQ(as(bob_).request_receipt(bobs, kNow + 100).error().code, Errc::unauthorised);
  EXPECT_TRUE(as(bob_).remove(bobs).ok());
  EXPECT_TRUE(as(ann_).remove(anns).ok());
  EXPECT_TRUE(as(ann_).remove(chunk).ok());
  EXPECT_FALSE(blobs_.size(chunk).ok());
}

TEST_F(DeleteTest, APromiseLooksAgainAtWhatIsDeletedMeanwhile) {
  const Bytes bytes = pattern(kChunkSizeMin + 16);
  const BlobId chunk = blob_id(bytes);
  ASSERT_TRUE(as(ann_).put(chunk, bytes).ok());
  const PackageId package = bring_manifest(ann_, {chunk});
  net::HttpClient another;
  std::optional<Later<Errc>> asked;
  watched_.removed = [&] {
    // The record of who owns it is still there.
    asked.emplace([&] {
      HttpStore store(another, url_, {&ann_, key_.address(), &clock_, nullptr, {}});
      return store.request_receipt(package, kNow + 100).error().code;
    });
    for (int i = 0; i < 10'000 && promises_->waiting() == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(promises_->waiting(), 1U) << "it doesn't wait for the deletion";
  };
  EXPECT_TRUE(as(ann_).remove(chunk).ok());
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->get(), Errc::unauthorised);
}

TEST_F(DeleteTest, APromiseBindsWhomItWasGivenTo) {
  const Bytes bytes = pattern(kChunkSizeMin + 16);
  const BlobId chunk = blob_id(bytes);
  for (const auto* key : {&ann_, &bob_}) ASSERT_TRUE(as(*key).put(chunk, bytes).ok());
  const PackageId package = bring_manifest(ann_, {chunk});
  ASSERT_EQ(bring_manifest(bob_, {chunk}), package);
  ASSERT_TRUE(as(bob_).request_receipt(package, kNow + 100).ok());
  start();
  EXPECT_EQ(as(bob_).remove(chunk).error().code, Errc::refused) << "or Ann would be bound by it";
  EXPECT_TRUE(as(ann_).remove(chunk).ok()) << "Bob's receipt isn't Ann's";
  EXPECT_TRUE(as(ann_).remove(package).ok());
  EXPECT_EQ(book_->usage(ann_.address()), AccountBook::Usage{});
  EXPECT_EQ(as(bob_).remove(chunk).error().code, Errc::refused);
  EXPECT_EQ(as(bob_).remove(package).error().code, Errc::refused);
  EXPECT_TRUE(blobs_.size(chunk).ok() && blobs_.size(package).ok());
  clock_.now = kNow + 100;
  EXPECT_TRUE(as(bob_).remove(chunk).ok());
  EXPECT_FALSE(blobs_.size(chunk).ok());
}

TEST_F(DeleteTest, APromiseToNobodyHoldsTheBytesAndNoOwner) {
  const StoreService::Options anonymous{.bytes_max = 200'000, .anonymous_writes = true};
  start(anonymous);
  const Bytes bytes = pattern(kChunkSizeMin + 16);
  const BlobId chunk = blob_id(bytes);
  ASSERT_TRUE(as(ann_).put(chunk, bytes).ok());
  const PackageId package = bring_manifest(ann_, {chunk});
  HttpStore stranger(client_, url_, StoreAccess{});
  ASSERT_TRUE(stranger.request_receipt(package, kNow + 100).ok());
  EXPECT_TRUE(as(ann_).remove(chunk).ok());
  EXPECT_TRUE(as(ann_).remove(package).ok());
  EXPECT_EQ(book_->usage(ann_.address()), AccountBook::Usage{});
  EXPECT_EQ(as(ann_).remove(chunk).error().code, Errc::unauthorised) << "it's nobody's";
  for (const bool restarted : {false, true}) {
    if (restarted) start(anonymous);
    EXPECT_TRUE(bring(bob_).ok() && as(bob_).remove(id_).ok());
    EXPECT_TRUE(blobs_.size(chunk).ok() && blobs_.size(package).ok());
  }
  // Who brings one meanwhile owns it, and keeps it beyond the promise.
  ASSERT_TRUE(as(bob_).put(chunk, bytes).ok());
  clock_.now = kNow + 100;
  EXPECT_TRUE(bring(ann_).ok());
  EXPECT_FALSE(blobs_.size(package).ok()) << "with the next request that writes";
  EXPECT_TRUE(blobs_.size(chunk).ok());
  EXPECT_EQ(book_->total(), (AccountBook::Usage{100'000 + bytes.size(), 2}));
  EXPECT_TRUE(as(bob_).remove(chunk).ok());
  EXPECT_FALSE(blobs_.size(chunk).ok());
  EXPECT_TRUE(as(ann_).put(blob_id(pattern(100'000, 2)), pattern(100'000, 2)).ok()) << "all room";
}

// Until it is over, or mended by whoever has it, over any number of starts.
TEST_F(DeleteTest, APromiseWhoseManifestIsDamagedHoldsAsWell) {
  const Bytes bytes = pattern(kChunkSizeMin + 16);
  const BlobId chunk = blob_id(bytes);
  for (const auto* key : {&ann_, &bob_}) ASSERT_TRUE(as(*key).put(chunk, bytes).ok());
  const PackageId package = bring_manifest(ann_, {chunk});
  ASSERT_TRUE(as(ann_).request_receipt(package, kNow + 10'000).ok());
  ASSERT_TRUE(bring(ann_).ok());
  const Bytes other = pattern(1000);
  const BlobId bobs = blob_id(other);
  ASSERT_TRUE(as(bob_).put(bobs, other).ok());
  const Bytes manifest = *blobs_.get(package, kManifestSizeMax);
  const Bytes damaged(manifest.size(), 7);
  ASSERT_TRUE(files_.write_atomic(blobs_.path_of(package), damaged, FileMode::owner_only).ok());
  readable_ = false;
  start();
  for (const BlobId& id : {chunk, package, id_}) {
    const Status refused = as(ann_).remove(id);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
    EXPECT_NE(refused.error().message.find(package.hex()), std::string::npos);
  }
  for (const BlobId& id : {chunk, bobs}) {
    EXPECT_TRUE(as(bob_).remove(id).ok());
    EXPECT_TRUE(blobs_.size(id).ok());
  }
  EXPECT_EQ(book_->usage(bob_.address()), AccountBook::Usage{});
  clock_.now += kLeftAgainSeconds;
  ASSERT_TRUE(bring_manifest(ann_, {chunk}) == package);
  EXPECT_TRUE(blobs_.size(bobs).ok()) << "nobody has read it yet";
  ASSERT_TRUE(promises_->recall(blobs_, clock_.now).ok());
  EXPECT_EQ(as(ann_).remove(chunk).error().code, Errc::refused);
  clock_.now += kLeftAgainSeconds;
  EXPECT_TRUE(as(ann_).remove(id_).ok());
  EXPECT_FALSE(blobs_.size(bobs).ok()) << "with the next request that writes";
}

TEST_F(DeleteTest, APromiseOfBeforeAccountsStoodInItHoldsTheBytes) {
  const Bytes bytes = pattern(kChunkSizeMin + 16);
  const BlobId chunk = blob_id(bytes);
  ASSERT_TRUE(as(ann_).put(chunk, bytes).ok());
  const PackageId package = bring_manifest(ann_, {chunk});
  promises_.reset();
  Writer writer;
  writer.raw(package.view()).u64(kNow + 100);
  RecordLog::Content record{};
  std::ranges::copy(std::move(writer).take(), record.begin());  // and zeros
  const auto none = [](const RecordLog::Content&) {};
  const auto log = *RecordLog::open(files_, folder_.path() / "promises.log", 10, none);
  ASSERT_TRUE(log->rewrite(files_, {record}).ok());
  for (const bool again : {false, true}) {
    start();
    EXPECT_EQ(as(ann_).remove(chunk).ok(), !again);
    EXPECT_TRUE(blobs_.size(chunk).ok());
  }
  clock_.now = kNow + 100;
  EXPECT_TRUE(as(ann_).remove(package).ok());
  EXPECT_FALSE(blobs_.size(chunk).ok());
  EXPECT_FALSE(blobs_.size(package).ok());
}

TEST_F(DeleteTest, WhatIsNotThereIsNotHeld) {
  const Bytes bytes = pattern(kChunkSizeMin + 16);
  const BlobId chunk = blob_id(bytes);
  for (const bool anonymous : {false, true}) {
    start({.anonymous_writes = anonymous});
    const PackageId package = bring_manifest(ann_, {chunk});
    const StoreAccess signs{&ann_, key_.address(), &clock_, nullptr, {}};
    HttpStore asking(client_, url_, anonymous ? StoreAccess{} : signs);
    EXPECT_EQ(asking.request_receipt(package, kNow + 100).error().code,
              anonymous ? Errc::not_found : Errc::unauthorised);
    ASSERT_TRUE(as(ann_).put(chunk, bytes).ok());
    EXPECT_TRUE(as(ann_).remove(chunk).ok());
    EXPECT_TRUE(as(ann_).remove(package).ok());
  }
}

TEST_F(DeleteTest, TheSamePromiseIsKeptOnce) {
  const Bytes bytes = pattern(kChunkSizeMin + 16);
  const BlobId chunk = blob_id(bytes);
  ASSERT_TRUE(as(ann_).put(chunk, bytes).ok());
  const PackageId package = bring_manifest(ann_, {chunk});
  const Path file = folder_.path() / "promises.log";
  for (const std::int64_t until : {100, 100, 99}) {
    ASSERT_TRUE(as(ann_).request_receipt(package, kNow + until).ok());
    EXPECT_EQ(*files_.size(file), 64U);
  }
  // A longer one is kept to the end of its day, for all that are longer within it.
  for (const std::int64_t until : {1000, 1001, 1002}) {
    ASSERT_TRUE(as(ann_).request_receipt(package, kNow + until).ok());
    EXPECT_EQ(*files_.size(file), 128U);
  }
  clock_.now = kNow + 1003;
  EXPECT_EQ(as(ann_).remove(chunk).error().code, Errc::refused) << "or it misses after a start";
  clock_.now = kNow;
  start();
  ASSERT_TRUE(as(ann_).request_receipt(package, kNow + 1003).ok());
  EXPECT_EQ(*files_.size(file), 64U) << "one record after a start, and that holds";
  clock_.now = kNow + 1002;
  EXPECT_EQ(as(ann_).remove(chunk).error().code, Errc::refused);
}

TEST_F(DeleteTest, ASignedQuestionIsAboutTheAccountsOwn) {
  ASSERT_TRUE(bring(ann_).ok());
  EXPECT_EQ(call("HEAD", "").status, 200U);
  EXPECT_EQ(call("HEAD", field(ann_, kNow, "HEAD", id_, crypto::sha256({}))).status, 200U);
  EXPECT_EQ(call("HEAD", field(bob_, kNow, "HEAD", id_, crypto::sha256({}))).status, 404U);
  EXPECT_EQ(call("HEAD", field(ann_, kNow, "GET", id_, crypto::sha256({}))).status, 401U);
}

}  // namespace
}  // namespace sp::store
