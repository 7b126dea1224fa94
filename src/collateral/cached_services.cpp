#include "collateral/cached_services.hpp"

#include "collateral/answers.hpp"

namespace sp::collateral {
namespace {

Result<HttpSource::Options> services_of(const ServicesSettings& settings) {
  if (settings.amd.size() > kServicesMax || settings.intel.size() > kServicesMax) {
    return Error{Errc::usage,
                 "at most " + std::to_string(kServicesMax) + " services of a vendor are asked"};
  }
  auto services = HttpSource::Options::vendors();
  if (!settings.amd.empty()) services.amd = settings.amd;
  if (!settings.intel.empty()) services.intel.clear();
  for (const std::string& base : settings.intel) services.intel.push_back({base, ""});
  services.ca_file = settings.ca_file;
  return services;
}

}  // namespace

Result<std::unique_ptr<CachedServices>> CachedServices::open(const ServicesSettings& settings,
                                                             Files& files, const Clock& clock) {
  SP_ASSIGN(const HttpSource::Options services, services_of(settings));
  auto opened = std::make_unique<CachedServices>(services, clock);
  CachedSource::Options cache;
  cache.folder = settings.folder;
  cache.offline = settings.offline;
  cache.next_update = next_update_of;
  SP_ASSIGN(opened->cached_, CachedSource::open(std::move(cache), files, clock, opened->http_));
  return opened;
}

}  // namespace sp::collateral
