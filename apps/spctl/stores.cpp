#include "spctl/stores.hpp"

#include "common/environment.hpp"
#include "store/remote/s3_location.hpp"

namespace sp::spctl {
namespace {

constexpr store::Backoff kBackoff{kStoreAttempts, std::chrono::milliseconds(200),
                                  std::chrono::milliseconds(20'000)};
// Who asks for long pauses doesn't keep others from being asked.
constexpr store::Backoff kMirrorBackoff{kMirrorAttempts, std::chrono::milliseconds(200),
                                        std::chrono::milliseconds(20'000), std::chrono::seconds(5)};

Result<std::unique_ptr<store::BlobStore>> open_bucket(Context& context, const std::string& url) {
  auto location = store::S3Location::parse(url);
  if (!location) return failure(Errc::usage, url, location.error().message, "Give s3://BUCKET/DIR");
  auto settings = store::s3_settings(*location, {}, apps::environment_variable, context.files());
  if (!settings) {
    return failure(settings.error().code, url + " can't be reached", settings.error().message,
                   "AWS_ENDPOINT_URL and AWS_REGION say where a server is");
  }
  SP_ASSIGN(auto bucket, store::S3Store::make(context.http(), context.clock(), context.random(),
                                              std::move(*settings)));
  return std::unique_ptr<store::BlobStore>(std::move(bucket));
}

}  // namespace

Status OpenStore::add(Context& context, const std::string& url,
                      const std::optional<Address>& account, const store::Backoff& backoff) {
  name_ += (name_.empty() ? "" : " ") + url;
  if (url.starts_with("s3://")) {
    SP_ASSIGN(auto bucket, open_bucket(context, url));
    stores_.push_back(std::move(bucket));
    return {};
  }
  if (const auto parsed = net::Url::parse(url); !parsed) {
    return failure(Errc::usage, "\"" + url + "\" names no store", parsed.error().message,
                   "Give http://HOST:PORT, https://HOST:PORT or s3://BUCKET/PREFIX");
  }
  store::StoreAccess access;
  access.signer = signer_ ? &*signer_ : nullptr;
  access.store = account;
  access.clock = &context.clock();
  access.random = &context.random();
  access.backoff = backoff;
  stores_.push_back(std::make_unique<store::HttpStore>(context.http(), url, access));
  return {};
}

Result<std::unique_ptr<OpenStore>> open_stores(Context& context,
                                               const std::vector<std::string>& urls,
                                               const std::optional<Address>& account,
                                               const std::string& key_name) {
  if (urls.empty() || urls.size() > store::kMirrorsMax) {
    return failure(Errc::usage, std::to_string(urls.size()) + " stores can't be used as one",
                   "1 to " + std::to_string(store::kMirrorsMax) + " can", "Name fewer");
  }
  std::unique_ptr<OpenStore> opened(new OpenStore());
  if (!key_name.empty()) {
    SP_ASSIGN(opened->signer_, context.keys().load(key_name));
  }
  for (const std::string& url : urls) {
    SP_TRY(opened->add(context, url, account, urls.size() > 1 ? kMirrorBackoff : kBackoff));
  }
  opened->blobs_ = opened->stores_.front().get();
  if (opened->stores_.size() > 1) {
    std::vector<store::BlobStore*> all;
    for (const auto& one : opened->stores_) all.push_back(one.get());
    opened->mirror_ = std::make_unique<store::MirrorStore>(std::move(all), 1);
    opened->blobs_ = opened->mirror_.get();
  }
  return opened;
}

Result<std::unique_ptr<OpenStore>> chosen_stores(Context& context,
                                                 const std::vector<std::string>& urls,
                                                 const std::string& key_name) {
  const bool has_key = !key_name.empty() && context.keys().has(key_name);
  if (!urls.empty()) {
    const bool signs = std::any_of(urls.begin(), urls.end(),
                                   [](const auto& url) { return !url.starts_with("s3://"); });
    return open_stores(context, urls, std::nullopt, has_key && signs ? key_name : "");
  }
  SP_ASSIGN(const auto session, context.session());
  const apps::ServiceAddress& own = session->network.store;
  return open_stores(context, session->urls_of(own.address), own.address, has_key ? key_name : "");
}

}  // namespace sp::spctl
