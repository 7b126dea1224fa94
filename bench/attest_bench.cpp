// How fast evidence of Intel TDX is verified on one thread, beside what the signatures alone cost.
//
// usage: attest_bench EVIDENCE_FOLDER [SECONDS]. One JSON object a line on standard output. The
// bound is 1 / (9 * time of one P-256 verification by OpenSSL, measured in the same run): a TDX
// verification from raw bytes checks nine signatures at least (quote, QE report, PCK certificate
// and CA, two CRLs, TCB info, QE identity, their signer's certificate).
#include <time.h>

#include <charconv>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "attest/intel.hpp"
#include "crypto/der.hpp"
#include "crypto/ecdsa.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"

namespace {

using namespace sp;  // NOLINT(google-build-using-namespace)

constexpr std::int64_t kAt = 1'750'572'800;  // 2025-06-22T06:13:20Z
constexpr int kSignatures = 9;
constexpr double kSecondsDefault = 3;

double cpu_seconds() {
  timespec time{};
  SP_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Calls a second, in this thread's processor time, so that other load on the machine counts little.
template <class Call>
double rate(double seconds, const Call& call) {
  call();
  const double begin = cpu_seconds();
  double now = begin;
  std::size_t calls = 0;
  for (; now - begin < seconds; now = cpu_seconds()) {
    for (int i = 0; i < 16; ++i) call();
    calls += 16;
  }
  return static_cast<double>(calls) / (now - begin);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

double p256_rate(double seconds) {
  crypto::SystemRandom random;
  const auto key = crypto::EcKey::generate(crypto::Curve::p256, random);
  const Bytes message(64, 1);
  const Digest32 digest = crypto::sha256(message);
  const Bytes signature = crypto::ecdsa_der_from_raw(key.sign_raw(message));
  return rate(seconds,
              [&] { SP_CHECK(key.public_key().verify_digest(digest.view(), signature).ok()); });
}

void tell(const Json& line) { std::cout << line.dump() << std::endl; }

int run(const std::string& folder, double seconds) {
  const std::string quote = read_file(folder + "/tdx/v4-a/quote.bin");
  const auto collateral =
      attest::intel_collateral_from_json(read_file(folder + "/tdx/v4-a/collateral.json"));
  if (!collateral || quote.empty()) {
    std::cerr << "attest_bench: no evidence in " << folder << "\n";
    return 1;
  }
  const auto& anchors = attest::Anchors::vendors();
  const double signatures = p256_rate(seconds);
  const double bound = signatures / kSignatures;
  tell({{"bench", "p256_verify"}, {"per_second", signatures}});
  const double cold = rate(seconds, [&] {
    SP_CHECK(
        attest::verify_intel(attest::EvidenceKind::tdx, as_bytes(quote), *collateral, anchors, kAt)
            .ok());
  });
  tell({{"bench", "tdx_v4_cold"}, {"per_second", cold}, {"of_bound", cold / bound}});
  const auto verified = attest::IntelCollateral::verify(*collateral, anchors, kAt);
  SP_CHECK(verified.ok());
  const double warm = rate(seconds, [&] {
    SP_CHECK(attest::verify_intel(attest::EvidenceKind::tdx, as_bytes(quote), *verified, kAt).ok());
  });
  tell({{"bench", "tdx_v4_warm"},
        {"per_second", warm},
        {"of_two_signatures", 2 * warm / signatures}});
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2 || count > 3) {
    std::cerr << "usage: attest_bench EVIDENCE_FOLDER [SECONDS]\n";
    return 2;
  }
  double seconds = kSecondsDefault;
  if (count == 3) {
    const std::string_view text = arguments[2];
    const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (read.ec != std::errc() || seconds <= 0) return 2;
  }
  return run(arguments[1], seconds);
}
