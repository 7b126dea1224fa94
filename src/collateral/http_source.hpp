// Collateral over HTTP, from vendors' services or caches of them, in order: the first that answers
// counts. A service that asks to wait, or fails, is left alone for a while, longer each time.
#pragma once

#include <map>
#include <vector>

#include "base/sync.hpp"
#include "base/world.hpp"
#include "collateral/source.hpp"
#include "net/http.hpp"

namespace sp::collateral {

inline constexpr std::chrono::seconds kFirstPause{1};       ///< after a failure; doubles each time
inline constexpr std::chrono::seconds kPauseMax{64};        ///< after many
inline constexpr std::chrono::seconds kRetryAfterMax{300};  ///< a longer Retry-After reads as this
inline constexpr std::size_t kServicesMax = 8;              ///< of one vendor

/// Intel's service or a cache of it (PCCS).
struct IntelService {
  std::string base;      ///< "https://api.trustedservices.intel.com"
  std::string root_crl;  ///< URL of the root CA's list; empty: below the base, as in a PCCS
};

class HttpSource final : public Upstream, public CollateralSource {
 public:
  struct Options {
    std::vector<std::string> amd;  ///< base URLs
    std::vector<IntelService> intel;
    std::chrono::milliseconds call_timeout{10'000};  ///< of one request
    /// Of one fetch with all its attempts and pauses: no request begins after it.
    std::chrono::milliseconds fetch_timeout{20'000};
    std::string ca_file;  ///< as HttpClient's

    /// The vendors' own public services.
    static Options vendors();
  };

  /// `clock` outlives this. More than kServicesMax of a vendor is a bug (CHECK).
  HttpSource(Options options, const Clock& clock);

  Result<Fetched> fetch(const Wanted& wanted, const Validator& kept) override;
  Result<Published> get(const Wanted& wanted) override;

 private:
  struct Service {
    std::string origin;  ///< its base URL: what pauses and tags belong to
    std::string url;
  };
  struct Pause {
    std::chrono::nanoseconds until{0};  ///< monotonic
    int failures = 0;                   ///< in a row
  };
  /// What came of one request: an answer that counts, or why the next service is asked.
  struct Attempt {
    bool final = false;
    Result<Fetched> outcome;
  };

  [[nodiscard]] std::vector<Service> services_of(const Wanted& wanted) const;
  [[nodiscard]] std::chrono::nanoseconds ready_at(const Service& service);
  Attempt ask(const Service& service, const Wanted& wanted, const Validator& kept);
  Attempt read(const Service& service, const Wanted& wanted, net::HttpResponse response);
  void succeeded(const Service& service);
  void failed(const Service& service, std::optional<std::chrono::seconds> retry_after);

  const Options options_;
  const Clock& clock_;
  net::HttpClient client_;
  Mutex mutex_;
  std::map<std::string, Pause> pauses_;  // by origin, under mutex_
};

}  // namespace sp::collateral
