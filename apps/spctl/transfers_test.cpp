#include "spctl/transfers.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>

#include "base/testing/temporary_folder.hpp"
#include "net/http.hpp"

namespace sp::spctl {
namespace {

// Said here once more: who lowers kTransferThreads makes transfers slower where a store is far.
constexpr std::size_t kAtOnce = 8;
constexpr std::size_t kChunks = 20;
constexpr std::size_t kSmall = 64 << 10;  // manifests are smaller, chunks larger
constexpr std::chrono::seconds kPatience{3};

// A store that is far away: it answers about no chunk before kAtOnce are asked about at once.
class FarStore {
 public:
  FarStore() {
    net::HttpServer::Options options;
    options.body_max = store::kBlobSizeMax;
    options.workers = kAtOnce + 2;
    server_ = net::HttpServer::start(options, [this](const auto& request) {
                return handle(request);
              }).value();
  }
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server_->port());
  }
  // How many chunks were under way at once since this was asked last.
  std::size_t most_at_once() {
    const std::lock_guard lock(mutex_);
    gave_up_ = false;
    return std::exchange(most_, 0);
  }

 private:
  net::HttpResponse handle(const net::HttpRequest& request) {
    std::unique_lock lock(mutex_);
    if (request.method == "PUT") {
      if (request.body.size() > kSmall) wait_for_others(lock);
      blobs_[request.path] = request.body;
      return net::text_response(201, "text/plain", "");
    }
    const auto found = blobs_.find(request.path);
    if (found == blobs_.end()) return net::text_response(404, "text/plain", "");
    if (found->second.size() > kSmall) wait_for_others(lock);
    return net::text_response(200, "application/octet-stream", as_text(found->second));
  }

  void wait_for_others(std::unique_lock<std::mutex>& lock) {
    most_ = std::max(most_, ++at_once_);
    changed_.notify_all();
    const bool came =
        changed_.wait_for(lock, kPatience, [this] { return most_ >= kAtOnce || gave_up_; });
    gave_up_ = gave_up_ || !came;
    --at_once_;
  }

  std::mutex mutex_;  // guards all but server_
  std::condition_variable changed_;
  std::map<std::string, Bytes> blobs_;
  std::size_t at_once_ = 0;
  std::size_t most_ = 0;
  bool gave_up_ = false;
  std::unique_ptr<net::HttpServer> server_;
};

TEST(Transfers, ChunksAreMovedInParallel) {
  const sp::testing::TemporaryFolder folder;
  GlobalOptions options;
  options.home = (folder / "home").string();
  const auto context = Context::create(options).value();
  FarStore far;
  const auto stores = open_stores(*context, {far.url()}, std::nullopt, "").value();
  Bytes content(kChunks << 20);
  context->random().fill(content);
  const auto make_source = [&]() -> Result<std::unique_ptr<store::ByteSource>> {
    return std::unique_ptr<store::ByteSource>(std::make_unique<store::MemorySource>(content));
  };
  const auto sealed =
      upload_stream(*context, *stores, {"content", "content", content.size()}, make_source, {});
  ASSERT_TRUE(sealed.ok()) << sealed.error().message;
  EXPECT_EQ(far.most_at_once(), kAtOnce);

  const auto download = Download::begin(*context, *stores, sealed->package.id).value();
  const auto source = download->open(sealed->key, "content");
  Bytes back(content.size() + 1);
  std::size_t size = 0;
  for (;;) {
    const auto read = source->read(MutableByteView(back).subspan(size));
    ASSERT_TRUE(read.ok()) << read.error().message;
    if (*read == 0) break;
    size += *read;
  }
  back.resize(size);
  EXPECT_TRUE(back == content);
  EXPECT_EQ(far.most_at_once(), kAtOnce);
  download->finish();
}

}  // namespace
}  // namespace sp::spctl
