// A quote of a real TPM 2.0 implementation, Debian's swtpm, started here on free ports: collected
// over tpm2-tss, and accepted by the verifier up to a test vendor's root.
#include "prove/tpm/tpm.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "attest/testing/tpm_vendor.hpp"
#include "attest/verdict.hpp"
#include "base/base64url.hpp"
#include "base/files.hpp"
#include "base/testing/temporary_folder.hpp"
#include "crypto/random.hpp"

extern char** environ;

namespace sp::prove {
namespace {

namespace fs = std::filesystem;

bool binds(const Fd& socket, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

// The first of two free ports in a row, below those that the system gives to whoever asks for any:
// tests beside this one would take them before swtpm does.
std::uint16_t free_pair() {
  constexpr std::uint64_t kFirst = 16'384;
  constexpr std::uint64_t kCount = 16'000;
  crypto::SystemRandom random;
  for (;;) {
    std::uint16_t port = 0;
    random.fill(MutableByteView(reinterpret_cast<std::uint8_t*>(&port), sizeof port));
    port = static_cast<std::uint16_t>(kFirst + port % kCount);
    const Fd first(::socket(AF_INET, SOCK_STREAM, 0));
    const Fd second(::socket(AF_INET, SOCK_STREAM, 0));
    if (binds(first, port) && binds(second, static_cast<std::uint16_t>(port + 1))) return port;
  }
}

// One swtpm; gone with its state at the end of the scope.
class Swtpm {
 public:
  Swtpm() {
    // tpm2-tss expects the control channel one port behind the commands'.
    const std::uint16_t port = free_pair();
    const std::string state = "dir=" + folder_.string();
    const std::string control = "type=tcp,bindaddr=127.0.0.1,port=" + std::to_string(port + 1);
    const std::string server = "type=tcp,bindaddr=127.0.0.1,port=" + std::to_string(port);
    const char* arguments[] = {"swtpm",
                               "socket",
                               "--tpm2",
                               "--tpmstate",
                               state.c_str(),
                               "--ctrl",
                               control.c_str(),
                               "--server",
                               server.c_str(),
                               "--flags",
                               "not-need-init,startup-clear",
                               nullptr};
    EXPECT_EQ(::posix_spawnp(&process_, "swtpm", nullptr, nullptr,
                             const_cast<char* const*>(arguments), environ),
              0);
    tcti_ = "swtpm:host=127.0.0.1,port=" + std::to_string(port);
  }
  Swtpm(const Swtpm&) = delete;
  Swtpm& operator=(const Swtpm&) = delete;
  ~Swtpm() {
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
  }
  [[nodiscard]] const std::string& tcti() const { return tcti_; }

 private:
  sp::testing::TemporaryFolder folder_;
  pid_t process_ = -1;
  std::string tcti_;
};

// What a paravisor does at the first start: an attestation key at its handle, and an NV index.
class Provisioner {
 public:
  explicit Provisioner(const std::string& tcti) {
    for (int tries = 0; tries < 100; ++tries) {
      if (Tss2_TctiLdr_Initialize(tcti.c_str(), &tcti_) == TSS2_RC_SUCCESS) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_EQ(Esys_Initialize(&esys_, tcti_, nullptr), TSS2_RC_SUCCESS);
  }
  Provisioner(const Provisioner&) = delete;
  Provisioner& operator=(const Provisioner&) = delete;
  ~Provisioner() {
    Esys_Finalize(&esys_);
    Tss2_TctiLdr_Finalize(&tcti_);
  }

  // The modulus of a new restricted RSA-2048 signing key at `handle`.
  Bytes make_key(std::uint32_t handle) {
    TPM2B_SENSITIVE_CREATE sensitive{};
    TPM2B_PUBLIC wanted{};
    wanted.publicArea.type = TPM2_ALG_RSA;
    wanted.publicArea.nameAlg = TPM2_ALG_SHA256;
    wanted.publicArea.objectAttributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT |
                                         TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                         TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH;
    TPMS_RSA_PARMS& rsa = wanted.publicArea.parameters.rsaDetail;
    rsa.symmetric.algorithm = TPM2_ALG_NULL;
    rsa.scheme.scheme = TPM2_ALG_RSASSA;
    rsa.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256;
    rsa.keyBits = 2048;
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION pcrs{};
    ESYS_TR key = ESYS_TR_NONE;
    TPM2B_PUBLIC* made = nullptr;
    EXPECT_EQ(Esys_CreatePrimary(esys_, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                 ESYS_TR_NONE, &sensitive, &wanted, &outside, &pcrs, &key, &made,
                                 nullptr, nullptr, nullptr),
              TSS2_RC_SUCCESS);
    ESYS_TR kept = ESYS_TR_NONE;
    EXPECT_EQ(Esys_EvictControl(esys_, ESYS_TR_RH_OWNER, key, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                ESYS_TR_NONE, handle, &kept),
              TSS2_RC_SUCCESS);
    if (made == nullptr) return {};
    const auto& modulus = made->publicArea.unique.rsa;
    Bytes bytes = to_bytes({modulus.buffer, modulus.size});
    Esys_Free(made);
    return bytes;
  }

  void write_index(std::uint32_t index, ByteView bytes) {
    TPM2B_NV_PUBLIC area{};
    area.nvPublic.nvIndex = index;
    area.nvPublic.nameAlg = TPM2_ALG_SHA256;
    area.nvPublic.attributes = TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD;
    area.nvPublic.dataSize = static_cast<std::uint16_t>(bytes.size());
    const TPM2B_AUTH no_password{};
    ESYS_TR handle = ESYS_TR_NONE;
    ASSERT_EQ(Esys_NV_DefineSpace(esys_, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                  ESYS_TR_NONE, &no_password, &area, &handle),
              TSS2_RC_SUCCESS);
    for (std::size_t at = 0; at < bytes.size(); at += 512) {
      TPM2B_MAX_NV_BUFFER piece{};
      piece.size = static_cast<std::uint16_t>(std::min<std::size_t>(512, bytes.size() - at));
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), piece.size, piece.buffer);
      ASSERT_EQ(Esys_NV_Write(esys_, ESYS_TR_RH_OWNER, handle, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                              ESYS_TR_NONE, &piece, static_cast<std::uint16_t>(at)),
                TSS2_RC_SUCCESS);
    }
  }

 private:
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
};

// tpm2-tss tells every failed connection on standard error.
const int kQuiet = ::setenv("TSS2_LOG", "all+NONE", 1);

bool has_swtpm() { return std::system("command -v swtpm >/dev/null 2>&1") == 0; }

// Runtime data that names this modulus, in place of the vendor's.
std::string runtime_with(ByteView modulus) {
  return R"({"keys":[{"kid":"HCLAkPub","key_ops":["sign"],"kty":"RSA","e":"AQAB","n":")" +
         to_base64url(modulus) + R"("}],"vm-configuration":{"secure-boot":true},"user-data":"00"})";
}

class TpmCollection : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_swtpm()) GTEST_SKIP() << "SKIPPED: swtpm isn't installed";
    swtpm_.emplace();
    settings_.tcti = swtpm_->tcti();
    const Provisioner waits_until_it_answers(settings_.tcti);
  }

  // A vTPM as the cloud hands it over; the HCL report without the filler that makes it too large
  // for this TPM's index.
  void provision() {
    Provisioner provisioner(settings_.tcti);
    const Bytes modulus = provisioner.make_key(settings_.ak_handle);
    attest::testing::TpmOptions options;
    options.change_runtime = [&](std::string& runtime) { runtime = runtime_with(modulus); };
    Bytes hcl = vendor_.evidence({}, options).hcl_report;
    while (!hcl.empty() && hcl.back() == 0) hcl.pop_back();
    provisioner.write_index(settings_.hcl_index, hcl);
  }

  crypto::SystemRandom random_;
  attest::testing::AmdVendor amd_{random_};
  attest::testing::TpmVendor vendor_{amd_};
  std::optional<Swtpm> swtpm_;
  TpmSettings settings_;
  attest::ReportData data_{{9, 8, 7}};
};

TEST_F(TpmCollection, AQuoteOfARealTpmIsAccepted) {
  provision();
  const auto collected = collect_tpm(settings_, data_);
  ASSERT_TRUE(collected.ok()) << collected.error().message;
  const attest::Evidence evidence{attest::EvidenceKind::tpm, collected->encode(),
                                  amd_.collateral().encode()};
  const auto verdict = attest::verify(evidence, attest::testing::kVendorNow, amd_.anchors());
  ASSERT_TRUE(verdict.ok()) << verdict.error().message;
  EXPECT_EQ(verdict->kind(), attest::EvidenceKind::tpm);
  EXPECT_TRUE(verdict->binds(data_));
  ASSERT_EQ(verdict->claims().pcrs.size(), attest::kPcrCount);
  EXPECT_TRUE(verdict->claims().pcrs[0].has_value());

  attest::TpmEvidence spoilt = *collected;
  spoilt.signature.back() ^= 1;
  EXPECT_FALSE(
      attest::verify({attest::EvidenceKind::tpm, spoilt.encode(), amd_.collateral().encode()},
                     attest::testing::kVendorNow, amd_.anchors())
          .ok());
}

TEST_F(TpmCollection, WhatIsMissingIsAnError) {
  EXPECT_EQ(collect_tpm(settings_, data_).error().code, Errc::not_found);
  TpmSettings nowhere = settings_;
  nowhere.tcti = "swtpm:host=127.0.0.1,port=1";
  EXPECT_EQ(collect_tpm(nowhere, data_).error().code, Errc::unavailable);
}

}  // namespace
}  // namespace sp::prove
