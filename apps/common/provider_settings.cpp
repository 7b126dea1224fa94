#include "common/provider_settings.hpp"

#include <nlohmann/json.hpp>

#include "common/services.hpp"

namespace sp::apps {
namespace {

constexpr std::uint32_t kConfirmationsMax = 10'000;

}  // namespace

Result<ProviderSettings> ProviderSettings::load(const Files& files, const Path& path) {
  SP_ASSIGN(const Json json, read_settings_json(files, path));
  JsonObject object(json, path.filename().string());
  ProviderSettings settings;
  settings.listen = read_listen(object);
  settings.folder = object.text("folder", kPathMax);
  settings.action_key = object.text("actionKey", kPathMax);
  settings.authority = object.fixed<Address>("authority");
  settings.follows = read_followed(object);
  settings.confirmations =
      static_cast<std::uint32_t>(object.number("confirmations", kConfirmationsMax));
  settings.loader = object.text("loader", kPathMax);
  settings.runc = object.text("runc", kPathMax);
  settings.platform = object.text("platform", kPathMax);
  settings.capacity = static_cast<std::uint32_t>(object.number("capacity", kCapacityMax));
  settings.queue = static_cast<std::uint32_t>(object.number("queue", kQueueMax));
  SP_ASSIGN(settings.services, services_from_json(object.any("services"), "services"));
  settings.ca_file = read_ca_file(object);
  if (object.has("stopGraceSeconds")) {
    settings.stop_grace_seconds =
        static_cast<std::uint32_t>(object.number("stopGraceSeconds", kStopGraceMax));
  }
  settings.operation = read_operation(object);
  SP_TRY(object.finish());
  return settings;
}

std::string ProviderSettings::to_json() const {
  Json json{{"listen", listen_json(listen)},
            {"folder", folder.string()},
            {"actionKey", action_key.string()},
            {"authority", authority.hex0x()},
            {"confirmations", confirmations},
            {"loader", loader.string()},
            {"runc", runc.string()},
            {"platform", platform.string()},
            {"capacity", capacity},
            {"queue", queue},
            {"services", services_to_json(services)}};
  if (!ca_file.empty()) json["caFile"] = ca_file;
  if (stop_grace_seconds != 0) json["stopGraceSeconds"] = stop_grace_seconds;
  add_followed(json, follows);
  add_operation(json, operation);
  return settings_text(json);
}

}  // namespace sp::apps
