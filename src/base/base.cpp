#include <cstdio>
#include <cstdlib>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/result.hpp"

namespace sp {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::string_view without_0x(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  return text;
}

}  // namespace

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "CHECK failed: %s at %s:%d\n", expression, file, line);
  std::abort();
}

Error Error::in(std::string_view where) const {
  return {code, std::string(where) + ": " + message};
}

std::string_view errc_name(Errc code) {
  switch (code) {
    case Errc::malformed:
      return "malformed";
    case Errc::too_large:
      return "too_large";
    case Errc::unsupported:
      return "unsupported";
    case Errc::mismatch:
      return "mismatch";
    case Errc::bad_signature:
      return "bad_signature";
    case Errc::refused:
      return "refused";
    case Errc::unauthorised:
      return "unauthorised";
    case Errc::not_found:
      return "not_found";
    case Errc::conflict:
      return "conflict";
    case Errc::expired:
      return "expired";
    case Errc::timed_out:
      return "timed_out";
    case Errc::unavailable:
      return "unavailable";
    case Errc::cancelled:
      return "cancelled";
    case Errc::io:
      return "io";
    case Errc::usage:
      return "usage";
  }
  check_failed("unknown Errc", __FILE__, __LINE__);
}

std::string to_hex(ByteView bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 15];
  }
  return text;
}

std::string to_hex0x(ByteView bytes) { return "0x" + to_hex(bytes); }

Status from_hex_into(std::string_view text, MutableByteView out) {
  text = without_0x(text);
  if (text.size() != out.size() * 2) {
    return Error{Errc::malformed, "expected " + std::to_string(out.size() * 2) +
                                      " hexadecimal digits, got " + std::to_string(text.size())};
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return Error{Errc::malformed, "not a hexadecimal digit"};
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return {};
}

Result<Bytes> from_hex(std::string_view text) {
  Bytes bytes(without_0x(text).size() / 2);
  SP_TRY(from_hex_into(text, bytes));
  return bytes;
}

}  // namespace sp
