#include "base/json.hpp"

#include <nlohmann/json.hpp>

namespace sp {
namespace {

// Builds the value through nlohmann's own builder while it watches depth and repeated keys.
class StrictSax final : public nlohmann::detail::json_sax_dom_parser<Json> {
  using Base = nlohmann::detail::json_sax_dom_parser<Json>;

 public:
  explicit StrictSax(Json& into) : Base(into, false) {}

  bool start_object(std::size_t size) {
    keys_.emplace_back();
    return enter() && Base::start_object(size);
  }
  bool end_object() {
    keys_.pop_back();
    --depth_;
    return Base::end_object();
  }
  bool start_array(std::size_t size) { return enter() && Base::start_array(size); }
  bool end_array() {
    --depth_;
    return Base::end_array();
  }
  bool key(std::string& name) {
    if (!keys_.back().insert(name).second) {
      failure = Error{Errc::malformed, "the key \"" + name + "\" stands twice"};
      return false;
    }
    return Base::key(name);
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    failure = Error{Errc::malformed, "not JSON at byte " + std::to_string(position)};
    return false;
  }

  std::optional<Error> failure;

 private:
  bool enter() {
    if (++depth_ <= kJsonDepthMax) return true;
    failure = Error{Errc::too_large, "JSON nested deeper than " + std::to_string(kJsonDepthMax)};
    return false;
  }

  std::size_t depth_ = 0;
  std::vector<std::set<std::string>> keys_;
};

const Json kNull;

}  // namespace

Result<Json> parse_json(std::string_view text, std::size_t size_max) {
  if (text.size() > size_max) {
    return Error{Errc::too_large, "JSON of " + std::to_string(text.size()) + " bytes, at most " +
                                      std::to_string(size_max)};
  }
  Json root;
  StrictSax sax(root);
  const bool read = Json::sax_parse(text.begin(), text.end(), &sax);
  if (sax.failure) return *sax.failure;
  if (!read) return Error{Errc::malformed, "not JSON"};
  return root;
}

JsonObject::JsonObject(const Json& value, std::string where)
    : value_(value), where_(std::move(where)) {
  if (!value_.is_object()) failure_ = Error{Errc::malformed, where_ + " must be an object"};
}

const Json* JsonObject::find(std::string_view key) {
  taken_.emplace(key);
  if (!value_.is_object()) return nullptr;
  const auto found = value_.find(key);
  if (found == value_.end()) {
    fail(key, "is missing");
    return nullptr;
  }
  return &*found;
}

std::string JsonObject::text(std::string_view key, std::size_t size_max) {
  const Json* found = find(key);
  if (found == nullptr) return {};
  if (!found->is_string()) {
    fail(key, "must be a text");
    return {};
  }
  auto text = found->get<std::string>();
  if (text.size() > size_max) {
    fail(key, "is longer than " + std::to_string(size_max) + " bytes");
    return {};
  }
  return text;
}

std::uint64_t JsonObject::number(std::string_view key, std::uint64_t max) {
  const Json* found = find(key);
  if (found == nullptr) return 0;
  if (!found->is_number_unsigned() || found->get<std::uint64_t>() > max) {
    fail(key, "must be a whole number from 0 to " + std::to_string(max));
    return 0;
  }
  return found->get<std::uint64_t>();
}

bool JsonObject::boolean(std::string_view key) {
  const Json* found = find(key);
  if (found == nullptr) return false;
  if (!found->is_boolean()) {
    fail(key, "must be true or false");
    return false;
  }
  return found->get<bool>();
}

const Json& JsonObject::any(std::string_view key) {
  const Json* found = find(key);
  return found == nullptr ? kNull : *found;
}

bool JsonObject::has(std::string_view key) const {
  return value_.is_object() && value_.contains(key);
}

void JsonObject::fail(std::string_view key, std::string_view message) {
  if (!failure_)
    failure_ = Error{Errc::malformed, where_ + "." + std::string(key) + " " + std::string(message)};
}

Status JsonObject::finish() const {
  if (failure_) return *failure_;
  for (const auto& [key, ignored] : value_.items()) {
    if (!taken_.contains(key))
      return Error{Errc::malformed, where_ + " has the unknown key \"" + key + "\""};
  }
  return {};
}

}  // namespace sp
