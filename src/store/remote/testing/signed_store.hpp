// A store's service behind a server, to which accounts write what they sign: for tests.
#pragma once

#include <gtest/gtest.h>

#include "store/remote/http_store.hpp"
#include "store/remote/store_service.hpp"
#include "store/testing/test_support.hpp"

namespace sp::store::testing {

inline constexpr std::int64_t kNow = 1'800'000'000;

/// Stands still but for what is slept.
class SetClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t unix_seconds() const override { return now; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return {}; }
  void sleep_for(std::chrono::nanoseconds time) const override {
    now += std::chrono::duration_cast<std::chrono::seconds>(time).count();
  }

  mutable std::int64_t now = kNow;
};

inline crypto::EthKey key_of(std::uint8_t byte) {
  Secret32 secret;
  std::fill(secret.writable().begin(), secret.writable().end(), byte);
  return *crypto::EthKey::from_secret(std::move(secret));
}

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
    promises_ = *PromiseBook::open(files_, folder_.path() / "promises.log", blobs_, clock_.now);
    service_ =
        std::make_unique<StoreService>(blobs_, key_, clock_, book_.get(), promises_.get(), options);
    net::HttpServer::Options listening;
    listening.body_max = kBlobSizeMax + 1;
    server_ = *net::HttpServer::start(
        listening, [this](const net::HttpRequest& request) { return service_->handle(request); });
    url_ = "http://127.0.0.1:" + std::to_string(server_->port());
  }
  HttpStore as(const crypto::EthKey& key) {
    return {client_, url_, {&key, key_.address(), &clock_, nullptr, {}}};
  }

  TemporaryFolder folder_;
  PosixFiles files_;
  DirectoryStore blobs_{files_, folder_.path()};
  crypto::EthKey key_ = key_of(5);
  crypto::EthKey ann_ = key_of(6);
  crypto::EthKey bob_ = key_of(7);
  SetClock clock_;
  net::HttpClient client_;
  std::unique_ptr<AccountBook> book_;
  std::unique_ptr<PromiseBook> promises_;
  std::unique_ptr<StoreService> service_;
  std::unique_ptr<net::HttpServer> server_;
  std::string url_;
};

}  // namespace sp::store::testing
