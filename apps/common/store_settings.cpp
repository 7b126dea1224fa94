#include "common/store_settings.hpp"

#include <nlohmann/json.hpp>

namespace sp::apps {
namespace {

constexpr std::uint64_t kBytesMax = ~std::uint64_t{0} >> 1;

void read_quotas(JsonObject& object, const Json& list, store::StoreAccounts& accounts) {
  if (list.size() > store::kAccountsMax) return object.fail("accounts", "has too many entries");
  for (const auto& [name, bytes] : list.items()) {
    const auto account = Address::from_hex(name);
    if (!account) return object.fail("accounts", "\"" + name + "\" isn't an address");
    if (!bytes.is_number_unsigned() || bytes.get<std::uint64_t>() > kBytesMax) {
      return object.fail("accounts", "the quota of " + name + " must be a number of bytes");
    }
    accounts.quotas[*account] = bytes.get<std::uint64_t>();
  }
}

store::StoreAccounts read_accounts(JsonObject& object) {
  store::StoreAccounts accounts;
  if (object.has("accounts")) {
    const Json& who = object.any("accounts");
    accounts.open = who == "open";
    if (who.is_object()) {
      read_quotas(object, who, accounts);
    } else if (!accounts.open) {
      object.fail("accounts", "must be \"open\", or an object of addresses and bytes");
    }
  }
  if (object.has("quotaBytes")) accounts.quota_bytes = object.number("quotaBytes", kBytesMax);
  if (object.has("quotaBlobs")) accounts.quota_blobs = object.number("quotaBlobs", kBytesMax);
  return accounts;
}

Json accounts_json(const store::StoreAccounts& accounts) {
  if (accounts.open) return "open";
  Json list = Json::object();
  for (const auto& [account, bytes] : accounts.quotas) list[account.hex0x()] = bytes;
  return list;
}

Result<BucketSettings> read_bucket(const Json& json) {
  JsonObject backend(json, "backend");
  JsonObject object(backend.any("s3"), "backend.s3");
  BucketSettings bucket;
  auto location = store::S3Location::parse(object.text("url", store::kS3UrlMax));
  if (location) bucket.location = std::move(*location);
  const auto take = [&](const char* key, std::string& value) {
    if (object.has(key)) value = object.text(key, kPathMax);
  };
  take("endpoint", bucket.choices.endpoint);
  take("region", bucket.choices.region);
  take("credentialsFile", bucket.choices.credentials_file);
  take("profile", bucket.choices.profile);
  take("caFile", bucket.ca_file);
  if (object.has("pathStyle")) bucket.choices.path_style = object.boolean("pathStyle");
  SP_TRY(object.finish());
  SP_TRY(backend.finish());
  if (!location) return location.error().in("backend.s3.url");
  return bucket;
}

Json bucket_json(const BucketSettings& bucket) {
  Json s3{{"url", "s3://" + bucket.location.bucket + "/" + bucket.location.prefix},
          {"pathStyle", bucket.choices.path_style}};
  const auto put = [&](const char* key, const std::string& value) {
    if (!value.empty()) s3[key] = value;
  };
  put("endpoint", bucket.choices.endpoint);
  put("region", bucket.choices.region);
  put("credentialsFile", bucket.choices.credentials_file);
  put("profile", bucket.choices.profile);
  put("caFile", bucket.ca_file);
  return {{"s3", std::move(s3)}};
}

}  // namespace

Result<StoreSettings> StoreSettings::load(const Files& files, const Path& path) {
  SP_ASSIGN(const Json json, read_settings_json(files, path));
  JsonObject object(json, path.filename().string());
  StoreSettings settings;
  settings.listen = read_listen(object);
  settings.folder = object.text("folder", kPathMax);
  settings.key = object.text("key", kPathMax);
  settings.bytes_max = object.number("bytesMax", kBytesMax);
  settings.accounts = read_accounts(object);
  if (object.has("anonymousWrites")) {
    settings.anonymous_writes = object.boolean("anonymousWrites");
  }
  if (object.has("backend")) {
    SP_ASSIGN(settings.bucket, read_bucket(object.any("backend")));
  }
  settings.operation = read_operation(object);
  SP_TRY(object.finish());
  return settings;
}

std::string StoreSettings::to_json() const {
  Json json{{"listen", listen_json(listen)},
            {"folder", folder.string()},
            {"key", key.string()},
            {"bytesMax", bytes_max},
            {"accounts", accounts_json(accounts)},
            {"quotaBytes", accounts.quota_bytes},
            {"quotaBlobs", accounts.quota_blobs},
            {"anonymousWrites", anonymous_writes}};
  if (bucket) json["backend"] = bucket_json(*bucket);
  add_operation(json, operation);
  return settings_text(json);
}

}  // namespace sp::apps
