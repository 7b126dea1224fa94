#include "store/remote/s3_location.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "store/testing/test_support.hpp"

namespace sp::store {
namespace {

constexpr std::string_view kFile =
    "# mine\n\n[default]\naws_access_key_id = key\r\naws_secret_access_key=se=cret\nregion = x\n"
    "[ other ]\naws_access_key_id = x\naws_secret_access_key = y\naws_session_token = z\n[half]\n"
    "aws_access_key_id = x\n";

TEST(S3Location, Urls) {
  EXPECT_EQ(S3Location::parse("s3://bucket")->bucket, "bucket");
  EXPECT_EQ(S3Location::parse("s3://bucket")->prefix, "");
  EXPECT_EQ(S3Location::parse("s3://bucket/")->prefix, "");
  EXPECT_EQ(S3Location::parse("s3://bucket/a/b")->prefix, "a/b/");
  EXPECT_EQ(S3Location::parse("s3://bucket/a/")->prefix, "a/");
  for (const char* wrong : {"", "s3:/bucket", "S3://bucket", "s3://", "s3:///a", "s3://b/a?x",
                            "s3://u@b/", "s3://b a"}) {
    EXPECT_EQ(S3Location::parse(wrong).error().code, Errc::malformed) << wrong;
  }
  EXPECT_EQ(S3Location::parse("s3://b/" + std::string(kS3UrlMax, 'a')).error().code,
            Errc::too_large);
}

TEST(S3Location, CredentialFiles) {
  const auto own = read_s3_credentials(kFile, "default");
  ASSERT_TRUE(own.ok()) << own.error().message;
  EXPECT_EQ(own->access_key, "key");
  EXPECT_EQ(as_text(own->secret_key.reveal()), "se=cret");
  EXPECT_EQ(own->session_token.size(), 0U);
  EXPECT_EQ(as_text(read_s3_credentials(kFile, "other")->session_token.reveal()), "z");
  EXPECT_EQ(read_s3_credentials(kFile, "none").error().message, "no profile [none]");
  EXPECT_EQ(read_s3_credentials(kFile, "half").error().message,
            "[half] lacks aws_access_key_id or aws_secret_access_key");
  const auto broken = read_s3_credentials("[default]\nsecret words\n", "default");
  EXPECT_EQ(broken.error().code, Errc::malformed);
  EXPECT_EQ(broken.error().message, "line 2 isn't \"name = value\"");
}

class S3FoundTest : public ::testing::Test {
 protected:
  Result<S3Settings> settings(const S3Choices& choices = {}) {
    const auto environment = [this](const char* name) -> std::optional<std::string> {
      const auto found = variables_.find(name);
      return found == variables_.end() ? std::nullopt : std::optional(found->second);
    };
    return s3_settings({"bucket", "p/"}, choices, environment, files_);
  }

  PosixFiles files_;
  testing::TemporaryFolder folder_;
  std::map<std::string, std::string> variables_{{"AWS_ACCESS_KEY_ID", "key"},
                                                {"AWS_SECRET_ACCESS_KEY", "secret"}};
};

TEST_F(S3FoundTest, OfAws) {
  const auto aws = settings();
  ASSERT_TRUE(aws.ok()) << aws.error().message;
  EXPECT_EQ(aws->endpoint, "https://s3.us-east-1.amazonaws.com");
  EXPECT_EQ(aws->addressing, S3Settings::Addressing::virtual_host);
  variables_["AWS_REGION"] = "eu-central-1";
  EXPECT_EQ(settings()->endpoint, "https://s3.eu-central-1.amazonaws.com");
  EXPECT_EQ(settings({.region = "eu-west-1"})->region, "eu-west-1");
  EXPECT_EQ(settings({.path_style = true})->addressing, S3Settings::Addressing::path);
}

TEST_F(S3FoundTest, OfOthers) {
  variables_["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1";
  EXPECT_EQ(settings()->endpoint, "http://127.0.0.1:1");
  EXPECT_EQ(settings()->addressing, S3Settings::Addressing::path);
  variables_["AWS_ENDPOINT_URL_S3"] = "http://127.0.0.1:2";
  EXPECT_EQ(settings()->endpoint, "http://127.0.0.1:2");
  EXPECT_EQ(settings({.endpoint = "http://127.0.0.1:3"})->endpoint, "http://127.0.0.1:3");
}

TEST_F(S3FoundTest, CredentialsComeFromSomewhere) {
  variables_.erase("AWS_ACCESS_KEY_ID");
  EXPECT_EQ(settings().error().code, Errc::usage);
  EXPECT_NE(settings().error().message.find("set AWS_ACCESS_KEY_ID"), std::string::npos);
  const Path file = folder_.path() / ".aws" / "credentials";
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << kFile;
  variables_["HOME"] = folder_.path();
  EXPECT_EQ(settings()->credentials.access_key, "key");
  variables_["AWS_PROFILE"] = "other";
  EXPECT_EQ(settings()->credentials.access_key, "x");
  EXPECT_EQ(settings({.profile = "none"}).error().code, Errc::not_found);
  EXPECT_EQ(settings({.credentials_file = "/nowhere"}).error().code, Errc::not_found);
  variables_["AWS_SHARED_CREDENTIALS_FILE"] = file.string();
  variables_.erase("HOME");
  EXPECT_TRUE(settings().ok());
}

}  // namespace
}  // namespace sp::store
