#include "collateral/cached_source.hpp"

#include <algorithm>

#include "base/durable.hpp"
#include "base/log.hpp"

namespace sp::collateral {
namespace {

constexpr std::size_t kNameSize = 2 * Digest32::kSize;

bool is_cache_name(std::string_view name) {
  return name.size() == kNameSize &&
         name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// One that was fetched in the future comes of a clock that went wrong; one that says that it lasts
// for years, of a bundle that nobody should rest on so long.
bool is_fresh(const Entry& entry, std::int64_t now) {
  constexpr std::int64_t kLongest = std::chrono::seconds(kLifetimeMax).count();
  return entry.fetched_at <= now && now < entry.expires_at && now - entry.fetched_at < kLongest;
}

std::string file_name(const Wanted& wanted) { return key_of(wanted).hex(); }

}  // namespace

CachedSource::CachedSource(Options options, Files& files, const Clock& clock, Upstream& upstream)
    : options_(std::move(options)), files_(files), clock_(clock), upstream_(upstream) {
  SP_CHECK(options_.files_max > 0 && options_.files_max <= kBundleEntriesMax);
}

Result<std::unique_ptr<CachedSource>> CachedSource::open(Options options, Files& files,
                                                         const Clock& clock, Upstream& upstream) {
  std::unique_ptr<CachedSource> source(
      new CachedSource(std::move(options), files, clock, upstream));
  SP_TRY(source->load_names());
  return source;
}

Status CachedSource::load_names() {
  SP_TRY(files_.make_folder(options_.folder));
  SP_ASSIGN(const std::vector<std::string> names, files_.list(options_.folder));
  const std::lock_guard lock(files_mutex_);
  std::copy_if(names.begin(), names.end(), std::inserter(names_, names_.end()), is_cache_name);
  return {};
}

// ---- one request for many ----

Result<Published> CachedSource::get(const Wanted& wanted) {
  const Digest32 key = key_of(wanted);
  std::unique_lock lock(mutex_);
  auto& place = flights_[key];
  if (place != nullptr) {
    const std::shared_ptr<Flight> flight = place;
    changed_.wait(lock, [&] { return flight->done; });
    return flight->outcome;
  }
  const auto flight = std::make_shared<Flight>();
  place = flight;
  lock.unlock();
  Result<Published> outcome = serve(wanted);
  lock.lock();
  flight->outcome = outcome;
  flight->done = true;
  flights_.erase(key);
  changed_.notify_all();
  return outcome;
}

Result<Published> CachedSource::serve(const Wanted& wanted) {
  std::optional<Entry> kept = read(wanted);
  const std::int64_t now = clock_.unix_seconds();
  if (options_.offline) {
    if (kept) return std::move(kept->published);
    return Error{Errc::not_found, "the cache is offline and has no " + name_of(wanted)};
  }
  if (kept && is_fresh(*kept, now)) return std::move(kept->published);
  return refresh(wanted, std::move(kept));
}

Result<Published> CachedSource::refresh(const Wanted& wanted, std::optional<Entry> kept) {
  Result<Fetched> fetched = ask(wanted, kept);
  if (fetched && fetched->unchanged && kept) {
    return keep(std::move(*kept), fetched->lifetime);
  }
  if (fetched) {
    return keep(Entry{wanted, std::move(fetched->validator), 0, 0, std::move(fetched->published)},
                fetched->lifetime);
  }
  if (!kept || fetched.error().code == Errc::not_found) return fetched.error();
  return std::move(kept->published);
}

Result<Fetched> CachedSource::ask(const Wanted& wanted, const std::optional<Entry>& kept) {
  const Digest32 key = key_of(wanted);
  if (const auto failure = recent_failure(key)) return *failure;
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kFetchWaitMax, [&] { return fetches_ < kFetchesMax; })) {
      return Error{Errc::unavailable, "too many other pieces of collateral are asked for"};
    }
    ++fetches_;
  }
  Result<Fetched> fetched = upstream_.fetch(wanted, kept ? kept->validator : Validator());
  {
    const std::lock_guard lock(mutex_);
    --fetches_;
    changed_.notify_all();
  }
  if (fetched && fetched->unchanged && !kept) {
    fetched = Error{Errc::malformed, "the source says that nothing has changed"};
  }
  if (!fetched) {
    log(LogLevel::warning, "collateral_not_fetched",
        {{"what", name_of(wanted)}, {"why", fetched.error().message}});
    remember_failure(key, fetched.error());
  }
  return fetched;
}

void CachedSource::remember_failure(const Digest32& key, const Error& error) {
  const std::lock_guard lock(mutex_);
  if (failures_.size() >= kFailuresMax) failures_.clear();
  failures_.insert_or_assign(key, Failure{clock_.monotonic() + kFailurePause, error});
}

std::optional<Error> CachedSource::recent_failure(const Digest32& key) {
  const std::lock_guard lock(mutex_);
  const auto found = failures_.find(key);
  if (found == failures_.end()) return std::nullopt;
  if (clock_.monotonic() < found->second.until) return found->second.error;
  failures_.erase(found);
  return std::nullopt;
}

// ---- files ----

Result<Published> CachedSource::keep(Entry entry, std::optional<std::chrono::seconds> lifetime) {
  entry.fetched_at = clock_.unix_seconds();
  std::chrono::seconds kept_for =
      std::min<std::chrono::seconds>(lifetime.value_or(kLifetimeDefault), kLifetimeMax);
  if (options_.next_update) {
    const auto next = options_.next_update(entry.wanted, entry.published);
    if (next) kept_for = std::min(kept_for, std::chrono::seconds(*next - entry.fetched_at));
  }
  entry.expires_at =
      entry.fetched_at + std::max<std::chrono::seconds>(kept_for, kLifetimeMin).count();
  const Status written = write(entry);
  if (!written) {
    log(LogLevel::warning, "collateral_not_kept",
        {{"what", name_of(entry.wanted)}, {"why", written.error().message}});
  }
  return std::move(entry.published);
}

std::optional<Entry> CachedSource::read(const Wanted& wanted) const {
  const auto bytes = files_.read(path_of_file(file_name(wanted)), kEntryFileSizeMax);
  if (!bytes) return std::nullopt;
  auto entry = decode_file(*bytes);
  if (entry && entry->wanted == wanted) return std::move(*entry);
  log(LogLevel::warning, "collateral_file_damaged", {{"what", name_of(wanted)}});
  return std::nullopt;
}

Status CachedSource::write(const Entry& entry) {
  const std::string name = file_name(entry.wanted);
  const std::lock_guard lock(files_mutex_);
  SP_TRY(make_room(name));
  SP_TRY(sp::keep(files_, CrashSite::collateral_entry, path_of_file(name), encode_file(entry),
                  FileMode::owner_only));
  names_.insert(name);
  return {};
}

// Removes the files whose names follow. Names are digests, so this is as good as drawing lots, and
// someone who floods the cache can't choose who goes.
Status CachedSource::make_room(const std::string& name) {
  while (!names_.contains(name) && names_.size() >= options_.files_max) {
    auto victim = names_.upper_bound(name);
    if (victim == names_.end()) victim = names_.begin();
    SP_TRY(files_.remove(path_of_file(*victim)));
    names_.erase(victim);
  }
  return {};
}

// ---- bundles ----

Result<Bundle> CachedSource::export_bundle() {
  Bundle bundle;
  bundle.made_at = clock_.unix_seconds();
  SP_ASSIGN(const std::vector<std::string> names, files_.list(options_.folder));
  std::map<Bytes, Entry> sorted;
  for (const std::string& name : names) {
    if (!is_cache_name(name)) continue;
    const auto bytes = files_.read(path_of_file(name), kEntryFileSizeMax);
    if (!bytes) continue;
    auto entry = decode_file(*bytes);
    if (!entry || file_name(entry->wanted) != name) continue;
    Bytes key = encode(entry->wanted);
    sorted.emplace(std::move(key), std::move(*entry));
  }
  for (auto& [key, entry] : sorted) bundle.entries.push_back(std::move(entry));
  return bundle;
}

Result<std::size_t> CachedSource::import_bundle(const Bundle& bundle) {
  std::size_t taken = 0;
  for (const Entry& entry : bundle.entries) {
    const std::optional<Entry> kept = read(entry.wanted);
    if (kept && kept->fetched_at >= entry.fetched_at) continue;
    SP_TRY(write(entry));
    ++taken;
  }
  return taken;
}

}  // namespace sp::collateral
