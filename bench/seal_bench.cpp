// Sealing and unsealing: from memory to nowhere, and from a file to a file as `spctl` does it, as a
// tree of one file.
//
//   seal_bench memory MIB THREADS       JSON lines: bytes per second of sealing and of unsealing
//   seal_bench seal IN OUT THREADS      seals a file; OUT holds its blobs, one behind the other,
//                                       and OUT.places where each lies
//   seal_bench open IN FOLDER THREADS   opens what that has sealed, into a folder that exists
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>

#include "arguments.hpp"
#include "crypto/random.hpp"
#include "store/buffers.hpp"
#include "store/package.hpp"
#include "store/tree.hpp"

namespace sp::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr const char* kName = "out";            // of the file in its tree
constexpr std::size_t kPatternSize = 16 << 20;  // of random bytes, given again and again

/// `total` bytes of a pattern in memory.
class PatternSource final : public store::ByteSource {
 public:
  PatternSource(ByteView pattern, std::uint64_t total) : pattern_(pattern), left_(total) {}
  Result<std::size_t> read(MutableByteView out) override {
    const std::size_t at = static_cast<std::size_t>(done_ % pattern_.size());
    std::size_t size = std::min(out.size(), pattern_.size() - at);
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, left_));
    std::copy_n(pattern_.begin() + static_cast<std::ptrdiff_t>(at), size, out.begin());
    done_ += size;
    left_ -= size;
    return size;
  }

 private:
  ByteView pattern_;
  std::uint64_t left_;
  std::uint64_t done_ = 0;
};

/// Takes everything, keeps nothing.
class NullStore final : public store::BlobStore {
 public:
  Status put(const store::BlobId&, ByteView) override { return {}; }
  Result<Bytes> get(const store::BlobId& id, std::size_t) override {
    return Error{Errc::not_found, id.hex()};
  }
  Result<std::uint64_t> size(const store::BlobId& id) override {
    return Error{Errc::not_found, id.hex()};
  }
};

class NullSink final : public store::ByteSink {
 public:
  Status write(ByteView) override { return {}; }
};

/// Blobs one behind the other in a file; in memory is where they lie.
class FileStore final : public store::BlobStore {
 public:
  explicit FileStore(Fd file) : file_(std::move(file)) {}
  /// Where the blobs lie, and the package's name first.
  void keep_places(const char* path, const store::PackageId& package) const {
    std::ofstream out(path);
    out << package.hex() << '\n';
    for (const auto& [id, place] : places_) {
      out << id.hex() << ' ' << place.at << ' ' << place.size << '\n';
    }
  }
  store::PackageId read_places(const char* path) {
    std::ifstream in(path);
    std::string package, id;
    in >> package;
    for (Place place; in >> id >> place.at >> place.size;) places_[id_of(id)] = place;
    return id_of(package);
  }
  Status put(const store::BlobId& id, ByteView bytes) override {
    std::uint64_t at = 0;
    {
      const std::lock_guard lock(mutex_);
      at = end_;
      end_ += bytes.size();
      places_[id] = {at, bytes.size()};
    }
    while (!bytes.empty()) {
      const ssize_t written =
          ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
      if (written <= 0) return errno_error("write");
      at += static_cast<std::size_t>(written);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
  }
  Result<Bytes> get(const store::BlobId& id, std::size_t) override {
    const auto found = places_.find(id);
    if (found == places_.end()) return Error{Errc::not_found, id.hex()};
    Bytes bytes(found->second.size);
    if (::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(found->second.at)) !=
        static_cast<ssize_t>(bytes.size())) {
      return errno_error("read");
    }
    return bytes;
  }
  Result<std::uint64_t> size(const store::BlobId& id) override { return places_.at(id).size; }

 private:
  struct Place {
    std::uint64_t at = 0;
    std::size_t size = 0;
  };
  static store::BlobId id_of(const std::string& hex) {
    const auto id = store::BlobId::from_hex(hex);
    return id ? *id : store::BlobId{};
  }

  std::mutex mutex_;
  std::map<store::BlobId, Place> places_;
  std::uint64_t end_ = 0;
  Fd file_;
};

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "seal_bench: %s\n", result.error().message.c_str());
  std::exit(1);
}

void must(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "seal_bench: %s\n", status.error().message.c_str());
  std::exit(1);
}

/// Wall and processor time from its making on.
class Timing {
 public:
  void tell(const char* what, std::uint64_t bytes, unsigned threads) const {
    const double seconds = std::chrono::duration<double>(SteadyClock::now() - since_).count();
    const rusage now = used();
    std::fprintf(stdout,
                 "{\"bench\":\"seal.%s\",\"bytes\":%llu,\"threads\":%u,\"seconds\":%.4f,"
                 "\"processorSeconds\":%.4f,\"maxRssKib\":%ld}\n",
                 what, static_cast<unsigned long long>(bytes), threads, seconds,
                 processor(now) - processor(before_), now.ru_maxrss);
    std::fflush(stdout);
  }

 private:
  static rusage used() {
    rusage now{};
    ::getrusage(RUSAGE_SELF, &now);
    return now;
  }
  static double processor(const rusage& used) {
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
  }

  SteadyClock::time_point since_ = SteadyClock::now();
  rusage before_ = used();
};

store::SealOptions with(unsigned threads) {
  store::SealOptions options;
  options.threads = threads;
  return options;
}

void in_memory(std::uint64_t bytes, unsigned threads) {
  crypto::SystemRandom random;
  Bytes pattern(kPatternSize);
  random.fill(pattern);
  {
    NullStore store;
    PatternSource source(pattern, bytes);
    const Timing timing;
    must(store::seal_package(source, Secret32{}, store, random, with(threads)));
    timing.tell("seal", bytes, threads);
  }
  // The sealed bytes lie in memory that isn't counted to this process: what is, is the opening's.
  FileStore store(Fd(::memfd_create("sealed", MFD_CLOEXEC)));
  PatternSource source(pattern, bytes);
  const auto sealed = must(store::seal_package(source, Secret32{}, store, random, with(threads)));
  const auto package = must(store::Package::fetch(store, sealed.id));
  NullSink sink;
  const Timing timing;
  must(package.open(Secret32{}, sink, threads));
  timing.tell("unseal", bytes, threads);
}

void seal_file(const std::string& from, const std::string& to, unsigned threads) {
  crypto::SystemRandom random;
  const Timing timing;
  const auto source = must(store::read_tree({{kName, from}}, store::OddEntries::refuse));
  FileStore store(Fd(::open(to.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600)));
  const auto sealed = must(store::seal_package(*source, Secret32{}, store, random, with(threads)));
  timing.tell("seal", sealed.sealed_size, threads);
  store.keep_places((to + ".places").c_str(), sealed.id);
}

void open_file(const std::string& from, const std::string& to, unsigned threads) {
  const Timing timing;
  FileStore store(Fd(::open(from.c_str(), O_RDONLY | O_CLOEXEC)));
  const auto package =
      must(store::Package::fetch(store, store.read_places((from + ".places").c_str())));
  const std::uint64_t size = package.manifest().stream_size;
  const auto tar = package.open_stream(Secret32{}, threads);
  must(store::write_tree(*tar, to, {size}));
  timing.tell("open", size, threads);
}

}  // namespace
}  // namespace sp::bench

int main(int count, char** arguments) {
  sp::store::keep_freed_buffers();
  const auto is = [&](const char* name, int wanted) {
    return count == wanted && std::string_view(arguments[1]) == name;
  };
  if (is("memory", 4)) {
    sp::bench::in_memory(sp::bench::number(arguments[2]) << 20,
                         static_cast<unsigned>(sp::bench::number(arguments[3])));
    return 0;
  }
  if (is("seal", 5) || is("open", 5)) {
    const auto work = is("seal", 5) ? sp::bench::seal_file : sp::bench::open_file;
    work(arguments[2], arguments[3], static_cast<unsigned>(sp::bench::number(arguments[4])));
    return 0;
  }
  std::fputs("usage: seal_bench memory MIB THREADS | seal|open FROM TO THREADS\n", stderr);
  return 2;
}
