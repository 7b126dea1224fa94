// Files that hold a secret: nobody but their owner may read them, and what is read is wiped.
//
// Functions; safe to call from any thread.
#pragma once

#include "base/files.hpp"
#include "base/secret.hpp"
#include "crypto/secp256k1.hpp"

namespace sp::apps {

/// Errc::unauthorised where others than its owner may read or write the file, with what to do.
/// `what` names it for people, "key". No error where it isn't there: who reads it says so.
Status check_private(const std::string& what, const Path& path);

/// Reads a file that is its owner's alone, at most `size_max` bytes, and gives it to `decode`
/// (ByteView to Result). check_private()'s error, the errors of reading, or decode's; `what` is in
/// front.
template <class Decode>
auto load_secret(const Files& files, const std::string& what, const Path& path,
                 std::size_t size_max, Decode decode) -> decltype(decode(ByteView())) {
  SP_TRY(check_private(what, path));
  auto bytes = files.read(path, size_max);
  if (!bytes) return bytes.error().in(what);
  auto decoded = decode(ByteView(*bytes));
  wipe(*bytes);
  if (!decoded) return decoded.error().in(what + ": " + path.string());
  return decoded;
}

/// A file that holds a raw 32-byte secp256k1 secret.
Result<crypto::EthKey> load_key(const Files& files, const Path& path);

}  // namespace sp::apps
