// configfs-tsm with the kernel's part played behind a real folder: attributes appear with the
// request, every write counts in `generation`, the report answers the last inblob.
#include "prove/tsm.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "attest/testing/amd_vendor.hpp"
#include "attest/testing/intel_vendor.hpp"
#include "attest/verdict.hpp"
#include "base/testing/temporary_folder.hpp"
#include "crypto/random.hpp"

namespace sp::prove {
namespace {

namespace fs = std::filesystem;
using attest::EvidenceKind;

void put(const Path& file, ByteView bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << as_text(bytes);
}

class PlayedKernel final : public Tsm {
 public:
  using Answer = std::function<Bytes(const attest::ReportData&)>;

  PlayedKernel(Path folder, std::string provider, Answer report)
      : folder_(folder),
        kernel_(kernel_tsm(folder)),
        provider_(std::move(provider)),
        report_(std::move(report)) {}

  Answer auxiliary;        // the content of auxblob; none = no such attribute
  int strange_writes = 0;  // how often somebody else writes in between
  std::string privilege_level;
  Status write_status;  // of every write

  Status make(const std::string& request) override {
    SP_TRY(kernel_->make(request));
    const Path path = folder_ / request;
    put(path / "provider", as_bytes(provider_ + "\n"));
    for (const char* name : {"inblob", "outblob", "privlevel"}) put(path / name, {});
    if (auxiliary) put(path / "auxblob", {});
    count(request);
    return {};
  }
  Status write(const std::string& request, const std::string& attribute, ByteView bytes) override {
    SP_TRY(write_status);
    SP_TRY(kernel_->write(request, attribute, bytes));
    count(request);
    if (attribute == "privlevel") privilege_level = as_text(bytes);
    if (attribute != "inblob") return {};
    const auto data = attest::ReportData::from(bytes);
    if (!data) return Error{Errc::io, "the kernel takes 64 bytes"};
    put(folder_ / request / "outblob", report_(*data));
    if (auxiliary) put(folder_ / request / "auxblob", auxiliary(*data));
    if (strange_writes-- > 0) count(request);
    return {};
  }
  Result<Bytes> read(const std::string& request, const std::string& attribute,
                     std::size_t size_max) override {
    return kernel_->read(request, attribute, size_max);
  }
  // rmdir of the kernel's takes the attributes along.
  Status remove(const std::string& request) override {
    for (const auto& entry : fs::directory_iterator(folder_ / request)) fs::remove(entry);
    return kernel_->remove(request);
  }

 private:
  void count(const std::string& request) {
    put(folder_ / request / "generation", as_bytes(std::to_string(++generation_) + "\n"));
  }

  Path folder_;
  std::unique_ptr<Tsm> kernel_;
  std::string provider_;
  Answer report_;
  int generation_ = 0;
};

class TsmTest : public ::testing::Test {
 protected:
  ~TsmTest() override { EXPECT_TRUE(fs::is_empty(folder_.path())) << "a request is left behind"; }

  PlayedKernel::Answer snp() {
    return [this](const attest::ReportData& data) { return amd_.report(data); };
  }

  crypto::SystemRandom random_;
  attest::testing::AmdVendor amd_{random_};
  attest::ReportData data_{{1, 2, 3}};
  sp::testing::TemporaryFolder folder_;
};

TEST_F(TsmTest, CollectsAnSnpReportWithItsCertificates) {
  PlayedKernel kernel(folder_, "sev_guest", snp());
  const auto evidence = collect_tsm(kernel, data_, {}, random_);
  ASSERT_TRUE(evidence.ok()) << evidence.error().message;
  EXPECT_EQ(evidence->kind, EvidenceKind::sev_snp);
  EXPECT_TRUE(evidence->collateral.empty());
  attest::Evidence whole = *evidence;
  whole.collateral = amd_.collateral().encode();
  const auto verdict = attest::verify(whole, attest::testing::kVendorNow, amd_.anchors());
  ASSERT_TRUE(verdict.ok()) << verdict.error().message;
  EXPECT_TRUE(verdict->binds(data_));
}

TEST_F(TsmTest, CollectsATdxQuote) {
  const attest::testing::IntelVendor intel(random_);
  PlayedKernel kernel(folder_, "tdx_guest", [&](const attest::ReportData& data) {
    return intel.quote(intel.tdx_recipe(data));
  });
  const auto evidence = collect_tsm(kernel, data_, {}, random_);
  ASSERT_TRUE(evidence.ok()) << evidence.error().message;
  EXPECT_EQ(evidence->kind, EvidenceKind::tdx);
}

TEST_F(TsmTest, TheProverKnowsWhoItIs) {
  auto kernel = std::make_unique<PlayedKernel>(folder_, "sev_guest", snp());
  const auto prover = TsmProver::open(std::move(kernel), {}, random_);
  ASSERT_TRUE(prover.ok()) << prover.error().message;
  const ProverIdentity identity = (*prover)->identity();
  EXPECT_EQ(identity.kind, EvidenceKind::sev_snp);
  EXPECT_EQ(identity.vendor, attest::Vendor::amd);
  EXPECT_EQ(identity.chip,
            attest::chip_id(attest::Vendor::amd, amd_.chip_id(attest::SnpFamily::genoa)));
  EXPECT_TRUE((*prover)->evidence(data_).ok());
}

TEST_F(TsmTest, WritesOfOthersAreNoticed) {
  PlayedKernel kernel(folder_, "sev_guest", snp());
  kernel.strange_writes = 2;
  EXPECT_TRUE(collect_tsm(kernel, data_, {}, random_).ok()) << "it is asked again";
  kernel.strange_writes = 100;
  EXPECT_EQ(collect_tsm(kernel, data_, {}, random_).error().code, Errc::unavailable);
}

TEST_F(TsmTest, ThePrivilegeLevelIsHandedOn) {
  PlayedKernel kernel(folder_, "sev_guest", snp());
  EXPECT_TRUE(collect_tsm(kernel, data_, {2}, random_).ok());
  EXPECT_EQ(kernel.privilege_level, "2");
}

TEST_F(TsmTest, FailuresAreErrors) {
  PlayedKernel strange(folder_, "cca_guest", snp());
  EXPECT_EQ(collect_tsm(strange, data_, {}, random_).error().code, Errc::unsupported);

  PlayedKernel refusing(folder_, "sev_guest", snp());
  refusing.write_status = Error{Errc::unavailable, "busy"};
  EXPECT_EQ(collect_tsm(refusing, data_, {}, random_).error().code, Errc::unavailable);

  PlayedKernel huge(folder_, "sev_guest",
                    [](const auto&) { return Bytes(attest::kEvidenceBodyMax + 1); });
  EXPECT_EQ(collect_tsm(huge, data_, {}, random_).error().code, Errc::too_large);

  PlayedKernel broken(folder_, "sev_guest", snp());
  broken.auxiliary = [](const auto&) { return Bytes(7, 0xee); };
  EXPECT_EQ(collect_tsm(broken, data_, {}, random_).error().code, Errc::malformed);

  const std::unique_ptr<Tsm> none = kernel_tsm(folder_ / "absent");
  EXPECT_EQ(collect_tsm(*none, data_, {}, random_).error().code, Errc::not_found);
}

}  // namespace
}  // namespace sp::prove
