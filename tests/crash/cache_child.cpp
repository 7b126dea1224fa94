#include "cache_child.hpp"

#include "base/durable.hpp"
#include "base/world.hpp"
#include "collateral/cached_source.hpp"

namespace sp::crash {
namespace {

using namespace collateral;

constexpr std::string_view kPublished = "what a vendor publishes";

class Vendor final : public Upstream {
 public:
  Result<Fetched> fetch(const Wanted&, const Validator&) override {
    Fetched fetched;
    fetched.published.body = to_bytes(as_bytes(kPublished));
    return fetched;
  }
};

Result<std::string> get_one(const Path& folder, bool offline) {
  PosixFiles files;
  const SystemClock clock;
  Vendor vendor;
  CachedSource::Options options;
  options.folder = folder;
  options.offline = offline;
  SP_TRY(sweep_temporaries(folder, SweepDepth::folder));
  SP_ASSIGN(const auto cache, CachedSource::open(std::move(options), files, clock, vendor));
  SP_ASSIGN(const Published got, cache->get(IntelRootCrl{}));
  return std::string(as_text(got.body));
}

}  // namespace

int keep_one(const Path& folder) {
  if (!arm_crash_point_from_environment()) return 2;
  const auto got = get_one(folder, false);
  return got && *got == kPublished ? 0 : 1;
}

std::string kept_in(const Path& folder) {
  const auto got = get_one(folder, true);
  return got ? *got : "";
}

}  // namespace sp::crash
