// An answer as it is kept: in a file of the cache, and in a bundle (FORMATS.md section
// "Collateral"). Hostile input; values, safe to call from any thread.
#pragma once

#include <vector>

#include "collateral/source.hpp"

namespace sp::collateral {

inline constexpr std::size_t kEntryFileSizeMax = kBodySizeMax + kIssuerChainSizeMax + 4096;
inline constexpr std::size_t kBundleEntriesMax = 4096;
inline constexpr std::size_t kBundleSizeMax = 64 * 1024 * 1024;

struct Entry {
  Wanted wanted;
  Validator validator;
  std::int64_t fetched_at = 0;  ///< seconds of Unix time
  std::int64_t expires_at = 0;  ///< until then it is served without asking
  Published published;
  bool operator==(const Entry& other) const;
};

/// A file of the cache: one entry, and a digest that tells damage.
Bytes encode_file(const Entry& entry);
/// Errc::malformed, Errc::too_large, Errc::unsupported; Errc::mismatch for a wrong digest.
Result<Entry> decode_file(ByteView bytes);

/// What a cache holds, for machines without a network. The digest in it tells damage, and nothing
/// more: whoever made it, verifiers check what it holds.
struct Bundle {
  std::int64_t made_at = 0;    ///< seconds of Unix time
  std::vector<Entry> entries;  ///< ascending by what is wanted (its encoding), none twice

  /// Errc::too_large. The order is the caller's duty.
  [[nodiscard]] Result<Bytes> encode() const;
  /// Errc::malformed, Errc::too_large, Errc::unsupported; Errc::mismatch for a wrong digest.
  static Result<Bundle> decode(ByteView bytes);
};

}  // namespace sp::collateral
