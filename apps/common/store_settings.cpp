#include "common/store_settings.hpp"

#include <nlohmann/json.hpp>

namespace sp::apps {
namespace {

constexpr std::uint64_t kBytesMax = ~std::uint64_t{0} >> 1;

}  // namespace

Result<StoreSettings> StoreSettings::load(const Files& files, const Path& path) {
  SP_ASSIGN(const Json json, read_settings_json(files, path));
  JsonObject object(json, path.filename().string());
  StoreSettings settings;
  settings.listen = read_listen(object);
  settings.folder = object.text("folder", kPathMax);
  settings.key = object.text("key", kPathMax);
  settings.bytes_max = object.number("bytesMax", kBytesMax);
  settings.operation = read_operation(object);
  SP_TRY(object.finish());
  return settings;
}

std::string StoreSettings::to_json() const {
  Json json{{"listen", listen_json(listen)},
            {"folder", folder.string()},
            {"key", key.string()},
            {"bytesMax", bytes_max}};
  add_operation(json, operation);
  return settings_text(json);
}

}  // namespace sp::apps
