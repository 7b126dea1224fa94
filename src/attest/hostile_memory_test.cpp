// The largest inputs that are let in, of garbage and of what takes the most memory for its size:
// what verify(), read_evidence() and read_collateral() allocate at once stays below a bound.
//
// All of the test program allocates through the operators below, which count what is there. What
// OpenSSL allocates for one key or signature, a few kB, isn't counted.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "attest/inputs.hpp"
#include "attest/testing/tpm_vendor.hpp"
#include "attest/testing/vendors.hpp"
#include "attest/verdict.hpp"

namespace {

std::atomic<std::size_t> allocated_now = 0;
std::atomic<std::size_t> allocated_peak = 0;

}  // namespace

void* operator new(std::size_t size) {
  void* const block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) std::abort();
  const std::size_t now = allocated_now += malloc_usable_size(block);
  std::size_t peak = allocated_peak;
  while (peak < now && !allocated_peak.compare_exchange_weak(peak, now)) {
  }
  return block;
}

void operator delete(void* block) noexcept {
  if (block == nullptr) return;
  allocated_now -= malloc_usable_size(block);
  std::free(block);
}

void operator delete(void* block, std::size_t) noexcept { operator delete(block); }

namespace sp::attest {
namespace {

using testing::amd;
using testing::AmdVendor;
using testing::intel;
using testing::IntelRecipe;
using testing::IntelVendor;
using testing::kIntelNow;
using testing::kVendorNow;
using testing::random;
using testing::TpmVendor;

constexpr std::size_t kMiB = 1024 * 1024;
/// Most that verify() may have allocated at once, beyond its input: of what anybody can make, and
/// of what a vendor would have to sign.
constexpr std::size_t kGarbagePeakMax = 2 * kMiB;
constexpr std::size_t kVerifyPeakMax = 16 * kMiB;
/// Most that reading one file may have allocated at once, beyond the file.
constexpr std::size_t kReadPeakMax = 64 * kMiB;

// What `run` had allocated at once at most.
std::size_t peak_of(const std::function<void()>& run) {
  const std::size_t before = allocated_now;
  allocated_peak = before;
  run();
  return allocated_peak - before;
}

Bytes repeated(std::string_view text, std::size_t size) {
  Bytes bytes;
  bytes.reserve(size);
  while (bytes.size() + text.size() <= size) append(bytes, as_bytes(text));
  return bytes;
}

// A JSON list of `size` bytes of elements.
std::string list_of(std::string_view element, std::size_t size) {
  std::string text = "[";
  while (text.size() + element.size() + 3 <= size) text += std::string(element) + ",";
  return text + "0]";
}

// An object of as many keys as fit.
std::string many_keys(std::size_t size) {
  std::string text = "{";
  for (std::size_t i = 0; text.size() + 16 <= size; ++i) text += "\"" + std::to_string(i) + "\":0,";
  return text + "\"x\":0}";
}

std::vector<std::string> wide_json(std::size_t size) {
  const std::string deep = std::string(30, '[') + std::string(30, ']');
  return {list_of("{}", size), list_of("[]", size), list_of("\"\"", size),
          list_of("0", size),  list_of(deep, size), list_of(R"({"":0})", size),
          many_keys(size)};
}

// Bytes of every kind of beginning, up to `size`.
std::vector<Bytes> garbage(std::size_t size) {
  Bytes noise(size);
  random().fill(noise);
  std::vector<Bytes> all{noise, Bytes(size, 0), Bytes(size, 0xff)};
  const std::string pem = crypto::testing::pem(Bytes(16 * 1024, 0x30));
  for (const std::string_view text :
       {std::string_view("["), std::string_view("{\"a\":"), std::string_view("\x30\x80"),
        std::string_view("30"), std::string_view("-----BEGIN CERTIFICATE-----\n"),
        std::string_view(pem), std::string_view("SPCO"), std::string_view("SPEV")}) {
    all.push_back(repeated(text, size));
  }
  return all;
}

void expect_verify_bounded(const Evidence& evidence, const Anchors& anchors, std::int64_t now,
                           std::size_t bound, std::size_t& largest) {
  const std::size_t peak = peak_of([&] { static_cast<void>(verify(evidence, now, anchors)); });
  EXPECT_LT(peak, bound);
  largest = std::max(largest, peak);
}

TEST(Memory, VerifyOfGarbage) {
  std::size_t largest = 0;
  for (const Bytes& body : garbage(kEvidenceBodyMax)) {
    for (const EvidenceKind kind : {EvidenceKind::dev, EvidenceKind::sev_snp, EvidenceKind::tdx,
                                    EvidenceKind::sgx, EvidenceKind::tpm}) {
      expect_verify_bounded({kind, body, {}}, amd().anchors(), kVendorNow, kGarbagePeakMax,
                            largest);
    }
  }
  // Pieces that fill the collateral, each read first by one of the vendors' verifiers.
  const Bytes report = amd().report({});
  const Bytes quote = intel().quote(intel().tdx_recipe({}));
  for (const Bytes& piece : garbage(kPieceSizeMax - 1024)) {
    Collateral snp;
    snp.pieces = {{PieceKind::amd_chip_certificate, piece}, {PieceKind::amd_crl, piece}};
    expect_verify_bounded({EvidenceKind::sev_snp, report, snp.encode()}, amd().anchors(),
                          kVendorNow, kGarbagePeakMax, largest);
    Collateral tdx = IntelVendor::collateral(intel().tdx_recipe({}));
    tdx.pieces[PieceKind::intel_pck_crl_chain] = piece;
    expect_verify_bounded({EvidenceKind::tdx, quote, tdx.encode()}, intel().anchors(), kIntelNow,
                          kGarbagePeakMax, largest);
  }
  RecordProperty("peak_bytes", std::to_string(largest));
}

TEST(Memory, VerifyOfWhatTheVendorSigned) {
  std::size_t largest = 0;
  const auto intel_evidence = [](const IntelRecipe& recipe) {
    return Evidence{EvidenceKind::tdx, intel().quote(recipe),
                    IntelVendor::collateral(recipe).encode()};
  };
  for (const std::string& json : wide_json(kPieceSizeMax)) {
    IntelRecipe recipe = intel().tdx_recipe({});
    recipe.tcb_info_text = json;
    expect_verify_bounded(intel_evidence(recipe), intel().anchors(), kIntelNow, kVerifyPeakMax,
                          largest);
    recipe = intel().tdx_recipe({});
    recipe.qe_identity_text = json;
    expect_verify_bounded(intel_evidence(recipe), intel().anchors(), kIntelNow, kVerifyPeakMax,
                          largest);
  }
  IntelRecipe recipe = intel().tdx_recipe({});
  recipe.root_crl.revoked.assign(12'000, recipe.root_crl.revoked[0]);
  const auto lists = intel_evidence(recipe);
  EXPECT_TRUE(verify(lists, kIntelNow, intel().anchors()).ok());
  expect_verify_bounded(lists, intel().anchors(), kIntelNow, kVerifyPeakMax, largest);
  for (const std::string& json : wide_json(12 * 1024)) {
    testing::TpmOptions options;
    options.change_runtime = [&](std::string& text) { text.insert(1, "\"x\":" + json + ","); };
    expect_verify_bounded(TpmVendor(amd()).tpm({}, options), amd().anchors(), kVendorNow,
                          kVerifyPeakMax, largest);
  }
  RecordProperty("peak_bytes", std::to_string(largest));
}

TEST(Memory, ReadingFiles) {
  std::size_t largest = 0;
  const auto expect_bounded = [&](ByteView file) {
    for (const auto& read :
         {std::function<void()>([&] { static_cast<void>(read_evidence(file, {})); }),
          std::function<void()>([&] { static_cast<void>(read_collateral(file)); })}) {
      const std::size_t peak = peak_of(read);
      EXPECT_LT(peak, kReadPeakMax) << to_hex(file.first(16));
      largest = std::max(largest, peak);
    }
  };
  for (const Bytes& file : garbage(kInputSizeMax)) expect_bounded(file);
  for (const std::size_t size : {kInputSizeMax, 2 * kCollateralMax, kCollateralMax / 2}) {
    for (const std::string& json : wide_json(size - 32)) {
      for (const std::string_view name : {"tcbInfo", "enclaveIdentity", "pck_crl", "tpm_quote"}) {
        const std::string whole = "{\"" + std::string(name) + "\":" + json + "}";
        expect_bounded(as_bytes(whole));
      }
    }
  }
  // Hexadecimal of hexadecimal, as often as fits.
  std::string hex = "5350";
  while (hex.size() <= kInputSizeMax / 2) hex = to_hex(as_bytes(hex));
  expect_bounded(as_bytes(hex));
  RecordProperty("peak_bytes", std::to_string(largest));
}

}  // namespace
}  // namespace sp::attest
