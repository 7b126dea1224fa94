// Sealing what a person has and sending it to a store; an upload that was cut off goes on.
//
// The functions block; each call uses several threads inside and is safe to call from any one.
#pragma once

#include "api/terms.hpp"
#include "spctl/transfers.hpp"

namespace sp::spctl {

struct Uploaded {
  Digest32 package;
  Secret32 key;
  std::uint64_t plaintext_size = 0;
  std::uint64_t sealed_size = 0;
};

/// Given the key of a package that is whole, before its upload is forgotten.
using KeepKey = std::function<Status(const SealedUpload&)>;

/// Whether a folder holds what a loader takes for an image: otherwise the order that it is uploaded
/// for fails and costs the base fee. Errc::usage.
Status check_image_folder(const Path& folder);

/// Seals an OCI image (a layout folder, or an archive file as `docker save` and `skopeo` make
/// them). Errc::usage (no image), Errc::not_found, Errc::refused, Errc::unavailable.
Result<Uploaded> upload_image(Context& context, OpenStore& stores, const Path& path,
                              const KeepKey& keep = {});
/// Seals a file (under its name) or the content of a folder.
Result<Uploaded> upload_data(Context& context, OpenStore& stores, const Path& path,
                             const KeepKey& keep = {});

/// Bytes of all files below a path, for progress bars; 0 where it can't be told.
std::uint64_t content_size(const Path& path);

}  // namespace sp::spctl
