// Settings of `spnode store`. A value; safe to call from any thread.
#pragma once

#include "common/operation.hpp"

namespace sp::apps {

/// {"listen", "folder", "key": FILE, "bytesMax"}
struct StoreSettings {
  Listen listen;
  Path folder;                  ///< of the blobs
  Path key;                     ///< raw 32 bytes: the secp256k1 key that signs storage receipts
  std::uint64_t bytes_max = 0;  ///< of all blobs together; 0 = as much as the disk has
  Operation operation;

  /// Errc::not_found, Errc::malformed, Errc::io; of the others as well.
  static Result<StoreSettings> load(const Files& files, const Path& path);
  [[nodiscard]] std::string to_json() const;
};

}  // namespace sp::apps
