#include "spctl/uploads.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/testing/temporary_folder.hpp"

namespace sp::spctl {
namespace {

TEST(CheckImageFolder, AFolderOfDataIsNoImage) {
  const sp::testing::TemporaryFolder folder;
  const auto put = [&](const char* name) { std::ofstream(folder / name) << "{}"; };
  EXPECT_EQ(check_image_folder(folder.path()).error().code, Errc::usage);
  put("records.csv");
  std::filesystem::create_directory(folder / "index.json");
  const Status refused = check_image_folder(folder.path());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("--data"), std::string::npos) << refused.error().message;
}

TEST(CheckImageFolder, ALayoutAndAnUnpackedDockerArchiveAreImages) {
  const sp::testing::TemporaryFolder folder;
  const auto put = [&](const char* name) { std::ofstream(folder / name) << "{}"; };
  put("index.json");
  EXPECT_FALSE(check_image_folder(folder.path())) << "no loader takes it without oci-layout";
  put("oci-layout");
  EXPECT_TRUE(check_image_folder(folder.path()));
  std::filesystem::remove(folder / "index.json");
  EXPECT_FALSE(check_image_folder(folder.path()));
  put("manifest.json");
  EXPECT_TRUE(check_image_folder(folder.path()));
}

}  // namespace
}  // namespace sp::spctl
