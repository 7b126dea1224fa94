// A card: what a daemon's operator hands to others so that they can reach, trust and name it. It
// holds no secret. `spnode init` writes it; `spctl network create` makes a network.json of several.
#pragma once

#include <optional>

#include "attest/appraisal.hpp"
#include "base/files.hpp"

namespace sp::apps {

inline constexpr std::size_t kCardSizeMax = 64 * 1024;      ///< bytes of a card's file
inline constexpr std::size_t kCertificateSizeMax = 16'384;  ///< bytes of its certificate

/// {"version": 1, "role": "store"|"broker"|"provider", "url", "address", and where it has them
/// "certificate": PEM, "tee": appraisal policy, "action": ADDRESS, "chip": HEX}
struct Card {
  std::string role;
  std::string url;
  Address address;          ///< signs for it; of a provider: its authority
  std::string certificate;  ///< of its TLS listener; empty: none, or a public authority's
  std::optional<attest::AppraisalPolicy> tee;  ///< a broker's own, or a provider's loaders'
  std::optional<Address> action;               ///< a provider's action account
  std::optional<attest::ChipId> chip;          ///< a provider's device

  /// Errc::not_found, Errc::malformed, Errc::too_large, Errc::unsupported, Errc::io.
  static Result<Card> load(const Files& files, const Path& path);
  Status save(Files& files, const Path& path) const;
  [[nodiscard]] Json to_json() const;
};

}  // namespace sp::apps
