// Opening an order's parts: from sealed packages in stores to a root file system and inputs in
// memory.
//
// A blob that can't be had or isn't what its digest says is the store's or the host's fault, so the
// provider's. What matches its digest and still doesn't open, or isn't an image, or is too large
// for the order's disk, is the part's fault.
#pragma once

#include "loader/rootfs.hpp"
#include "loader/session.hpp"
#include "loader/workspace.hpp"
#include "store/package.hpp"

namespace sp::loader {

/// Opens a package into an existing empty folder.
Status open_package(store::BlobStore& store, const Digest32& package, const Secret32& key,
                    const Workspace& workspace, const Path& folder, std::uint8_t part,
                    Blame& blame);

/// The unpacked image: what it says, and whom it runs as.
struct OpenedImage {
  ImageConfig config;
  ImageUser user;
};

/// Opens the solution into the workspace's root file system, with mount points for `inputs` inputs.
Result<OpenedImage> open_image(store::BlobStore& store, const Digest32& package,
                               const Secret32& key, const Workspace& workspace, std::size_t inputs,
                               Blame& blame);

/// The container's command and environment: the image's, with the order's arguments in place of the
/// image's command where there are any, and its variables over the image's. Errc::malformed where
/// nothing is to be run.
struct CommandLine {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::string search_path;  ///< PATH in that environment
};
Result<CommandLine> command_line(const ImageConfig& config, const api::Arguments& arguments);

}  // namespace sp::loader
