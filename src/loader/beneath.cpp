#include "loader/beneath.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace sp::loader {
namespace {

constexpr std::size_t kPartMax = 255;

Error open_error(const std::string& name) {
  Error error = errno_error("open", name);
  if (errno == ENOENT) error.code = Errc::not_found;
  if (errno == EXDEV || errno == ELOOP || errno == ENOTDIR) error.code = Errc::refused;
  return error;
}

}  // namespace

Result<std::vector<std::string>> split_name(std::string_view name) {
  const std::string shown(name.substr(0, 200));
  if (name.size() > kNamePathMax) return Error{Errc::refused, "a path over 4096 bytes: " + shown};
  if (name.empty()) return Error{Errc::refused, "an empty path"};
  if (name.front() == '/') return Error{Errc::refused, "an absolute path: " + shown};
  if (name.find('\0') != std::string_view::npos) return Error{Errc::refused, "a path with NUL"};
  std::vector<std::string> parts;
  while (!name.empty()) {
    const std::size_t end = std::min(name.find('/'), name.size());
    const std::string_view part = name.substr(0, end);
    name.remove_prefix(std::min(end + 1, name.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") return Error{Errc::refused, "a path with \"..\": " + shown};
    if (part.size() > kPartMax) return Error{Errc::refused, "a name over 255 bytes: " + shown};
    parts.emplace_back(part);
  }
  if (parts.size() > kNameDepthMax) return Error{Errc::refused, "a path too deep: " + shown};
  return parts;
}

Result<Fd> open_beneath(int folder, const std::string& name, int flags, Links links,
                        unsigned mode) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_NO_MAGICLINKS |
                (links == Links::in_root ? RESOLVE_IN_ROOT : RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  Fd fd(static_cast<int>(::syscall(SYS_openat2, folder, name.c_str(), &how, sizeof how)));
  if (!fd.valid()) return open_error(name);
  return fd;
}

Result<std::string> read_beneath(int folder, const std::string& name, std::size_t size_max,
                                 Links links) {
  // O_NONBLOCK: a FIFO must not block us before we see that it is none of our files.
  SP_ASSIGN(const Fd fd, open_beneath(folder, name, O_RDONLY | O_NONBLOCK, links));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return errno_error("stat", name);
  if (!S_ISREG(info.st_mode)) return Error{Errc::refused, name + " is not a file"};
  if (static_cast<std::uint64_t>(info.st_size) > size_max) {
    return Error{Errc::too_large, name + " has " + std::to_string(info.st_size) +
                                      " bytes, at most " + std::to_string(size_max)};
  }
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t at = 0;
  while (at < text.size()) {
    const ssize_t got = ::read(fd.get(), text.data() + at, text.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("read", name);
    if (got == 0) break;
    at += static_cast<std::size_t>(got);
  }
  text.resize(at);
  return text;
}

}  // namespace sp::loader
