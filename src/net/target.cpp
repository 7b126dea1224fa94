#include "net/target.hpp"

#include <charconv>

#include "net/http.hpp"

namespace sp::net {
namespace {

constexpr std::string_view kUnreserved =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";  // RFC 3986 section 2.3

bool is_control(char character) {
  const auto code = static_cast<unsigned char>(character);
  return code < 0x20 || code == 0x7f;
}

int hex_digit(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char character = text[i];
    if (character == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return Error{Errc::malformed, "bad percent escape in the target"};
      character = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (is_control(character)) {
      return Error{Errc::malformed, "control character in the target"};
    }
    decoded.push_back(character);
  }
  return decoded;
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(segment.size());
  }
  return false;
}

Status parse_query(std::string_view text, Target& target) {
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), field.size() + 1));
    if (field.empty()) continue;
    const std::size_t equals = std::min(field.find('='), field.size());
    SP_ASSIGN(std::string name, percent_decode(field.substr(0, equals)));
    SP_ASSIGN(std::string value, percent_decode(field.substr(std::min(field.size(), equals + 1))));
    if (target.query.size() >= kQueryFieldsMax) {
      return Error{Errc::too_large,
                   "more than " + std::to_string(kQueryFieldsMax) + " fields in the query"};
    }
    if (!target.query.emplace(name, std::move(value)).second) {
      return Error{Errc::malformed, "the query names \"" + name + "\" twice"};
    }
  }
  return {};
}

bool is_visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// "host", "host:port", "[::1]:port" into `url`.
Status parse_authority(std::string_view authority, Url& url) {
  const Error bad{Errc::malformed, "bad host or port in the URL"};
  const bool bracketed = authority.starts_with('[');
  const std::size_t host_end =
      bracketed ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (host_end == std::string_view::npos) return bad;
  url.host = authority.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
  const std::string_view allowed = bracketed ? "0123456789abcdefABCDEF:." : kUnreserved;
  if (url.host.empty() || url.host.find_first_not_of(allowed) != std::string::npos) return bad;
  std::string_view rest = authority.substr(host_end + (bracketed ? 1 : 0));
  if (rest.empty()) return {};
  rest.remove_prefix(1);
  unsigned port = 0;
  const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), port);
  const bool colon = authority[authority.size() - rest.size() - 1] == ':';
  if (!colon || failure != std::errc() || end != rest.data() + rest.size()) return bad;
  if (port == 0 || port > 0xffff) return bad;
  url.port = static_cast<std::uint16_t>(port);
  return {};
}

}  // namespace

Result<Target> parse_target(std::string_view target) {
  if (target.size() > kTargetSizeMax) {
    return Error{Errc::too_large, "target of " + std::to_string(target.size()) +
                                      " bytes, at most " + std::to_string(kTargetSizeMax)};
  }
  if (!target.starts_with('/')) return Error{Errc::malformed, "the target must begin with '/'"};
  if (target.find_first_of("# ") != std::string_view::npos) {
    return Error{Errc::malformed, "'#' or space in the target"};
  }
  const std::size_t path_end = std::min(target.find('?'), target.size());
  Target parsed;
  SP_ASSIGN(parsed.path, percent_decode(target.substr(0, path_end)));
  if (has_dot_segment(parsed.path)) return Error{Errc::malformed, "dot segment in the path"};
  SP_TRY(parse_query(target.substr(std::min(target.size(), path_end + 1)), parsed));
  return parsed;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char character : text) {
    if (kUnreserved.find(character) != std::string_view::npos) {
      encoded.push_back(character);
      continue;
    }
    const auto code = static_cast<unsigned char>(character);
    encoded.push_back('%');
    encoded.push_back(kDigits[code >> 4]);
    encoded.push_back(kDigits[code & 15]);
  }
  return encoded;
}

Result<Url> Url::parse(std::string_view text) {
  if (text.size() > kTargetSizeMax) {
    return Error{Errc::too_large, "URL of " + std::to_string(text.size()) + " bytes, at most " +
                                      std::to_string(kTargetSizeMax)};
  }
  if (!is_visible_ascii(text)) return Error{Errc::malformed, "bad character in the URL"};
  constexpr std::string_view kHttp = "http://";
  constexpr std::string_view kHttps = "https://";
  Url url;
  url.tls = text.starts_with(kHttps);
  if (!url.tls && !text.starts_with(kHttp)) {
    const bool other = text.find("://") != std::string_view::npos;
    return Error{other ? Errc::unsupported : Errc::malformed,
                 "the URL must begin with http:// or https://"};
  }
  url.port = url.default_port();
  text.remove_prefix(url.tls ? kHttps.size() : kHttp.size());
  if (text.find('#') != std::string_view::npos) {
    return Error{Errc::malformed, "fragment in the URL"};
  }
  const std::size_t authority_end = std::min(text.find_first_of("/?"), text.size());
  SP_TRY(parse_authority(text.substr(0, authority_end), url));
  url.target = text.substr(authority_end);
  if (!url.target.starts_with('/')) url.target.insert(url.target.begin(), '/');
  return url;
}

}  // namespace sp::net
