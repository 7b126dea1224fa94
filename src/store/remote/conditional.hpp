// Conditional requests of HTTP (RFC 9110 section 13) on blobs, whose one strong entity tag is their
// digest: "HEX" in quotes. Pure functions; safe to call from any thread.
#pragma once

#include <optional>

#include "net/http.hpp"
#include "store/blob.hpp"

namespace sp::store {

inline constexpr std::size_t kEntityTagsMax = 64;  ///< of one field

/// The blob's entity tag, quotes included.
std::string entity_tag(const BlobId& id);

/// Whether an If-Match or If-None-Match field names the tag: "*" names whatever is there. With
/// `weak`, W/"..." does as well. Errc::malformed; Errc::too_large over kEntityTagsMax tags.
Result<bool> names_tag(std::string_view field, std::string_view tag, bool weak);

/// The status that a GET or HEAD of a blob that is there has for its conditions: 304, 412, or none
/// where they hold. Errc::malformed, Errc::too_large.
Result<std::optional<unsigned>> read_condition(const net::Headers& headers, const BlobId& id);

/// Whether a Range counts: there is no If-Range, or it names this very blob.
bool range_counts(const net::Headers& headers, const BlobId& id);

}  // namespace sp::store
