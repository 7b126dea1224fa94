#include "common/secret_files.hpp"

#include <sys/stat.h>

namespace sp::apps {
namespace {

constexpr mode_t kOthers = 077;

}  // namespace

Status check_private(const std::string& what, const Path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0 || (found.st_mode & kOthers) == 0) return {};
  return Error{Errc::unauthorised, what + ": others may read or write " + path.string() +
                                       "; mend it with: chmod 600 " + path.string()};
}

Result<crypto::EthKey> load_key(const Files& files, const Path& path) {
  constexpr const char* kWhat = "key";
  auto secret = load_secret(files, kWhat, path, Secret32::kSize, Secret32::from);
  if (secret) return crypto::EthKey::from_secret(std::move(*secret));
  const Errc code = secret.error().code;
  if (code != Errc::malformed && code != Errc::too_large) return secret.error();
  return Error{Errc::malformed, std::string(kWhat) + ": " + path.string() +
                                    " doesn't hold 32 bytes, as `spnode init` makes them"};
}

}  // namespace sp::apps
