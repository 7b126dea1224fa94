// Where collateral comes from. Nothing that a source returns is believed: a verifier checks every
// signature and every date, so a source that lies can only make evidence be refused.
#pragma once

#include <chrono>
#include <optional>

#include "collateral/wanted.hpp"

namespace sp::collateral {

inline constexpr std::size_t kBodySizeMax = 256 * 1024;        ///< of one answer
inline constexpr std::size_t kIssuerChainSizeMax = 16 * 1024;  ///< decoded

inline constexpr std::size_t kOriginSizeMax = 2048;
inline constexpr std::size_t kEtagSizeMax = 512;  ///< a longer one isn't kept

/// What a vendor's service answered, unverified.
struct Published {
  Bytes body;                ///< as it came, never empty
  std::string issuer_chain;  ///< PEM; empty where the thing has none
  bool operator==(const Published&) const = default;
};

/// Implementations are safe to call from any thread; a call may block.
class CollateralSource {
 public:
  virtual ~CollateralSource() = default;
  /// Errc::not_found where no such thing is published (or, offline, kept); Errc::unavailable,
  /// Errc::timed_out where nobody answers; Errc::malformed, Errc::too_large for answers of another
  /// form.
  virtual Result<Published> get(const Wanted& wanted) = 0;
};

/// What is kept of an earlier answer, for a conditional request; both empty: nothing.
struct Validator {
  std::string origin;  ///< the service that gave the tag: tags mean nothing to others
  std::string etag;
};

struct Fetched {
  bool unchanged = false;  ///< what is kept still holds; `published` is empty
  Published published;
  Validator validator;
  std::optional<std::chrono::seconds> lifetime;  ///< where the service states one
};

/// A source that knows conditional requests. Safe to call from any thread.
class Upstream {
 public:
  virtual ~Upstream() = default;
  /// As CollateralSource::get.
  virtual Result<Fetched> fetch(const Wanted& wanted, const Validator& kept) = 0;
};

}  // namespace sp::collateral
