// What the tests of the S3 store begin with.
#pragma once

#include <gtest/gtest.h>

#include "store/remote/s3_store.hpp"
#include "store/remote/testing/fake_s3.hpp"
#include "store/testing/test_support.hpp"

namespace sp::store::testing {

inline constexpr std::size_t kPart = kS3PartSizeMin;

/// An S3 store at a server in memory.
class S3Fixture : public ::testing::Test {
 protected:
  void SetUp() override { open(settings()); }

  [[nodiscard]] S3Settings settings() const {
    S3Settings settings;
    settings.endpoint = "http://127.0.0.1:" + std::to_string(server_.port());
    settings.bucket = "bucket";
    settings.prefix = "sp/";
    settings.credentials = FakeS3::credentials();
    settings.attempts = 3;
    return settings;
  }
  void open(S3Settings settings) { open(std::move(settings), client_); }
  void open(S3Settings settings, net::HttpClient& client) {
    store_ = *S3Store::make(client, clock_, random_, std::move(settings), kPart, 1);
  }
  /// Answers `times` requests that begin so with `answer`.
  void answer(std::string line, int times, net::HttpResponse answer) {
    server_.hook = [this, line = std::move(line), times,
                    answer = std::move(answer)](const auto&) mutable {
      const bool meant = server_.asked.back().starts_with(line) && times > 0;
      if (meant) --times;
      return meant ? std::optional(answer) : std::nullopt;
    };
  }
  [[nodiscard]] std::size_t count(std::string_view line) const {
    return static_cast<std::size_t>(
        std::count_if(server_.asked.begin(), server_.asked.end(),
                      [&](const std::string& one) { return one.starts_with(line); }));
  }
  [[nodiscard]] std::string key(const BlobId& id) const { return "sp/" + id.hex(); }

  SleepKeeper clock_;
  CountingRandom random_;
  net::HttpClient client_;
  FakeS3 server_;
  std::unique_ptr<S3Store> store_;
  Bytes bytes_ = pattern(5000);
  BlobId id_ = blob_id(bytes_);
  Bytes large_ = pattern(2 * kPart + 77);
  BlobId large_id_ = blob_id(large_);
};

}  // namespace sp::store::testing
