#include "collateral/answers.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "base/world.hpp"
#include "crypto/crl.hpp"

namespace sp::collateral {
namespace {

constexpr std::string_view kPemBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::uint8_t kDerSequence = 0x30;
constexpr std::int64_t kLifetimeMax = 366LL * 24 * 3600;  // longer ones read as this

int hex_digit(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

bool is_pem_character(char character) {
  return (character >= 0x20 && character < 0x7f) || character == '\n' || character == '\r';
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text[0] == '-' || end != text.data() + text.size()) return std::nullopt;
  if (failure == std::errc::result_out_of_range) return kLifetimeMax;
  if (failure != std::errc()) return std::nullopt;
  return std::min(value, kLifetimeMax);
}

// IMF-fixdate (RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<std::int64_t> http_date(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr std::size_t kSize = 29;
  if (text.size() != kSize || !text.ends_with(" GMT")) return std::nullopt;
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  const std::string number = std::to_string(month / 3 + 1);
  const std::string rfc3339 =
      std::string(text.substr(12, 4)) + "-" + (number.size() < 2 ? "0" : "") + number + "-" +
      std::string(text.substr(5, 2)) + "T" + std::string(text.substr(17, 8)) + "Z";
  const auto time = from_rfc3339(rfc3339);
  if (!time) return std::nullopt;
  return *time;
}

std::string_view field_of(const net::Headers& headers, std::string_view name) {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::chrono::seconds until(std::int64_t time, std::int64_t now) {
  return std::chrono::seconds(std::clamp<std::int64_t>(time - now, 0, kLifetimeMax));
}

std::optional<std::int64_t> json_next_update(ByteView body, std::string_view name) {
  const auto json = parse_json(as_text(body), kBodySizeMax);
  if (!json || !json->is_object()) return std::nullopt;
  const auto value = json->find(std::string(name));
  if (value == json->end() || !value->is_object()) return std::nullopt;
  const auto text = value->find("nextUpdate");
  if (text == value->end() || !text->is_string()) return std::nullopt;
  const auto time = from_rfc3339(text->get<std::string>());
  if (!time) return std::nullopt;
  return *time;
}

}  // namespace

Result<std::string> decode_issuer_chain(std::string_view field) {
  const Error bad{Errc::malformed, "the issuer chain isn't percent-encoded PEM"};
  if (field.size() > 3 * kIssuerChainSizeMax) {
    return Error{Errc::too_large, "the issuer chain is too large"};
  }
  std::string pem;
  for (std::size_t i = 0; i < field.size(); ++i) {
    char character = field[i];
    if (character == '%') {
      const int high = i + 2 < field.size() ? hex_digit(field[i + 1]) : -1;
      const int low = i + 2 < field.size() ? hex_digit(field[i + 2]) : -1;
      if (high < 0 || low < 0) return bad;
      character = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (!is_pem_character(character)) return bad;
    pem.push_back(character);
  }
  if (!pem.starts_with(kPemBegin)) return bad;
  if (pem.size() > kIssuerChainSizeMax) {
    return Error{Errc::too_large, "the issuer chain is too large"};
  }
  return pem;
}

Result<Bytes> crl_der(ByteView body) {
  // A sequence of DER begins with '0' as well, but its length byte is no hexadecimal digit.
  Bytes der = to_bytes(body);
  if (auto bytes = from_hex(as_text(body))) der = std::move(*bytes);
  if (der.empty() || der[0] != kDerSequence) {
    return Error{Errc::malformed, "the revocation list is neither DER nor its hexadecimal"};
  }
  return der;
}

std::optional<std::int64_t> next_update_of(const Wanted& wanted, const Published& published) {
  if (std::holds_alternative<IntelTcbInfo>(wanted)) {
    return json_next_update(published.body, "tcbInfo");
  }
  if (std::holds_alternative<IntelQeIdentity>(wanted)) {
    return json_next_update(published.body, "enclaveIdentity");
  }
  if (std::holds_alternative<AmdCrl>(wanted) || std::holds_alternative<IntelPckCrl>(wanted) ||
      std::holds_alternative<IntelRootCrl>(wanted)) {
    const auto der = crl_der(published.body);
    if (!der) return std::nullopt;
    const auto crl = crypto::Crl::from_der(*der);
    if (crl) return crl->next_update();
  }
  return std::nullopt;
}

std::optional<std::chrono::seconds> lifetime_of(const net::Headers& headers, std::int64_t now) {
  std::string_view control = field_of(headers, "cache-control");
  while (!control.empty()) {
    const std::string_view directive = trimmed(control.substr(0, control.find(',')));
    control.remove_prefix(std::min(control.size(), control.find(',')));
    if (!control.empty()) control.remove_prefix(1);
    constexpr std::string_view kMaxAge = "max-age=";
    if (directive == "no-store" || directive == "no-cache") return std::chrono::seconds(0);
    if (!directive.starts_with(kMaxAge)) continue;
    const auto seconds = whole_number(directive.substr(kMaxAge.size()));
    if (seconds) return std::chrono::seconds(*seconds);
  }
  const auto expires = http_date(field_of(headers, "expires"));
  if (expires) return until(*expires, now);
  return std::nullopt;
}

std::optional<std::chrono::seconds> retry_after_of(const net::Headers& headers, std::int64_t now) {
  const std::string_view field = trimmed(field_of(headers, "retry-after"));
  if (const auto seconds = whole_number(field)) return std::chrono::seconds(*seconds);
  if (const auto date = http_date(field)) return until(*date, now);
  return std::nullopt;
}

}  // namespace sp::collateral
