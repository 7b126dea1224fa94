// A store's service behind a server, to which accounts write what they sign: for tests.
#pragma once

#include <gtest/gtest.h>

#include "crypto/testing/fixed_keys.hpp"
#include "store/remote/http_store.hpp"
#include "store/remote/store_service.hpp"
#include "store/remote/testing/set_clock.hpp"
#include "store/testing/test_support.hpp"

namespace sp::store::testing {

using crypto::testing::eth_key;

/// A store that a test looks into: `sized` is called before each size(), `removed` after a
/// remove(). `away` is what it says of blobs while it isn't good.
class WatchedStore final : public RangedStore {
 public:
  explicit WatchedStore(RangedStore& blobs) : blobs_(blobs) {}
  Status put(const BlobId& id, ByteView bytes) override {
    return away ? blobs_.put(id, bytes) : away;
  }
  Result<Bytes> get(const BlobId& id, std::size_t size_max) override {
    if (!away) return away.error();
    return blobs_.get(id, size_max);
  }
  Result<std::uint64_t> size(const BlobId& id) override {
    if (sized) sized(id);
    if (!away) return away.error();
    return blobs_.size(id);
  }
  Status remove(const BlobId& id) override {
    const Status done = away ? blobs_.remove(id) : away;
    if (removed) removed();
    return done;
  }
  Result<Bytes> get_range_unverified(const BlobId& id, std::uint64_t offset,
                                     std::size_t size) override {
    if (!away) return away.error();
    return blobs_.get_range_unverified(id, offset, size);
  }
  /// As a bucket's, where `counts` is false.
  [[nodiscard]] Result<std::uint64_t> total_size() const override {
    if (counts) return blobs_.total_size();
    return Error{Errc::unsupported, "a bucket isn't counted"};
  }

  std::function<void(const BlobId&)> sized;
  std::function<void()> removed;
  Status away;
  bool counts = true;

 private:
  RangedStore& blobs_;
};

class SignedStore : public ::testing::Test {
 protected:
  /// As after a restart, where it served before.
  void serve(StoreAccounts accounts, const StoreService::Options& options = {}) {
    server_.reset();
    book_ = *AccountBook::open(files_, folder_.path() / "owners.log", std::move(accounts),
                               clock_.now, [this](const BlobId& id, std::uint64_t size) {
                                 const auto held = blobs_.size(id);
                                 return held && *held == size;
                               });
    promises_ =
        *PromiseBook::open(files_, folder_.path() / "promises.log", clock_.now, promises_max_);
    ASSERT_EQ(promises_->recall(blobs_, clock_.now).ok(), readable_);
    service_ = std::make_unique<StoreService>(watched_, key_, clock_, book_.get(), promises_.get(),
                                              options);
    net::HttpServer::Options listening;
    listening.body_max = kBlobSizeMax + 1;
    server_ = *net::HttpServer::start(
        listening, [this](const net::HttpRequest& request) { return service_->handle(request); });
    url_ = "http://127.0.0.1:" + std::to_string(server_->port());
  }
  /// Puts a manifest that names these chunks of 4112 bytes each, as `key`.
  PackageId bring_manifest(const crypto::EthKey& key, std::vector<BlobId> chunks) {
    Manifest manifest;
    manifest.chunk_size = kChunkSizeMin;
    manifest.stream_size = chunks.size() * kChunkSizeMin;
    manifest.chunks = std::move(chunks);
    const Bytes bytes = manifest.encode();
    EXPECT_TRUE(as(key).put(blob_id(bytes), bytes).ok());
    return blob_id(bytes);
  }
  HttpStore as(const crypto::EthKey& key) {
    return {client_, url_, {&key, key_.address(), &clock_, nullptr, {}}};
  }

  TemporaryFolder folder_;
  PosixFiles files_;
  DirectoryStore blobs_{files_, folder_.path()};
  WatchedStore watched_{blobs_};
  crypto::EthKey key_ = eth_key(5);
  crypto::EthKey ann_ = eth_key(6);
  crypto::EthKey bob_ = eth_key(7);
  SetClock clock_;
  net::HttpClient client_;
  std::size_t promises_max_ = kPromisesMax;
  bool readable_ = true;  // all that is promised, at a start
  std::unique_ptr<AccountBook> book_;
  std::unique_ptr<PromiseBook> promises_;
  std::unique_ptr<StoreService> service_;
  std::unique_ptr<net::HttpServer> server_;
  std::string url_;
};

}  // namespace sp::store::testing
