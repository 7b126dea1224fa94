#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attest/verdict.hpp"
#include "base/process.hpp"
#include "crypto/random.hpp"
#include "prove/dev.hpp"

namespace sp::prove {
namespace {

attest::ReportData report_data(std::uint8_t fill) {
  attest::ReportData data;
  data.data.fill(fill);
  return data;
}

TEST(DevPlatform, SurvivesItsFile) {
  crypto::SystemRandom random;
  const DevPlatform made = DevPlatform::generate(random);
  const auto read = DevPlatform::decode(made.encode().reveal());
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->hardware_id, made.hardware_id);
  EXPECT_EQ(read->chip(), made.chip());
  EXPECT_EQ(read->anchor(), made.anchor());
  EXPECT_NE(DevPlatform::generate(random).chip(), made.chip());
}

TEST(DevPlatform, RefusesWhatIsNotItsFile) {
  crypto::SystemRandom random;
  const SecretBytes good = DevPlatform::generate(random).encode();
  const auto code_of = [](const Bytes& bytes) {
    const auto read = DevPlatform::decode(bytes);
    return read.ok() ? std::string("accepted") : std::string(errc_name(read.error().code));
  };
  Bytes bytes = to_bytes(good.reveal());
  bytes[0] ^= 1;
  EXPECT_EQ(code_of(bytes), "malformed");
  bytes = to_bytes(good.reveal());
  bytes[5] = 2;
  EXPECT_EQ(code_of(bytes), "unsupported");
  bytes = to_bytes(good.reveal());
  bytes.push_back(0);
  EXPECT_EQ(code_of(bytes), "malformed");
  bytes.resize(good.size() - 1);
  EXPECT_EQ(code_of(bytes), "malformed");
  bytes = to_bytes(good.reveal());
  std::fill(bytes.end() - 32, bytes.end(), std::uint8_t{0});
  EXPECT_EQ(code_of(bytes), "malformed") << "a zero scalar is no key";
}

TEST(DevProver, EvidenceVerifiesAndBindsItsReportData) {
  crypto::SystemRandom random;
  const DevPlatform platform = DevPlatform::generate(random);
  const Digest48 anchor = platform.anchor();
  const auto chip = platform.chip();
  attest::Measurement measurement;
  measurement.data.fill(7);
  auto copy = DevPlatform::decode(platform.encode().reveal());
  ASSERT_TRUE(copy.ok());
  DevProver prover(std::move(*copy), measurement);
  const auto evidence = prover.evidence(report_data(3));
  ASSERT_TRUE(evidence.ok());
  const auto verdict = attest::verify(*evidence, 0);
  ASSERT_TRUE(verdict.ok()) << verdict.error().message;
  EXPECT_EQ(verdict->kind(), attest::EvidenceKind::dev);
  EXPECT_EQ(verdict->chip(), chip);
  EXPECT_EQ(verdict->anchor(), anchor);
  EXPECT_EQ(verdict->measurement(), measurement);
  EXPECT_TRUE(verdict->binds(report_data(3)).ok());
  EXPECT_EQ(verdict->binds(report_data(4)).error().code, Errc::mismatch);
  EXPECT_EQ(prover.identity(), (ProverIdentity{verdict->kind(), verdict->vendor(), verdict->chip(),
                                               verdict->measurement_digest()}));
}

TEST(MeasureProgram, IsTheDigestThatOthersCompute) {
  const PosixFiles files;
  const auto own = measure_program(files, kOwnProgram);
  ASSERT_TRUE(own.ok()) << own.error().message;
  const std::string program = std::filesystem::read_symlink(kOwnProgram).string();
  ProcessOptions options;
  options.argv = {"sha384sum", program};
  const auto told = run_command(options, std::chrono::seconds(30), 4096);
  ASSERT_TRUE(told.ok()) << told.error().message;
  EXPECT_EQ(told->text.substr(0, 96), own->hex());
  EXPECT_EQ(measure_program(files, "/nonexistent").error().code, Errc::not_found);
}

}  // namespace
}  // namespace sp::prove
