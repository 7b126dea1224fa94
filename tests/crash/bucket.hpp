// A bucket of an S3 server in this process, and a store of its own that keeps its blobs in it: the
// town's store has a folder.
//
// Belongs to the test's thread.
#pragma once

#include "store/remote/http_store.hpp"
#include "store/remote/testing/fake_s3.hpp"
#include "town.hpp"

namespace sp::crash {

class Bucket {
 public:
  explicit Bucket(hostile::Town& town);
  ~Bucket();
  Bucket(const Bucket&) = delete;
  Bucket& operator=(const Bucket&) = delete;

  /// Where it is and who asks, for spctl and the store.
  [[nodiscard]] std::vector<std::string> environment() const;

  /// Starts the store, armed where a point is given; returns when it answers, or has died there.
  void start_store(const std::string& armed = {});
  /// Whether the store dies by SIGKILL within the time.
  bool store_dies(std::chrono::milliseconds limit);
  void kill_store();
  /// The store, for one account.
  store::HttpStore& store() { return *store_; }

  [[nodiscard]] const std::map<std::string, Bytes>& objects() const { return server_.objects; }
  [[nodiscard]] std::size_t uploads() const { return server_.uploads.size(); }
  /// Whether the server refuses parts of uploads.
  void refuse_parts(bool refused);

 private:
  hostile::Town& town_;
  const Path folder_;
  store::testing::FakeS3 server_;
  std::string url_;
  const crypto::EthKey account_;
  std::unique_ptr<store::HttpStore> store_;
  std::optional<Process> process_;
};

}  // namespace sp::crash
