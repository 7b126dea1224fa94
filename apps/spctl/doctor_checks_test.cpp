// Each problem that `spctl doctor` names, provoked; of the chain see doctor_chain_test.cpp.
#include "spctl/doctor_checks.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/testing/temporary_folder.hpp"
#include "crypto/certificate.hpp"
#include "crypto/random.hpp"

namespace sp::spctl {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kNow = 1'790'000'000;
constexpr std::int64_t kDay = 24 * 3600;

class DoctorChecks : public ::testing::Test {
 protected:
  void put(const Path& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }

  sp::testing::TemporaryFolder root_;
  PosixFiles files_;
};

TEST_F(DoctorChecks, RootIsNeededByAProviderAlone) {
  EXPECT_EQ(check_root(Role::provider, 1000).health, Health::problem);
  EXPECT_EQ(check_root(Role::provider, 0).health, Health::ok);
  EXPECT_NE(check_root(Role::customer, 1000).health, Health::problem);
}

TEST_F(DoctorChecks, AMachineWithoutNamespacesOrGroups) {
  EXPECT_EQ(check_namespaces(root_).health, Health::problem);
  EXPECT_EQ(check_cgroups(root_).health, Health::problem);
  EXPECT_NE(check_namespaces("/").says, check_namespaces(root_).says);
}

TEST_F(DoctorChecks, RuncThatIsOldOrMissing) {
  EXPECT_EQ(check_runc("").health, Health::problem);
  EXPECT_NE(check_runc("runc version 1.0.3\n").health, Health::ok);
  EXPECT_EQ(check_runc("runc version 1.1.5+ds1\n").health, Health::ok);
}

TEST_F(DoctorChecks, NoTeeIsAWarningAndADeviceIsFound) {
  const auto none = check_tees(root_);
  ASSERT_EQ(none.size(), 1U);
  EXPECT_EQ(none[0].health, Health::warning);
  put("dev/sev-guest", "");
  const auto snp = check_tees(root_);
  ASSERT_EQ(snp.size(), 1U);
  EXPECT_EQ(snp[0].health, Health::ok);
}

TEST_F(DoctorChecks, LittleDiskAndMemory) {
  EXPECT_EQ(check_disk(root_, kDiskMin - 1).health, Health::problem);
  EXPECT_EQ(check_disk(root_, kDiskGood - 1).health, Health::warning);
  EXPECT_EQ(check_disk(root_, kDiskGood).health, Health::ok);
  EXPECT_EQ(check_memory(Role::provider, kMemoryMin - 1).health, Health::problem);
  EXPECT_EQ(check_memory(Role::customer, kMemoryMin - 1).health, Health::ok);
}

TEST_F(DoctorChecks, SwapThatIsOnADiskInClear) {
  EXPECT_EQ(check_swap(root_).health, Health::ok) << "a kernel without swap";
  const std::string head = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
  const std::string rest = "                            partition\t1000\t\t0\t\t-2\n";
  put("proc/swaps", head);
  EXPECT_EQ(check_swap(root_).says, "none");
  put("proc/swaps", head + "/dev/dm-1" + rest + "/dev/zram0" + rest);
  const Finding plain = check_swap(root_);
  EXPECT_EQ(plain.health, Health::warning);
  EXPECT_NE(plain.says.find(" /dev/dm-1 "), std::string::npos) << plain.says;
  put("sys/block/dm-1/dm/uuid", "LVM-abc\n");
  EXPECT_EQ(check_swap(root_).health, Health::warning);
  put("sys/block/dm-1/dm/uuid", "CRYPT-PLAIN-swap\n");
  EXPECT_EQ(check_swap(root_).health, Health::ok);
  put("sys/block/zram0/backing_dev", "none\n");
  EXPECT_EQ(check_swap(root_).health, Health::ok);
  put("sys/block/zram0/backing_dev", "/dev/sda3\n");
  EXPECT_NE(check_swap(root_).says.find(" /dev/zram0 "), std::string::npos);
  put("proc/swaps", head + "/swapfile" + rest);
  EXPECT_EQ(check_swap(root_).health, Health::warning);
}

TEST_F(DoctorChecks, ANetworkThatIsMissingOrBroken) {
  std::optional<apps::Network> network;
  const Path file = root_ / "network.json";
  EXPECT_EQ(check_network(files_, file, network).says, file.string() + " isn't there");
  put("network.json", "{\"version\": 1}");
  const Finding broken = check_network(files_, file, network);
  EXPECT_EQ(broken.health, Health::problem);
  EXPECT_NE(broken.says.find("broker must be an object"), std::string::npos) << broken.says;
  EXPECT_FALSE(network.has_value());
}

TEST_F(DoctorChecks, AKeyThatOthersMayRead) {
  put("state/signing.key", "secret");
  const Path key = root_ / "state" / "signing.key";
  ::chmod(key.c_str(), 0600);
  EXPECT_EQ(check_modes("state", root_ / "state").health, Health::ok);
  ::chmod(key.c_str(), 0640);
  const Finding open = check_modes("state", root_ / "state");
  EXPECT_EQ(open.health, Health::problem);
  EXPECT_NE(open.says.find("signing.key"), std::string::npos) << open.says;
}

TEST_F(DoctorChecks, ATlsKeyThatOthersMayRead) {
  put("tls/key.pem", "secret");
  const Path key = root_ / "tls" / "key.pem";
  ::chmod(key.c_str(), 0600);
  EXPECT_EQ(check_private_file("tls", key).health, Health::ok);
  ::chmod(key.c_str(), 0644);
  EXPECT_EQ(check_private_file("tls", key).health, Health::problem);
  EXPECT_EQ(check_private_file("tls", root_ / "none").health, Health::ok);
}

TEST_F(DoctorChecks, AHomeThatIsNoFolder) {
  EXPECT_EQ(check_writable(root_ / "not" / "yet").health, Health::ok);
  put("file", "");
  EXPECT_EQ(check_writable(root_ / "file").health, Health::problem);
}

TEST_F(DoctorChecks, KeysThatLackTheirResultKeyOrPassword) {
  crypto::SystemRandom random;
  KeyRing keys(files_, random, root_ / "keys", {});
  EXPECT_EQ(check_keys(keys).health, Health::ok);
  ASSERT_TRUE(keys.create("me"));
  EXPECT_EQ(check_keys(keys).health, Health::ok);
  const auto expect_missing = [&](const char* file) {
    fs::rename(root_ / "keys" / file, root_ / "aside");
    const Finding found = check_keys(keys);
    EXPECT_EQ(found.health, Health::problem);
    EXPECT_NE(found.says.find(file), std::string::npos) << found.says;
    fs::rename(root_ / "aside", root_ / "keys" / file);
  };
  expect_missing("me.x25519");
  expect_missing("password");
}

TEST_F(DoctorChecks, ACertificateThatEnds) {
  const auto made = crypto::make_server_certificate({"store.example"}, kNow);
  ASSERT_TRUE(made.ok());
  put("ca.pem", made->certificate);
  const Path file = root_ / "ca.pem";
  const auto health = [&](std::int64_t at) {
    return check_certificates(files_, "ca.pem", file, at).health;
  };
  EXPECT_EQ(health(kNow), Health::ok);
  EXPECT_EQ(health(made->not_after - 29 * kDay), Health::warning);
  EXPECT_EQ(health(made->not_after + kDay), Health::problem);
  put("ca.pem", "nothing");
  EXPECT_EQ(health(kNow), Health::problem);
  EXPECT_EQ(check_certificates(files_, "ca.pem", root_ / "none", kNow).health, Health::problem);
}

TEST_F(DoctorChecks, SettingsThatAreMissingOrOfAnotherTime) {
  EXPECT_NE(check_settings(files_, Role::store, root_).says.find("isn't there"), std::string::npos);
  put("store.json", "{\"listen\": {\"address\": \"0.0.0.0\", \"port\": 1}, \"disk\": 1}");
  EXPECT_EQ(check_settings(files_, Role::store, root_).health, Health::problem);
}

TEST_F(DoctorChecks, AClockThatIsBehindTheChain) {
  EXPECT_EQ(check_clock(kNow, kNow, false).health, Health::ok);
  EXPECT_EQ(check_clock(kNow, kNow + kClockBehindMax + 1, false).health, Health::problem);
  EXPECT_NE(check_clock(kNow, kNow - kChainStillMax - 1, false).health, Health::ok);
  EXPECT_EQ(check_clock(kNow, kNow - kChainStillMax - 1, true).health, Health::ok);
}

TEST_F(DoctorChecks, AServiceThatIsAwayOrUnwell) {
  Status health;
  const auto server = net::HttpServer::start({}, [&](const net::HttpRequest&) {
    return net::text_response(health ? 200 : 503, "text/plain", "x");
  });
  ASSERT_TRUE(server.ok());
  net::HttpClient http;
  const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port());
  EXPECT_EQ(check_service(http, "store", url, true).health, Health::ok);
  health = Error{Errc::io, "full"};
  EXPECT_NE(check_service(http, "store", url, true).health, Health::ok);
  EXPECT_EQ(check_service(http, "store", "http://127.0.0.1:1", true).health, Health::problem);
  EXPECT_EQ(check_service(http, "provider", "http://127.0.0.1:1", false).health, Health::warning);
}

TEST_F(DoctorChecks, ALineSaysWhatToDo) {
  const Finding finding{"runc", Health::problem, "not found", "Install it"};
  EXPECT_NE(finding_line(finding).find("Install it"), std::string::npos);
  EXPECT_TRUE(has_problem({finding}));
  EXPECT_FALSE(has_problem({{"runc", Health::warning, "", ""}}));
}

}  // namespace
}  // namespace sp::spctl
