// The cache of what vendors publish, and the services behind it: one value, so that the cache can't
// outlive what it asks.
#pragma once

#include "collateral/cached_source.hpp"
#include "collateral/http_source.hpp"

namespace sp::collateral {

/// As people say it on a command line or in settings.
struct ServicesSettings {
  Path folder;                   ///< of the cache
  std::vector<std::string> amd;  ///< base URLs in AMD's place; empty: AMD's own
  std::vector<std::string>
      intel;             ///< services or caches (PCCS) in Intel's place; empty: Intel's own
  std::string ca_file;   ///< as HttpClient's
  bool offline = false;  ///< uses what is kept, and asks nobody
};

/// As safe for threads as CachedSource.
class CachedServices {
 public:
  /// `files` and `clock` outlive it. Errc::usage for more than kServicesMax of a vendor, and the
  /// errors of CachedSource::open.
  static Result<std::unique_ptr<CachedServices>> open(const ServicesSettings& settings,
                                                      Files& files, const Clock& clock);
  /// open() alone makes one whose source() is there.
  CachedServices(const HttpSource::Options& services, const Clock& clock)
      : http_(services, clock) {}
  [[nodiscard]] CachedSource& source() const { return *cached_; }

 private:
  HttpSource http_;
  std::unique_ptr<CachedSource> cached_;
};

}  // namespace sp::collateral
