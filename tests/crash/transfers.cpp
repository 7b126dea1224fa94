#include "transfers.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <future>

namespace sp::crash {
namespace {

constexpr std::chrono::seconds kDeathLimit{30};
constexpr std::size_t kInParts = 9 << 20;  // bytes that a bucket gets in two parts

class Transfer {
 public:
  Transfer(World& world, const Point& point)
      : world_(world), point_(point), source_(world.town().work() / "moved") {
    std::ofstream(source_) << hostile::kNote;
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() { std::filesystem::remove(source_); }

  std::string upload(const std::vector<std::string>& where = {}) {
    const auto command = with({"files", "upload", source_}, where);
    world_.must_die(point_, command);
    const std::string id = id_of(world_.must_run(command));
    expect_content(id, where);
    if (!where.empty()) expect_no_secret_in_bucket();
    world_.must_run(with({"files", "delete", id}, where));
    return "uploaded again";
  }

  std::string download() {
    const std::string id = id_of(world_.must_run({"files", "upload", source_}));
    const Path out = world_.town().work() / "moved.out";
    const std::vector<std::string> command{"files", "download", id, "--out", out};
    world_.must_die(point_, command);
    // The program may have done all and said nothing.
    world_.must_run(command);
    expect_opened(out);
    expect_nothing_kept();
    world_.must_run({"files", "delete", id});
    return "opened";
  }

  std::string deletion(const std::vector<std::string>& where = {}) {
    const std::string id = id_of(world_.must_run(with({"files", "upload", source_}, where)));
    const auto command = with({"files", "delete", id}, where);
    world_.must_die(point_, command);
    world_.must_run(command);
    EXPECT_EQ(world_.must_run(command).text, id + " isn't there\n");
    return "deleted again";
  }

  std::string upload_to_bucket() {
    const std::string end = upload(in_bucket());
    expect_empty_bucket();
    return end;
  }

  std::string deletion_in_bucket() {
    const std::string end = deletion(in_bucket());
    expect_empty_bucket();
    return end;
  }

  // A store that has its blobs in a bucket dies as it puts one there or deletes it.
  std::string store_in_a_bucket() {
    Bucket& bucket = world_.bucket();
    const bool small = point_.site == CrashSite::s3_put;
    Bytes blob(small ? 999 : kInParts);
    world_.town().random().fill(blob);
    const store::BlobId id = store::blob_id(blob);
    const bool deletes = point_.site == CrashSite::s3_delete;
    if (deletes) {
      bucket.start_store();
      must(bucket.store().put(id, blob));
    }
    bucket.refuse_parts(point_.site == CrashSite::s3_abort);
    bucket.start_store(point_.text());
    const Status lost = deletes ? bucket.store().remove(id) : bucket.store().put(id, blob);
    EXPECT_FALSE(lost.ok());
    EXPECT_TRUE(bucket.store_dies(kDeathLimit)) << "the point was never passed";
    bucket.refuse_parts(false);
    bucket.start_store();
    if (!deletes) {
      must(bucket.store().put(id, blob));
      EXPECT_EQ(must(bucket.store().get(id, blob.size())), blob);
      EXPECT_EQ(bucket.objects().size(), 1U);
    }
    must(bucket.store().remove(id));
    bucket.kill_store();
    expect_empty_bucket();
    return deletes ? "deleted again" : "put again";
  }

 private:
  std::vector<std::string> in_bucket() {
    world_.bucket();
    return {"--store", "s3://bucket/sealed"};
  }
  static std::vector<std::string> with(std::vector<std::string> command,
                                       const std::vector<std::string>& where) {
    command.insert(command.end(), where.begin(), where.end());
    return command;
  }
  static std::string id_of(const CommandOutput& uploaded) {
    // Notes may stand before it.
    const std::size_t end = uploaded.text.find("\nsealed ");
    return end == std::string::npos || end < 64 ? "" : uploaded.text.substr(end - 64, 64);
  }
  void expect_content(const std::string& id, const std::vector<std::string>& where) {
    const Path out = world_.town().work() / "moved.out";
    world_.must_run(with({"files", "download", id, "--out", out}, where));
    expect_opened(out);
    expect_nothing_kept();
  }
  void expect_opened(const Path& out) {
    std::ifstream file(out / source_.filename());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(text, hostile::kNote);
    std::filesystem::remove_all(out);
    for (const auto& entry : std::filesystem::directory_iterator(out.parent_path())) {
      EXPECT_EQ(entry.path().string().find(".partial-"), std::string::npos) << entry.path();
    }
  }
  void expect_nothing_kept() {
    const Path kept = world_.town().home() / "transfers";
    EXPECT_TRUE(std::filesystem::is_empty(kept)) << "of an upload or a download";
  }
  void expect_no_secret_in_bucket() {
    for (const auto& [name, bytes] : world_.bucket().objects()) {
      EXPECT_EQ(world_.shop().secrets().found(as_text(bytes)), std::set<std::string>()) << name;
    }
  }
  void expect_empty_bucket() {
    EXPECT_EQ(world_.bucket().objects().size(), 0U) << "a blob that nobody names";
    EXPECT_EQ(world_.bucket().uploads(), 0U) << "an upload that nobody ends";
  }

  World& world_;
  const Point& point_;
  const Path source_;
};

}  // namespace

bool is_of_transfers(CrashSite site) {
  return (site >= CrashSite::s3_put && site <= CrashSite::s3_delete) ||
         (site >= CrashSite::upload_begun && site <= CrashSite::download_done) ||
         site == CrashSite::client_content_key || site == CrashSite::deletion;
}

std::string die_in_a_transfer(World& world, const Point& point) {
  Transfer transfer(world, point);
  if (point.program == "store") return transfer.store_in_a_bucket();
  switch (point.site) {
    case CrashSite::s3_put:
      return transfer.upload_to_bucket();
    case CrashSite::s3_delete:
      return transfer.deletion_in_bucket();
    case CrashSite::deletion:
      return transfer.deletion();
    case CrashSite::upload_begun:
    case CrashSite::upload_sealed:
    case CrashSite::upload_done:
    case CrashSite::client_content_key:
      return transfer.upload();
    default:
      return transfer.download();
  }
}

}  // namespace sp::crash
