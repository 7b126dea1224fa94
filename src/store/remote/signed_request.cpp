#include "store/remote/signed_request.hpp"

#include <charconv>
#include <limits>

#include "crypto/eip712.hpp"

namespace sp::store {
namespace {

constexpr std::string_view kType =
    "StoreRequest(address store,string method,string path,bytes32 content,uint64 time)";
constexpr std::string_view kScheme = "SP-EIP712 account=";
constexpr std::string_view kTime = ",time=";
constexpr std::string_view kSignature = ",signature=";

Error malformed() {
  return {Errc::malformed,
          "not \"SP-EIP712 account=0x...,time=SECONDS,signature=0x...\" in lower case"};
}

bool take(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

// "0x" and lower-case digits.
template <class Fixed>
bool take_hex(std::string_view& text, Fixed& value) {
  constexpr std::size_t kSize = 2 + 2 * Fixed::kSize;
  if (text.size() < kSize) return false;
  const auto read = Fixed::from_hex(text.substr(0, kSize));
  if (!read || read->hex0x() != text.substr(0, kSize)) return false;
  value = *read;
  text.remove_prefix(kSize);
  return true;
}

bool take_time(std::string_view& text, std::int64_t& value) {
  const std::string_view from = text;
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || value < 0) return false;
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  return std::to_string(value) == from.substr(0, from.size() - text.size());
}

}  // namespace

Digest32 StoreRequest::digest() const {
  SP_CHECK(time >= 0);
  const Digest32 hash = crypto::Eip712Struct(kType)
                            .address(store)
                            .dynamic(as_bytes(method))
                            .dynamic(as_bytes(path))
                            .word(content.view())
                            .number(static_cast<std::uint64_t>(time))
                            .hash();
  return crypto::eip712_digest(crypto::eip712_separator_without_chain("Super Protocol Store", "1"),
                               hash);
}

Result<RequestSignature> RequestSignature::parse(std::string_view field) {
  if (field.size() > kSignedFieldMax) {
    return Error{Errc::too_large, "a signature field of " + std::to_string(field.size()) +
                                      " letters, at most " + std::to_string(kSignedFieldMax)};
  }
  RequestSignature read;
  const bool whole = take(field, kScheme) && take_hex(field, read.account) && take(field, kTime) &&
                     take_time(field, read.time) && take(field, kSignature) &&
                     take_hex(field, read.signature) && field.empty();
  if (!whole) return malformed();
  return read;
}

std::string RequestSignature::text() const {
  return std::string(kScheme) + account.hex0x() + std::string(kTime) + std::to_string(time) +
         std::string(kSignature) + signature.hex0x();
}

Status RequestSignature::verify(StoreRequest request, std::int64_t now) const {
  const bool early = time > now && time - now > kRequestClockWindow;
  const bool late = time < now && now - time > kRequestClockWindow;
  if (early || late) {
    return Error{Errc::expired, "signed for the time " + std::to_string(time) + ", it is " +
                                    std::to_string(now) + ", and " +
                                    std::to_string(kRequestClockWindow) +
                                    " s apart are allowed: set the clock"};
  }
  request.time = time;
  return crypto::verify_eth(request.digest(), signature, account);
}

std::string sign_request(const crypto::EthKey& key, const StoreRequest& request) {
  return RequestSignature{key.address(), request.time, key.sign(request.digest())}.text();
}

}  // namespace sp::store
