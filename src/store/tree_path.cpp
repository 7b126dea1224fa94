#include "store/tree_path.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "store/tree.hpp"

namespace sp::store {

Result<std::string> clean_tree_path(std::string_view name) {
  if (name.find('\0') != std::string_view::npos) {
    return Error{Errc::refused, "a name with a NUL byte"};
  }
  if (name.starts_with('/')) return Error{Errc::refused, "absolute name " + std::string(name)};
  std::string path;
  while (!name.empty()) {
    const std::string_view component = name.substr(0, name.find('/'));
    name.remove_prefix(std::min(name.size(), component.size() + 1));
    if (component.empty() || component == ".") continue;
    if (component == "..") return Error{Errc::refused, "a name with \"..\""};
    if (component.size() > kTreeNameMax) {
      return Error{Errc::too_large, "a name of " + std::to_string(component.size()) +
                                        " bytes, at most " + std::to_string(kTreeNameMax)};
    }
    if (!path.empty()) path += '/';
    path += component;
    if (path.size() > kTreePathMax) {
      return Error{Errc::too_large,
                   "a path of more than " + std::to_string(kTreePathMax) + " bytes"};
    }
  }
  return path;
}

std::string_view tree_parent(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

Fd open_beneath(const Fd& folder, const std::string& path, int flags, unsigned mode) {
  open_how how{};
  how.flags = static_cast<__u64>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const char* name = path.empty() ? "." : path.c_str();
  long fd = -1;
  do {
    fd = ::syscall(SYS_openat2, folder.get(), name, &how, sizeof how);
  } while (fd < 0 && (errno == EINTR || errno == EAGAIN));
  return Fd(static_cast<int>(fd));
}

}  // namespace sp::store
