// keys: people's keys, kept in HOME/keys.
#include <nlohmann/json.hpp>

#include "chain/keystore.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"

namespace sp::spctl {
namespace {

constexpr std::size_t kSecretFileMax = 256;

struct KeyOptions {
  std::string name;
  std::string secret_file;
  std::string keystore;
  std::string keystore_password;
};

Json key_json(const KeyInfo& key) { return {{"name", key.name}, {"address", key.address.hex0x()}}; }

Result<int> create_key(Context& context, const KeyOptions& options) {
  SP_TRY(context.keys().create(options.name));
  SP_ASSIGN(const KeyInfo key, context.keys().info(options.name));
  context.console().line(key.address.hex0x());
  context.console().result(key_json(key));
  return 0;
}

Result<int> list_keys(Context& context) {
  SP_ASSIGN(const auto keys, context.keys().list());
  Json all = Json::array();
  std::vector<std::vector<std::string>> rows{{"NAME", "ADDRESS"}};
  for (const KeyInfo& key : keys) {
    rows.push_back({key.name, key.address.hex0x()});
    all.push_back(key_json(key));
  }
  context.console().text(table(rows));
  context.console().result({{"keys", std::move(all)}});
  return 0;
}

Result<int> show_key(Context& context, const KeyOptions& options) {
  SP_ASSIGN(const KeyInfo key, context.keys().info(options.name));
  SP_ASSIGN(const crypto::X25519KeyPair result, context.keys().load_result_key(options.name));
  Json json = key_json(key);
  json["resultKey"] = result.public_key.hex();
  context.console().line(json.dump(2));
  context.console().result(json);
  return 0;
}

// A private key in hexadecimal, in a file that its owner alone can read.
Result<crypto::EthKey> read_secret(const Files& files, const Path& path) {
  SP_ASSIGN(Bytes text, files.read(path, kSecretFileMax));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  Secret32 secret;
  const Status read = from_hex_into(as_text(text), secret.writable());
  wipe(text);
  if (!read) return read.error().in(path.string());
  return crypto::EthKey::from_secret(std::move(secret));
}

Result<crypto::EthKey> read_keystore(const Files& files, const KeyOptions& options) {
  SP_ASSIGN(const Bytes json, files.read(options.keystore, chain::kKeystoreSizeMax));
  SP_ASSIGN(Bytes password, files.read(options.keystore_password, kPasswordMax));
  while (!password.empty() && (password.back() == '\n' || password.back() == '\r')) {
    password.pop_back();
  }
  auto key = chain::keystore_decrypt(as_text(json), password);
  wipe(password);
  return key;
}

Result<int> import_key(Context& context, const KeyOptions& options) {
  if (options.secret_file.empty() == options.keystore.empty() ||
      options.keystore.empty() != options.keystore_password.empty()) {
    return failure(Errc::usage, "nothing is imported", "the source isn't clear",
                   "Give --secret-file, or --keystore with --keystore-password");
  }
  SP_ASSIGN(const crypto::EthKey key, options.keystore.empty()
                                          ? read_secret(context.files(), options.secret_file)
                                          : read_keystore(context.files(), options));
  SP_TRY(context.keys().import(options.name, key));
  context.console().line(key.address().hex0x());
  context.console().result({{"name", options.name}, {"address", key.address().hex0x()}});
  return 0;
}

}  // namespace

void add_key_commands(Cli& cli) {
  apps::Command keys = cli.add(cli.app(), "keys", "Your keys", "  spctl keys list");
  keys.require_command();
  auto options = std::make_shared<KeyOptions>();
  const auto add = [&](const char* name, const char* description, const char* example,
                       Result<int> (*act)(Context&, const KeyOptions&)) {
    apps::Command command =
        cli.add(keys, name, description, std::string("  spctl keys ") + example);
    command.add_option("NAME", options->name, "Name of the key").required();
    cli.on(command, [options, act](Context& context) { return act(context, *options); });
    return command;
  };
  add("create", "Make a key; prints its account", "create data-owner", create_key);
  add("show", "One key's public side", "show me", show_key);
  apps::Command command =
      add("import", "Keep a key from elsewhere; prints its account",
          "import old --keystore UTC--2026 --keystore-password pw.txt", import_key);
  command.add_option("--secret-file", options->secret_file, "File with the key in hexadecimal");
  command.add_option("--keystore", options->keystore, "Keystore file, version 3");
  command.add_option("--keystore-password", options->keystore_password,
                     "File with the keystore's password");
  command = cli.add(keys, "list", "All keys", "  spctl keys list --json");
  cli.on(command, [](Context& context) { return list_keys(context); });
}

}  // namespace sp::spctl
