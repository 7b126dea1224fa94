#include "api/arguments.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/codec.hpp"
#include "crypto/hash.hpp"

namespace sp::api {
namespace {

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

// Writes into memory that never moves, so that no copy of a secret stays behind.
class SecretWriter {
 public:
  explicit SecretWriter(std::size_t size) : secret_(size) {}

  SecretWriter& number(std::uint64_t value, int size) {
    for (int shift = size * 8 - 8; shift >= 0; shift -= 8) {
      put_byte(static_cast<std::uint8_t>(value >> shift));
    }
    return *this;
  }
  SecretWriter& raw(ByteView bytes) {
    for (const std::uint8_t byte : bytes) put_byte(byte);
    return *this;
  }
  SecretBytes take() {
    SP_CHECK(used_ == secret_.size());
    return std::move(secret_);
  }

 private:
  void put_byte(std::uint8_t byte) {
    SP_CHECK(used_ < secret_.size());
    secret_.writable()[used_++] = byte;
  }

  SecretBytes secret_;
  std::size_t used_ = 0;
};

std::string value_of(const Arguments& arguments, std::string_view name) {
  if (name == "argv.count") return std::to_string(arguments.argv.size());
  if (name == "env.count") return std::to_string(arguments.environment.size());
  if (name.starts_with("argv[")) {
    std::size_t index = 0;
    const std::string_view digits = name.substr(5);
    std::from_chars(digits.data(), digits.data() + digits.size(), index);
    return index < arguments.argv.size() ? arguments.argv[index] : "";
  }
  const std::string_view variable = name.substr(std::string_view("env.").size());
  for (const auto& [key, value] : arguments.environment) {
    if (key == variable) return value;
  }
  return "";
}

bool is_rule_name(std::string_view name) {
  if (name == "argv.count" || name == "env.count") return true;
  if (name.starts_with("env.")) return name.size() > 4;
  if (!name.starts_with("argv[") || !name.ends_with("]")) return false;
  const std::string_view digits = name.substr(5, name.size() - 6);
  return !digits.empty() && digits.size() <= 4 &&
         std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<ArgumentRule> read_rules(Reader& reader) {
  std::vector<ArgumentRule> rules(reader.count(kConditionsMax));
  for (ArgumentRule& rule : rules) {
    rule.name = reader.text(kArgumentsSizeMax);
    if (!is_rule_name(rule.name)) reader.fail(Errc::malformed, "unknown condition");
    rule.allowed.resize(reader.count(kArgumentsMax));
    for (std::string& value : rule.allowed) value = reader.text(kArgumentsSizeMax);
  }
  return rules;
}

Bytes write_rules(const std::vector<ArgumentRule>& rules) {
  Writer writer;
  writer.u16(static_cast<std::uint16_t>(rules.size()));
  for (const ArgumentRule& rule : rules) {
    writer.text(rule.name).u16(static_cast<std::uint16_t>(rule.allowed.size()));
    for (const std::string& value : rule.allowed) writer.text(value);
  }
  return std::move(writer).take();
}

}  // namespace

Bytes Arguments::encode() const {
  Writer writer;
  writer.u16(static_cast<std::uint16_t>(argv.size()));
  for (const std::string& argument : argv) writer.text(argument);
  writer.u16(static_cast<std::uint16_t>(environment.size()));
  for (const auto& [name, value] : environment) writer.text(name).text(value);
  return std::move(writer).take();
}

Result<Arguments> Arguments::decode(ByteView bytes) {
  if (bytes.size() > kArgumentsSizeMax) return Error{Errc::too_large, "arguments over 64 KiB"};
  Reader reader(bytes);
  Arguments arguments;
  arguments.argv.resize(reader.count(kArgumentsMax));
  for (std::string& argument : arguments.argv) {
    argument = reader.text(kArgumentsSizeMax);
    if (has_nul(argument)) reader.fail(Errc::malformed, "an argument with NUL");
  }
  arguments.environment.resize(reader.count(kArgumentsMax));
  const std::string* before = nullptr;
  for (auto& [name, value] : arguments.environment) {
    name = reader.text(kArgumentsSizeMax);
    value = reader.text(kArgumentsSizeMax);
    const bool bad_name = name.empty() || has_nul(name) || name.find('=') != std::string::npos;
    if (bad_name || has_nul(value)) reader.fail(Errc::malformed, "not a variable");
    if (before != nullptr && *before >= name) reader.fail(Errc::malformed, "variables not sorted");
    before = &name;
  }
  SP_TRY(reader.finish());
  return arguments;
}

Digest32 argument_commitment(const Secret32& order_secret, const Arguments& arguments) {
  return crypto::hmac_sha256(order_secret.reveal(), arguments.encode());
}

Status check_arguments(const Arguments& arguments, const std::vector<ArgumentRule>& rules) {
  for (const ArgumentRule& rule : rules) {
    const std::string value = value_of(arguments, rule.name);
    if (std::find(rule.allowed.begin(), rule.allowed.end(), value) == rule.allowed.end()) {
      // The value itself is the customer's secret and stays out of the message.
      return Error{Errc::refused, "the owner's policy doesn't allow the value of " + rule.name};
    }
  }
  return {};
}

Result<std::vector<ArgumentRule>> argument_rules_from_json(const Json& json,
                                                           const std::string& where) {
  if (!json.is_object()) return Error{Errc::malformed, where + " must be an object"};
  if (json.size() > kConditionsMax) return Error{Errc::too_large, where + " has too many rules"};
  std::vector<ArgumentRule> rules;
  for (const auto& [name, values] : json.items()) {
    if (!is_rule_name(name)) {
      return Error{Errc::malformed,
                   where + " knows argv.count, env.count, argv[N], env.NAME; not " + name};
    }
    if (!values.is_array() || values.size() > kArgumentsMax) {
      return Error{Errc::malformed, where + "." + name + " must be a list of texts"};
    }
    ArgumentRule rule{name, {}};
    for (const Json& value : values) {
      if (!value.is_string()) {
        return Error{Errc::malformed, where + "." + name + " must be a list of texts"};
      }
      rule.allowed.push_back(value.get<std::string>());
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

Json argument_rules_to_json(const std::vector<ArgumentRule>& rules) {
  Json json = Json::object();
  for (const ArgumentRule& rule : rules) json[rule.name] = rule.allowed;
  return json;
}

SecretBytes PartSecret::encode() const {
  SecretWriter writer(key.kSize + 4 + arguments.size());
  writer.raw(key.reveal()).number(arguments.size(), 4).raw(arguments.reveal());
  return writer.take();
}

Result<PartSecret> PartSecret::decode(ByteView bytes) {
  Reader reader(bytes);
  const ByteView key = reader.raw(Secret32::kSize);
  const ByteView arguments = reader.var(kArgumentsSizeMax);
  SP_TRY(reader.finish());
  SP_ASSIGN(Secret32 secret, Secret32::from(key));
  return PartSecret{std::move(secret), SecretBytes(arguments)};
}

SecretBytes ReleasedSecret::encode() const {
  const SecretBytes inner = secret.encode();
  const Bytes rules = write_rules(conditions);
  SecretWriter writer(4 + inner.size() + rules.size());
  writer.number(inner.size(), 4).raw(inner.reveal()).raw(rules);
  return writer.take();
}

Result<ReleasedSecret> ReleasedSecret::decode(ByteView bytes) {
  Reader reader(bytes);
  const ByteView inner = reader.var(kSecretSizeMax);
  std::vector<ArgumentRule> conditions = read_rules(reader);
  SP_TRY(reader.finish());
  SP_ASSIGN(PartSecret secret, PartSecret::decode(inner));
  return ReleasedSecret{std::move(secret), std::move(conditions)};
}

}  // namespace sp::api
