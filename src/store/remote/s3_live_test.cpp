// The S3 store against a real server that checks signatures: OpenStack Swift, started by
// tests/s3/swift.sh.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>

#include "base/process.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "store/remote/s3_answers.hpp"
#include "store/remote/s3_store.hpp"
#include "store/testing/test_support.hpp"

namespace sp::store {
namespace {

using std::chrono::milliseconds;
using testing::pattern;

constexpr std::size_t kPart = kS3PartSizeMin;
constexpr int kNotInstalled = 77;  // swift.sh's exit code
constexpr milliseconds kStartLimit{60'000};

/// The system's time; counts how often it is told, which is once a request.
class CountingClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t unix_seconds() const override {
    if (on_request) on_request(++requests);
    return system_.unix_seconds();
  }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return system_.monotonic(); }
  void sleep_for(std::chrono::nanoseconds duration) const override { system_.sleep_for(duration); }

  std::function<void(int)> on_request;
  mutable std::atomic<int> requests = 0;

 private:
  SystemClock system_;
};

class S3Live : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<testing::TemporaryFolder>();
    ProcessOptions options;
    options.argv = {SP_TEST_SOURCE_DIR "/tests/s3/swift.sh", folder_->path().string()};
    options.environment = basic_environment();
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const Fd reading(ends[0]);
    leash_ = Fd(ends[1]);
    options.descriptors = {{0, reading.get()}, {1, STDERR_FILENO}, {2, STDERR_FILENO}};
    swift_ = *Process::start(options);
    for (milliseconds waited{0}; waited < kStartLimit; waited += milliseconds(50)) {
      if (const auto end = swift_->wait(milliseconds(50))) {
        ASSERT_EQ(end->exit_code, kNotInstalled) << "swift.sh failed";
        swift_.reset();
        return;
      }
      std::ifstream(*folder_ / "port") >> port_;
      if (port_ != 0) return;
    }
    FAIL() << "swift.sh doesn't answer";
  }
  static void TearDownTestSuite() {
    if (swift_) {
      swift_->kill(SIGTERM);
      swift_->wait(milliseconds(5000));
    }
    swift_.reset();
    leash_.reset();
    folder_.reset();
    port_ = 0;
  }

  void SetUp() override {
    if (!swift_) GTEST_SKIP() << "Swift isn't installed: tools/install.sh s3";
    ASSERT_NE(port_, 0);
    make_bucket(settings());
  }

  static S3Settings settings(std::string_view secret = "testing") {
    S3Settings settings;
    settings.endpoint = "http://localhost:" + std::to_string(port_);
    settings.bucket = "blobs";
    settings.prefix = "sp/";
    settings.credentials = {"test:tester", SecretBytes(as_bytes(secret)), {}};
    return settings;
  }
  std::unique_ptr<S3Store> store(S3Settings settings) {
    return *S3Store::make(http_, clock_, random_, std::move(settings), kPart);
  }
  std::unique_ptr<S3Client> client(S3Settings settings) {
    return *S3Client::make(http_, clock_, random_, std::move(settings));
  }
  void make_bucket(S3Settings settings) {
    S3Request request{"PUT", "", {}, {}, {}, s3_empty_payload(), true};
    const auto made = client(std::move(settings))->call(request);
    ASSERT_TRUE(made && (made->status == 200 || made->status == 409));
  }

  static inline std::unique_ptr<testing::TemporaryFolder> folder_;
  static inline std::optional<Process> swift_;
  static inline Fd leash_;  // its standard input: it ends when this test program does
  static inline int port_ = 0;

  net::HttpClient http_;
  CountingClock clock_;
  crypto::SystemRandom random_;
};

TEST_F(S3Live, KeepsAndGives) {
  const auto s3 = store(settings());
  const Bytes bytes = pattern(70'000, 11);
  const BlobId id = blob_id(bytes);
  EXPECT_EQ(s3->get(id, bytes.size()).error().code, Errc::not_found);
  EXPECT_EQ(s3->size(id).error().code, Errc::not_found);
  ASSERT_TRUE(s3->put(id, bytes).ok());
  ASSERT_TRUE(s3->put(id, bytes).ok());
  EXPECT_EQ(*s3->size(id), bytes.size());
  EXPECT_EQ(*s3->get(id, bytes.size()), bytes);
  EXPECT_EQ(s3->get(id, bytes.size() - 1).error().code, Errc::too_large);
  ASSERT_TRUE(s3->put(blob_id({}), {}).ok());
  EXPECT_TRUE(s3->get(blob_id({}), 0)->empty());
}

TEST_F(S3Live, Ranges) {
  const auto s3 = store(settings());
  const Bytes bytes = pattern(1000, 12);
  const BlobId id = blob_id(bytes);
  ASSERT_TRUE(s3->put(id, bytes).ok());
  EXPECT_EQ(*s3->get_range_unverified(id, 100, 3), Bytes(bytes.begin() + 100, bytes.begin() + 103));
  EXPECT_EQ(*s3->get_range_unverified(id, 999, 1), Bytes(bytes.begin() + 999, bytes.end()));
  EXPECT_EQ(s3->get_range_unverified(id, 999, 2).error().code, Errc::malformed);
  EXPECT_EQ(s3->get_range_unverified(id, 1000, 1).error().code, Errc::malformed);
}

TEST_F(S3Live, LargeBlobsGoInParts) {
  const auto s3 = store(settings());
  const Bytes bytes = pattern(2 * kPart + 1234, 13);
  const BlobId id = blob_id(bytes);
  ASSERT_TRUE(s3->put(id, bytes).ok());
  EXPECT_EQ(*s3->size(id), bytes.size());
  EXPECT_EQ(*s3->get(id, bytes.size()), bytes);
  EXPECT_EQ(*s3->get_range_unverified(id, kPart - 1, 2),
            Bytes(bytes.begin() + kPart - 1, bytes.begin() + kPart + 1));
}

TEST_F(S3Live, AWrongSecretIsRefused) {
  const auto s3 = store(settings("wrong"));
  const Bytes bytes = pattern(100, 14);
  const auto got = s3->get(blob_id(bytes), 100);
  EXPECT_EQ(got.error().code, Errc::unauthorised);
  EXPECT_NE(got.error().message.find("status 403 SignatureDoesNotMatch"), std::string::npos);
  EXPECT_EQ(s3->put(blob_id(bytes), bytes).error().code, Errc::unauthorised);
  EXPECT_EQ(store(settings())->size(blob_id(bytes)).error().code, Errc::not_found);
}

TEST_F(S3Live, AMissingBucketIsSaid) {
  auto elsewhere = settings();
  elsewhere.bucket = "nowhere";
  const Bytes bytes = pattern(100, 15);
  const Status done = store(std::move(elsewhere))->put(blob_id(bytes), bytes);
  EXPECT_EQ(done.error().code, Errc::usage);
}

TEST_F(S3Live, TheServerChecksThePayload) {
  const Bytes bytes = pattern(100, 16);
  const S3Request request{"PUT", "lie", {}, {}, bytes, s3_empty_payload()};
  const auto answer = client(settings())->call(request);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->status, 400U);
}

TEST_F(S3Live, VirtualHostStyle) {
  auto changed = settings();
  changed.endpoint = "http://0.0.1:" + std::to_string(port_);
  changed.bucket = "127";  // 127.0.0.1, so no name server is needed
  changed.addressing = S3Settings::Addressing::virtual_host;
  auto bucket = settings();
  bucket.bucket = "127";
  make_bucket(std::move(bucket));
  const auto s3 = store(std::move(changed));
  const Bytes bytes = pattern(kPart + 1, 17);
  ASSERT_TRUE(s3->put(blob_id(bytes), bytes).ok());
  EXPECT_EQ(*s3->get(blob_id(bytes), bytes.size()), bytes);
  auto by_path = settings();
  by_path.bucket = "127";
  EXPECT_EQ(*store(std::move(by_path))->size(blob_id(bytes)), bytes.size());
}

/// A process that stores the blob and stops for good before its request number `stop_at`; waits
/// for that, and kills it.
void put_and_die(S3Settings settings, ByteView bytes, int stop_at) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    CountingClock clock;
    clock.on_request = [&](int number) {
      if (number < stop_at) return;
      const char at = '!';
      if (::write(writing.get(), &at, 1) != 1) ::_exit(1);
      for (;;) ::pause();
    };
    net::HttpClient http;
    crypto::SystemRandom random;
    const auto s3 = *S3Store::make(http, clock, random, std::move(settings), kPart);
    const Status done = s3->put(blob_id(bytes), bytes);
    ::_exit(done ? 0 : 2);
  }
  writing.reset();
  char at = 0;
  EXPECT_EQ(::read(reading.get(), &at, 1), 1);
  ::kill(child, SIGKILL);
  int how = 0;
  EXPECT_EQ(::waitpid(child, &how, 0), child);
  EXPECT_TRUE(WIFSIGNALED(how));
}

TEST_F(S3Live, AKilledUploadGoesOn) {
  const Bytes bytes = pattern(4 * kPart + 99, 18);
  const BlobId id = blob_id(bytes);
  // HEAD, list of uploads, begin, four parts at once: killed before the fifth, which begins when
  // one of the four is there.
  put_and_die(settings(), bytes, 8);
  const auto s3 = store(settings());
  EXPECT_EQ(s3->size(id).error().code, Errc::not_found);

  clock_.on_request = [](int) {};
  clock_.requests = 0;
  ASSERT_TRUE(s3->put(id, bytes).ok());
  // HEAD, list of uploads, list of parts, one to four parts, completion.
  EXPECT_GE(clock_.requests, 5);
  EXPECT_LE(clock_.requests, 8);
  EXPECT_EQ(*s3->get(id, bytes.size()), bytes);
}

TEST_F(S3Live, AKillBeforeCompletionGoesOn) {
  const Bytes bytes = pattern(kPart + 99, 19);
  const BlobId id = blob_id(bytes);
  put_and_die(settings(), bytes, 6);  // before the completion
  const auto s3 = store(settings());
  EXPECT_EQ(s3->size(id).error().code, Errc::not_found);
  clock_.on_request = [](int) {};
  clock_.requests = 0;
  ASSERT_TRUE(s3->put(id, bytes).ok());
  EXPECT_EQ(clock_.requests, 4);
  EXPECT_EQ(*s3->get(id, bytes.size()), bytes);
}

TEST_F(S3Live, AnAbortedUploadIsGone) {
  const auto begun =
      client(settings())->call({"POST", "left", {{"uploads", ""}}, {}, {}, s3_empty_payload()});
  ASSERT_TRUE(begun.ok());
  const auto upload = *s3_upload_id(begun->body);
  const auto aborted =
      client(settings())
          ->call({"DELETE", "left", {{"uploadId", upload}}, {}, {}, s3_empty_payload()});
  EXPECT_EQ(aborted->status, 204U);
  S3Request listing{"GET", "", {{"uploads", ""}, {"prefix", "sp/left"}}, {}, {}, s3_empty_payload(),
                    true};
  const auto uploads = client(settings())->call(listing);
  EXPECT_EQ(*s3_upload_of(uploads->body, "sp/left"), std::nullopt);
}

}  // namespace
}  // namespace sp::store
