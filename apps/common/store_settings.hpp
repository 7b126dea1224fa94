// Settings of `spnode store`. A value; safe to call from any thread.
#pragma once

#include "common/operation.hpp"
#include "store/remote/account_book.hpp"
#include "store/remote/s3_location.hpp"

namespace sp::apps {

/// Blobs in a bucket in place of a folder: {"url": "s3://BUCKET/PREFIX"}, and where wanted
/// "endpoint", "region", "credentialsFile", "profile", "pathStyle", "caFile"; what is absent is as
/// in AWS's environment variables.
struct BucketSettings {
  store::S3Location location;
  store::S3Choices choices;
  std::string ca_file;  ///< who may vouch for the server besides the system's
};

/// {"listen", "folder", "key": FILE, "bytesMax", "accounts": "open" or {ADDRESS: bytes},
/// "quotaBytes", "quotaBlobs", "anonymousWrites", "backend": {"s3": BucketSettings}}; who may write
/// is absent where nobody may.
struct StoreSettings {
  Listen listen;
  Path folder;                  ///< of the blobs, and of who wrote which
  Path key;                     ///< raw 32 bytes: the secp256k1 key that signs storage receipts
  std::uint64_t bytes_max = 0;  ///< of all blobs together; 0 = as much as the disk has
  store::StoreAccounts accounts;
  bool anonymous_writes = false;
  std::optional<BucketSettings> bucket;  ///< the blobs lie there, not in the folder
  Operation operation;

  /// Errc::not_found, Errc::malformed, Errc::io; of the others as well.
  static Result<StoreSettings> load(const Files& files, const Path& path);
  [[nodiscard]] std::string to_json() const;
};

}  // namespace sp::apps
