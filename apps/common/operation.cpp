#include "common/operation.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace sp::apps {
namespace {

constexpr std::size_t kLevelNameMax = 16;
constexpr std::array<std::pair<std::string_view, LogLevel>, 4> kLevels{
    {{"debug", LogLevel::debug},
     {"info", LogLevel::info},
     {"warning", LogLevel::warning},
     {"error", LogLevel::error}}};

std::optional<LogLevel> read_log(JsonObject& object) {
  JsonObject fields(object.any("log"), "log");
  const std::string name = fields.text("level", kLevelNameMax);
  if (const Status read = fields.finish(); !read) {
    object.fail("log", read.error().message);
    return {};
  }
  const auto level = log_level_from(name);
  if (!level) {
    object.fail("log", level.error().message);
    return {};
  }
  return *level;
}

}  // namespace

Result<LogLevel> log_level_from(std::string_view name) {
  for (const auto& [known, level] : kLevels) {
    if (known == name) return level;
  }
  return Error{Errc::malformed, "the level must be debug, info, warning or error"};
}

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1";
}

Operation read_operation(JsonObject& object) {
  Operation operation;
  if (object.has("log")) operation.log_level = read_log(object);
  if (object.has("metrics")) operation.metrics = read_listen(object, "metrics");
  return operation;
}

void add_operation(Json& json, const Operation& operation) {
  for (const auto& [name, level] : kLevels) {
    if (operation.log_level == level) json["log"] = {{"level", name}};
  }
  if (operation.metrics) json["metrics"] = listen_json(*operation.metrics);
}

}  // namespace sp::apps
