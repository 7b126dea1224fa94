#include "store/stream.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace sp::store {
namespace {

constexpr std::size_t kCopyBufferSize = 256 << 10;

class FileSource final : public ByteSource {
 public:
  FileSource(Fd fd, Path path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::size_t> read(MutableByteView out) override {
    for (;;) {
      const ssize_t got = ::read(fd_.get(), out.data(), out.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return errno_error("read", path_);
    }
  }

 private:
  Fd fd_;
  Path path_;
};

}  // namespace

Result<std::size_t> MemorySource::read(MutableByteView out) {
  const std::size_t size = std::min(out.size(), rest_.size());
  std::copy_n(rest_.begin(), size, out.begin());
  rest_ = rest_.subspan(size);
  return size;
}

Status MemorySink::write(ByteView bytes) {
  if (bytes.size() > size_max_ - bytes_.size()) {
    return Error{Errc::too_large, "more than " + std::to_string(size_max_) + " bytes"};
  }
  append(bytes_, bytes);
  return {};
}

Result<std::unique_ptr<ByteSource>> open_file_source(const Path& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd.valid()) {
    Error error = errno_error("open", path);
    if (errno == ENOENT) error.code = Errc::not_found;
    return error;
  }
  return fd_source(std::move(fd), path);
}

std::unique_ptr<ByteSource> fd_source(Fd file, const Path& path) {
  return std::make_unique<FileSource>(std::move(file), path);
}

Result<std::size_t> read_full(ByteSource& source, MutableByteView out) {
  std::size_t done = 0;
  while (done < out.size()) {
    SP_ASSIGN(const std::size_t got, source.read(out.subspan(done)));
    SP_CHECK(got <= out.size() - done);
    if (got == 0) break;
    done += got;
  }
  return done;
}

Result<std::uint64_t> copy_stream(ByteSource& source, ByteSink& sink) {
  Bytes buffer(kCopyBufferSize);
  std::uint64_t done = 0;
  for (;;) {
    SP_ASSIGN(const std::size_t got, source.read(buffer));
    if (got == 0) return done;
    SP_TRY(sink.write(ByteView(buffer).first(got)));
    done += got;
  }
}

}  // namespace sp::store
