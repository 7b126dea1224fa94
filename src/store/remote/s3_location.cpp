#include "store/remote/s3_location.hpp"

namespace sp::store {
namespace {

constexpr std::string_view kScheme = "s3://";

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// The first of several variables that is set and not empty.
std::string first_of(const Environment& environment, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (auto value = environment(name); value && !value->empty()) return *std::move(value);
  }
  return "";
}

void take_field(std::string_view name, std::string_view value, S3Credentials& credentials) {
  if (name == "aws_access_key_id") credentials.access_key = value;
  if (name == "aws_secret_access_key") credentials.secret_key = SecretBytes(as_bytes(value));
  if (name == "aws_session_token") credentials.session_token = SecretBytes(as_bytes(value));
}

Result<S3Credentials> credentials_of_file(const Path& path, const std::string& profile,
                                          const Files& files) {
  auto bytes = files.read(path, kS3CredentialsFileMax);
  if (!bytes) return bytes.error().in("S3 credentials");
  auto credentials = read_s3_credentials(as_text(*bytes), profile);
  wipe(*bytes);
  if (!credentials) return credentials.error().in(path.string());
  return credentials;
}

Result<S3Credentials> find_credentials(const S3Choices& choices, const Environment& environment,
                                       const Files& files) {
  std::string profile = choices.profile;
  if (profile.empty()) profile = first_of(environment, {"AWS_PROFILE"});
  if (profile.empty()) profile = "default";
  if (!choices.credentials_file.empty()) {
    return credentials_of_file(choices.credentials_file, profile, files);
  }
  S3Credentials credentials;
  credentials.access_key = first_of(environment, {"AWS_ACCESS_KEY_ID"});
  if (!credentials.access_key.empty()) {
    credentials.secret_key =
        SecretBytes(as_bytes(first_of(environment, {"AWS_SECRET_ACCESS_KEY"})));
    credentials.session_token = SecretBytes(as_bytes(first_of(environment, {"AWS_SESSION_TOKEN"})));
    return credentials;
  }
  std::string file = first_of(environment, {"AWS_SHARED_CREDENTIALS_FILE"});
  const std::string home = first_of(environment, {"HOME"});
  if (file.empty() && !home.empty()) file = (Path(home) / ".aws" / "credentials").string();
  const auto known =
      file.empty() ? Result<std::uint64_t>(Error{Errc::not_found, ""}) : files.size(file);
  if (known) return credentials_of_file(file, profile, files);
  return Error{Errc::usage,
               "nobody says who asks the S3 server: set AWS_ACCESS_KEY_ID and "
               "AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE"};
}

}  // namespace

Result<S3Location> S3Location::parse(std::string_view url) {
  if (url.size() > kS3UrlMax) {
    return Error{Errc::too_large, "an S3 URL of over " + std::to_string(kS3UrlMax) + " letters"};
  }
  if (!url.starts_with(kScheme)) return Error{Errc::malformed, "not s3://BUCKET/PREFIX"};
  url.remove_prefix(kScheme.size());
  if (url.find_first_of("?#@ ") != std::string_view::npos) {
    return Error{Errc::malformed, "an S3 URL is s3://BUCKET/PREFIX and nothing else"};
  }
  const std::size_t slash = url.find('/');
  S3Location location;
  location.bucket = url.substr(0, slash);
  if (location.bucket.empty()) return Error{Errc::malformed, "the S3 URL names no bucket"};
  if (slash != std::string_view::npos) location.prefix = url.substr(slash + 1);
  if (!location.prefix.empty() && !location.prefix.ends_with('/')) location.prefix += '/';
  return location;
}

Result<S3Credentials> read_s3_credentials(std::string_view text, std::string_view profile) {
  S3Credentials credentials;
  bool inside = false;
  bool found = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      inside = line.back() == ']' && trimmed(line.substr(1, line.size() - 2)) == profile;
      found = found || inside;
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      return Error{Errc::malformed, "line " + std::to_string(number) + " isn't \"name = value\""};
    }
    if (inside) {
      take_field(trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)), credentials);
    }
  }
  const std::string name = "[" + std::string(profile.substr(0, kS3AccessKeyMax)) + "]";
  if (!found) return Error{Errc::not_found, "no profile " + name};
  if (credentials.access_key.empty() || credentials.secret_key.size() == 0) {
    return Error{Errc::not_found, name + " lacks aws_access_key_id or aws_secret_access_key"};
  }
  return credentials;
}

Result<S3Settings> s3_settings(const S3Location& location, const S3Choices& choices,
                               const Environment& environment, const Files& files) {
  S3Settings settings;
  settings.bucket = location.bucket;
  settings.prefix = location.prefix;
  settings.region = choices.region;
  if (settings.region.empty()) {
    settings.region = first_of(environment, {"AWS_REGION", "AWS_DEFAULT_REGION"});
  }
  if (settings.region.empty()) settings.region = "us-east-1";
  settings.endpoint = choices.endpoint;
  if (settings.endpoint.empty()) {
    settings.endpoint = first_of(environment, {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  }
  // Others' servers have one name; AWS has a name for each bucket that a certificate fits.
  const bool own = settings.endpoint.empty() && !choices.path_style &&
                   settings.bucket.find('.') == std::string::npos;
  settings.addressing = own ? S3Settings::Addressing::virtual_host : S3Settings::Addressing::path;
  if (settings.endpoint.empty()) {
    settings.endpoint = "https://s3." + settings.region + ".amazonaws.com";
  }
  SP_ASSIGN(settings.credentials, find_credentials(choices, environment, files));
  SP_TRY(settings.check());
  return settings;
}

}  // namespace sp::store
