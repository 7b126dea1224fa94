#include "spctl/transfers.hpp"

#include "base/crash_point.hpp"
#include "crypto/hash.hpp"
#include "spctl/interrupts.hpp"
#include "store/buffers.hpp"

namespace sp::spctl {
namespace {

constexpr const char* kFolder = "transfers";
constexpr const char* kOpenedLink = "opened";
constexpr std::size_t kNameDigits = 32;
constexpr std::chrono::hours kKeptFor{14 * 24};
constexpr std::chrono::milliseconds kTurnPause{100};

// The folder of transfers; what nobody has gone on with for kKeptFor is given up.
Result<Path> transfers_folder(Context& context) {
  namespace fs = std::filesystem;
  const Path folder = context.home().root() / kFolder;
  SP_TRY(context.files().make_folder(folder));
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::error_code odd;
    const auto touched = entry->last_write_time(odd);
    if (odd || fs::file_time_type::clock::now() - touched < kKeptFor) continue;
    fs::remove_all(entry->path(), odd);
  }
  return folder;
}

Error interruption(std::string_view what) {
  return failure(Errc::cancelled, std::string(what) + " was interrupted",
                 "what has been moved is kept", "Run the same command again to go on");
}

// Takes what one process has at a time, and waits while another has it: that says so once, and an
// interrupt ends it.
template <class Take>
auto in_turn(Context& context, const std::string& what, const Take& take) -> decltype(take()) {
  for (bool told = false;; told = true) {
    auto taken = take();
    if (taken || taken.error().code != Errc::conflict) return taken;
    if (interrupted()) return interruption(what);
    if (!told) {
      context.console().note("Another process is " + what + ": waiting for its end.");
    }
    context.clock().sleep_for(kTurnPause);
  }
}

/// What an upload is sealed from, and told about.
class Upload {
 public:
  Upload(Context& context, OpenStore& stores, const UploadPlan& plan)
      : context_(context), stores_(stores), plan_(plan) {}

  Result<std::unique_ptr<store::UploadJournal>> open_journal() {
    SP_ASSIGN(const Path folder, transfers_folder(context_));
    const std::string identity = plan_.identity + '\0' + stores_.name();
    const std::string name = crypto::sha256(as_bytes(identity)).hex().substr(0, kNameDigits);
    return in_turn(context_, "uploading " + plan_.what, [&] {
      return store::UploadJournal::open(folder / (name + ".upload"), context_.random());
    });
  }

  Result<SealedUpload> seal(store::UploadJournal& journal, store::ByteSource& source) {
    if (journal.resumed() > 0) {
      context_.console().note("Going on with " + plan_.what + ": " +
                              std::to_string(journal.resumed()) + " pieces were sealed before.");
    }
    ProgressBar bar(context_.console(), "uploading " + plan_.what, plan_.total);
    store::SealOptions options;
    journal.use(options);
    options.threads = kTransferThreads;
    options.progress = [&](std::uint64_t done) {
      bar.update(done, context_.clock().monotonic());
      return !interrupted();
    };
    auto sealed = store::seal_package(source, journal.content_key(), stores_.blobs(),
                                      context_.random(), options);
    if (!sealed) return sealed.error();
    SP_ASSIGN(Secret32 key, Secret32::from(journal.content_key().reveal()));
    return SealedUpload{*sealed, std::move(key)};
  }

 private:
  Context& context_;
  OpenStore& stores_;
  const UploadPlan& plan_;
};

/// Passes a stream on, with a bar, until an interrupt.
class WatchedSource final : public store::ByteSource {
 public:
  WatchedSource(Context& context, std::unique_ptr<store::ByteSource> source,
                const std::string& what, std::uint64_t total)
      : context_(context), source_(std::move(source)), bar_(context.console(), what, total) {}

  Result<std::size_t> read(MutableByteView out) override {
    if (interrupted()) return interruption("the download");
    SP_ASSIGN(const std::size_t size, source_->read(out));
    done_ += size;
    bar_.update(done_, context_.clock().monotonic());
    return size;
  }

 private:
  Context& context_;
  std::unique_ptr<store::ByteSource> source_;
  ProgressBar bar_;
  std::uint64_t done_ = 0;
};

}  // namespace

Result<SealedUpload> upload_stream(Context& context, OpenStore& stores, const UploadPlan& plan,
                                   const SourceMaker& make_source,
                                   const std::function<Status(const SealedUpload&)>& keep) {
  catch_interrupts();
  store::keep_freed_buffers();
  Upload upload(context, stores, plan);
  for (bool again = false;; again = true) {
    SP_ASSIGN(const auto journal, upload.open_journal());
    SP_ASSIGN(const auto source, make_source());
    auto sealed = upload.seal(*journal, *source);
    if (sealed) {
      if (keep) SP_TRY(keep(*sealed));
      journal->forget();
      return sealed;
    }
    if (sealed.error().code == Errc::conflict && !again) {
      context.console().note(plan.what + " has changed since its upload began: it begins anew.");
      journal->forget();
      continue;
    }
    if (sealed.error().code == Errc::cancelled) return interruption("uploading " + plan.what);
    return sealed.error().in("uploading " + plan.what);
  }
}

Result<std::unique_ptr<Download>> Download::begin(Context& context, OpenStore& stores,
                                                  const store::PackageId& id) {
  catch_interrupts();
  store::keep_freed_buffers();
  SP_ASSIGN(const Path folder, transfers_folder(context));
  const Path own = folder / id.hex();
  SP_ASSIGN(auto turn, in_turn(context, "downloading " + id.hex().substr(0, 8),
                               [&] { return apps::FolderLock::try_take(context.files(), own); }));
  std::unique_ptr<Download> download(new Download(context, stores, own, std::move(turn)));
  auto package = store::Package::fetch(download->spool_, id);
  if (!package) {
    // Whoever mistypes an id leaves nothing behind, nor who has moved nothing yet.
    std::error_code kept;
    if (package.error().code == Errc::not_found) download->finish();
    std::filesystem::remove(own, kept);
    return package.error();
  }
  download->package_ = *std::move(package);
  return download;
}

std::unique_ptr<store::ByteSource> Download::open(const Secret32& key, const std::string& what) {
  return std::make_unique<WatchedSource>(context_, package_->open_stream(key, kTransferThreads),
                                         what, package_->manifest().stream_size);
}

// As a link, which is there whole or not at all.
Status Download::opens_into(const Path& place) {
  const CrashEffect effect(CrashSite::download_noted);
  std::error_code failed;
  std::filesystem::remove(folder_ / kOpenedLink, failed);
  std::filesystem::create_symlink(place, folder_ / kOpenedLink, failed);
  if (failed) return Error{Errc::io, folder_.string() + ": " + failed.message()};
  return {};
}

void Download::opens_nowhere() {
  std::error_code ignored;
  std::filesystem::remove(folder_ / kOpenedLink, ignored);
}

bool Download::opened_into(const Path& place) const {
  std::error_code failed;
  const Path noted = std::filesystem::read_symlink(folder_ / kOpenedLink, failed);
  return !failed && noted == place;
}

// The note goes last: with it the same command still knows that all is done.
void Download::finish() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  {
    const CrashEffect effect(CrashSite::download_done);
    std::error_code failed;
    for (fs::directory_iterator entry(folder_, failed), end; !failed && entry != end;
         entry.increment(failed)) {
      if (entry->path().filename() != kOpenedLink) fs::remove_all(entry->path(), ignored);
    }
  }
  fs::remove_all(folder_, ignored);
}

}  // namespace sp::spctl
