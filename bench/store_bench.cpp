// Moves blobs of a sealed chunk's size to and from a store, as uploads and downloads do: signed,
// asked for first, several at once, believed by digest.
//
//   store_bench URL CAFILE MIB ROUND THREADS
//
// Prints JSON lines: bytes per second up, and down. Each round has blobs of its own.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "arguments.hpp"
#include "crypto/aead.hpp"
#include "crypto/random.hpp"
#include "store/buffers.hpp"
#include "store/ordered_jobs.hpp"
#include "store/remote/http_store.hpp"

namespace sp::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMarkMax = 32;  // of what tells a blob from others
constexpr std::size_t kBlobSize = store::kChunkSize + crypto::kGcmTagSize;

void must(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "store_bench: %s\n", status.error().message.c_str());
  std::exit(1);
}

void tell(const char* what, std::uint64_t bytes, SteadyClock::time_point since) {
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - since).count();
  std::fprintf(stdout, "{\"bench\":\"store.%s\",\"bytes\":%llu,\"bytesPerSecond\":%.0f}\n", what,
               static_cast<unsigned long long>(bytes), static_cast<double>(bytes) / seconds);
}

/// Runs a job for each number below `count`, several at once; stops at an error.
Status for_each(std::size_t count, unsigned threads,
                const std::function<Status(std::size_t)>& job) {
  store::OrderedJobs<bool> jobs(threads);
  for (std::size_t i = 0; i < count; ++i) {
    if (jobs.in_flight() == threads) {
      SP_TRY(jobs.take());
    }
    jobs.submit([&job, i]() -> Result<bool> {
      SP_TRY(job(i));
      return true;
    });
  }
  while (jobs.in_flight() > 0) SP_TRY(jobs.take());
  return {};
}

void run(const char* url, const char* ca_file, std::size_t count, std::uint32_t round,
         unsigned threads) {
  crypto::SystemRandom random;
  const SystemClock clock;
  net::HttpClient::Options options;
  options.ca_file = ca_file;
  net::HttpClient client(options);
  const auto key = crypto::EthKey::generate(random);
  store::HttpStore store(client, url, {&key, std::nullopt, &clock, &random, {}});
  Bytes pattern(kBlobSize);
  random.fill(pattern);
  // Each in its thread's memory, as sealed chunks lie there already when they are put.
  const auto blob = [&](std::size_t i) -> const Bytes& {
    thread_local Bytes bytes;
    if (bytes.empty()) bytes = pattern;
    std::copy_n(pattern.begin(), kMarkMax, bytes.begin());
    const std::string mark = std::to_string(round) + "/" + std::to_string(i);
    std::copy(mark.begin(), mark.end(), bytes.begin());
    return bytes;
  };
  // Whoever has sealed a blob knows its name.
  std::vector<store::BlobId> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(store::blob_id(blob(i)));
  auto since = SteadyClock::now();
  must(for_each(count, threads, [&](std::size_t i) { return store.put(ids[i], blob(i)); }));
  tell("up", count * kBlobSize, since);
  since = SteadyClock::now();
  must(for_each(count, threads, [&](std::size_t i) -> Status {
    SP_ASSIGN(const Bytes got, store.get(ids[i], kBlobSize));
    return {};
  }));
  tell("down", count * kBlobSize, since);
}

}  // namespace
}  // namespace sp::bench

int main(int count, char** arguments) {
  sp::store::keep_freed_buffers();
  if (count != 6) {
    std::fputs("usage: store_bench URL CAFILE MIB ROUND THREADS\n", stderr);
    return 2;
  }
  const auto number = [&](int i) { return sp::bench::number(arguments[i]); };
  sp::bench::run(arguments[1], arguments[2], number(3), static_cast<std::uint32_t>(number(4)),
                 static_cast<unsigned>(number(5)));
  return 0;
}
