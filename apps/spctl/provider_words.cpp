#include "spctl/provider_words.hpp"

#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "base/printable.hpp"

namespace sp::spctl {
namespace {

constexpr std::size_t kProgressMax = 4096;

std::string field_text(const Json& json, const char* key) {
  const auto field = json.find(key);
  if (field == json.end() || !field->is_string()) return {};
  return printable(field->get_ref<const std::string&>(), kProviderWordsMax);
}

}  // namespace

ProviderWords words_from_json(std::string_view body) {
  const auto json = parse_json(body, kProgressMax);
  if (!json || !json->is_object()) return {};
  const std::string state = field_text(*json, "state");
  const std::string stage = field_text(*json, "stage");
  // An order that runs has its loader's stage, which may be "running" as well: the workload.
  return {state == "running" ? stage : state, field_text(*json, "failure")};
}

ProviderWords ask_provider(net::HttpCaller& http, const std::string& url) {
  const auto answer = http.call("GET", url);
  if (!answer || answer->status != 200) return {};
  return words_from_json(as_text(answer->body));
}

}  // namespace sp::spctl
