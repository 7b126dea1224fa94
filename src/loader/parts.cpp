#include "loader/parts.hpp"

#include <filesystem>
#include <map>

#include "loader/container_config.hpp"
#include "store/tree.hpp"

namespace sp::loader {
namespace {

constexpr unsigned kOpenThreads = 2;

bool is_content_fault(Errc code) {
  return code == Errc::bad_signature || code == Errc::malformed || code == Errc::unsupported ||
         code == Errc::too_large || code == Errc::refused;
}

// Blames the part where the error is about its content.
Error judged(const Error& error, const Workspace& workspace, std::uint8_t part, Blame& blame) {
  const std::string where = "part " + std::to_string(part);
  if (error.code == Errc::io && workspace.content_is_full()) {
    blame.part = part;
    return {Errc::too_large, where + " is too large for the order's disk"};
  }
  if (is_content_fault(error.code)) blame.part = part;
  if (blame.part != part) return error.in(where);
  // The provider reads this: names of files and users out of the content stay inside.
  return {error.code, where + ": its content is refused: " + std::string(errc_name(error.code))};
}

Status unpack_image(const Workspace& workspace, std::size_t inputs, OpenedImage& opened) {
  SP_ASSIGN(Image image, read_image(workspace.image()));
  Rootfs rootfs(workspace.rootfs(), workspace.owner_base(), {workspace.left(), kImageEntriesMax});
  for (const ImageLayer& layer : image.layers) {
    SP_TRY(rootfs.apply(workspace.image(), layer));
    // Its space is needed for what it held. A layer that is listed twice then fails.
    std::error_code ignored;
    std::filesystem::remove(workspace.image() / layer.file, ignored);
  }
  for (const char* name : {"proc", "dev", "tmp", "sp/output"}) {
    SP_TRY(rootfs.make_mount_point(name));
  }
  for (std::size_t i = 1; i <= inputs; ++i) {
    SP_TRY(rootfs.make_mount_point("sp/inputs/" + std::to_string(i)));
  }
  const std::string& folder = image.config.working_dir;
  if (folder.find_first_not_of('/') != std::string::npos) {
    SP_TRY(rootfs.make_working_dir(folder));
  }
  SP_ASSIGN(const std::string passwd, rootfs.text_of("etc/passwd"));
  SP_ASSIGN(const std::string group, rootfs.text_of("etc/group"));
  SP_ASSIGN(opened.user, resolve_user(image.config.user, passwd, group));
  opened.config = std::move(image.config);
  return {};
}

}  // namespace

Status open_package(store::BlobStore& store, const Digest32& package, const Secret32& key,
                    const Workspace& workspace, const Path& folder, std::uint8_t part,
                    Blame& blame) {
  const auto open = [&]() -> Status {
    SP_ASSIGN(const store::Package fetched, store::Package::fetch(store, {package.data}));
    const std::unique_ptr<store::ByteSource> tar = fetched.open_stream(key, kOpenThreads);
    return store::write_tree(*tar, folder, {workspace.left(), store::kTreeEntriesMax});
  };
  const Status opened = open();
  if (!opened) return judged(opened.error(), workspace, part, blame);
  return {};
}

Result<OpenedImage> open_image(store::BlobStore& store, const Digest32& package,
                               const Secret32& key, const Workspace& workspace, std::size_t inputs,
                               Blame& blame) {
  constexpr auto kPart = static_cast<std::uint8_t>(api::Terms::kSolution);
  SP_TRY(open_package(store, package, key, workspace, workspace.image(), kPart, blame));
  OpenedImage opened;
  if (const Status unpacked = unpack_image(workspace, inputs, opened); !unpacked) {
    // The package has opened, so whatever is wrong with the image is the image's fault, but for
    // what the machine refuses.
    if (unpacked.error().code != Errc::io) blame.part = kPart;
    return judged(unpacked.error(), workspace, kPart, blame);
  }
  std::error_code ignored;
  std::filesystem::remove_all(workspace.image(), ignored);
  return opened;
}

Result<CommandLine> command_line(const ImageConfig& config, const api::Arguments& arguments) {
  CommandLine line;
  line.arguments = config.entrypoint;
  const auto& rest = arguments.argv.empty() ? config.command : arguments.argv;
  line.arguments.insert(line.arguments.end(), rest.begin(), rest.end());
  if (line.arguments.empty() || line.arguments.front().empty()) {
    return Error{Errc::malformed, "neither image nor arguments say what to run"};
  }
  std::map<std::string, std::string> variables{{"PATH", kDefaultPath}};
  for (const std::string& variable : config.environment) {
    const std::size_t equals = variable.find('=');
    variables[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  for (const auto& [name, value] : arguments.environment) variables[name] = value;
  for (const auto& [name, value] : variables) line.environment.push_back(name + "=" + value);
  line.search_path = variables["PATH"];
  return line;
}

}  // namespace sp::loader
