// The parts of vendors' answers: issuer chains in response fields, revocation lists,
// and how long an answer may be kept (RFC 9111). Hostile input; pure functions, safe to call from
// any thread.
#pragma once

#include <chrono>
#include <optional>

#include "collateral/source.hpp"
#include "net/http.hpp"

namespace sp::collateral {

/// The PEM of an issuer chain that stands percent-encoded in a response field. Errc::malformed for
/// a bad escape, characters that PEM doesn't have and what isn't certificates; Errc::too_large.
Result<std::string> decode_issuer_chain(std::string_view field);

/// The DER of a revocation list that came as DER or, from caches of older versions, as its
/// hexadecimal. Errc::malformed; the list itself isn't read.
Result<Bytes> crl_der(ByteView body);

/// When the vendor will have published a newer one, as the answer itself says, unverified; empty
/// where it says nothing that can be read. Seconds of Unix time.
std::optional<std::int64_t> next_update_of(const Wanted& wanted, const Published& published);

/// Cache-Control's max-age (zero for no-store and no-cache), else Expires. `now` is Unix time.
std::optional<std::chrono::seconds> lifetime_of(const net::Headers& headers, std::int64_t now);
/// Retry-After: seconds or a date.
std::optional<std::chrono::seconds> retry_after_of(const net::Headers& headers, std::int64_t now);

}  // namespace sp::collateral
