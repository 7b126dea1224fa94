#include "spctl/transfers.hpp"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <fstream>
#include <map>
#include <mutex>

#include "base/testing/temporary_folder.hpp"
#include "net/http.hpp"
#include "spctl/packages.hpp"
#include "spctl/testing/other_standard_error.hpp"

namespace {

std::atomic<bool> disk_fails = false;

}  // namespace

// In the place of the C library's, in this program.
int syncfs(int descriptor) noexcept {
  if (!disk_fails) return static_cast<int>(::syscall(SYS_syncfs, descriptor));
  errno = EIO;
  return -1;
}

namespace sp::spctl {
namespace {

using testing::OtherStandardError;

// Said here once more: who lowers kTransferThreads makes transfers slower where a store is far.
constexpr std::size_t kAtOnce = 8;
constexpr std::size_t kChunks = 20;
constexpr std::size_t kSmall = 64 << 10;       // manifests are smaller, chunks larger
constexpr std::chrono::seconds kPatience{20};  // a slow disk is in it, too

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

class Transfers : public ::testing::Test {
 protected:
  void SetUp() override {
    GlobalOptions options;
    options.home = (folder_ / "home").string();
    context_ = Context::create(options).value();
    stores_ = open_stores(*context_, {far_.url()}, std::nullopt, "").value();
    content_.resize(kChunks << 20);
    context_->random().fill(content_);
  }
  Result<SealedUpload> upload() {
    const auto make_source = [&]() -> Result<std::unique_ptr<store::ByteSource>> {
      return std::unique_ptr<store::ByteSource>(std::make_unique<store::MemorySource>(content_));
    };
    return upload_stream(*context_, *stores_, {"content", "content", content_.size()}, make_source,
                         {});
  }
  Result<Bytes> download(const SealedUpload& sealed) {
    SP_ASSIGN(const auto download, Download::begin(*context_, *stores_, sealed.package.id));
    const auto source = download->open(sealed.key, "fetching content");
    Bytes back(content_.size() + 1);
    SP_ASSIGN(const std::size_t size, store::read_full(*source, back));
    back.resize(size);
    download->finish();
    return back;
  }

  const sp::testing::TemporaryFolder folder_;
  FarStore far_;
  std::unique_ptr<Context> context_;
  std::unique_ptr<OpenStore> stores_;
  Bytes content_;
};

TEST_F(Transfers, ChunksAreMovedInParallel) {
  const auto sealed = upload();
  ASSERT_TRUE(sealed.ok()) << sealed.error().message;
  EXPECT_EQ(far_.most_at_once(), kAtOnce);
  const auto back = download(*sealed);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_TRUE(*back == content_);
  EXPECT_EQ(far_.most_at_once(), kAtOnce);
}

/// Somebody watches.
class WatchedTransfers : public Transfers {
 protected:
  OtherStandardError terminal_{OtherStandardError::Kind::terminal};
};

TEST_F(WatchedTransfers, ShowHowFarTheyAre) {
  const auto sealed = upload();
  ASSERT_TRUE(sealed.ok()) << sealed.error().message;
  const std::string up = terminal_.seen();
  EXPECT_NE(up.find("uploading content ["), std::string::npos) << up;
  EXPECT_NE(up.find(" of 21.0 MB"), std::string::npos) << up;
  ASSERT_TRUE(download(*sealed).ok());
  const std::string down = terminal_.seen();
  EXPECT_NE(down.find("fetching content ["), std::string::npos) << down;
  EXPECT_NE(down.find(" of 21.0 MB"), std::string::npos) << down;
}

// A run was killed when the content was at its place, and maybe nothing of that on the disk.
TEST_F(Transfers, WhatIsDoneIsOnTheDiskBeforeItIsForgotten) {
  std::ofstream(folder_ / "file") << "content";
  const auto uploaded = upload_path(*context_, *stores_, folder_ / "file", ContentKind::data);
  ASSERT_TRUE(uploaded.ok()) << uploaded.error().message;
  const store::PackageId id{uploaded->package.data};
  const Secret32 key = kept_key(*context_, id).value();
  const auto download = Download::begin(*context_, *stores_, id).value();
  const Path out = folder_ / "out";
  ASSERT_TRUE(download->opens_into(out).ok());
  std::filesystem::create_directory(out);
  std::ofstream(out / "file") << "content";
  disk_fails = true;
  const Status failed = open_package_to(*download, key, out);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Errc::io);
  EXPECT_TRUE(download->opened_into(out)) << "so that the same command ends it";
  disk_fails = false;
  EXPECT_TRUE(open_package_to(*download, key, out).ok());
  EXPECT_FALSE(download->opened_into(out));
}

}  // namespace
}  // namespace sp::spctl
