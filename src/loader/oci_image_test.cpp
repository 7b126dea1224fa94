#include "loader/oci_image.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/testing/temporary_folder.hpp"
#include "crypto/hash.hpp"
#include "loader/beneath.hpp"
#include "loader/parts.hpp"

namespace sp::loader {
namespace {

const std::string kDigest(64, 'a');
const std::string kBlob =
    R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:)" + kDigest +
    R"(","size":12})";

template <class T>
std::string code_of(const Result<T>& result) {
  return result.ok() ? "accepted" : std::string(errc_name(result.error().code));
}

TEST(ImageIndex, NamesTheManifestForThisPlatform) {
  const auto plain = parse_image_index(R"({"schemaVersion":2,"manifests":[)" + kBlob + "]}");
  ASSERT_TRUE(plain.ok()) << plain.error().message;
  EXPECT_EQ(plain->digest.hex(), kDigest);
  EXPECT_EQ(plain->size, 12U);
  std::string other = kBlob;
  other.insert(other.size() - 1, R"(,"platform":{"os":"linux","architecture":"arm64"})");
  std::string ours = kBlob;
  ours.replace(ours.find("12"), 2, "34");
  ours.insert(ours.size() - 1, R"(,"platform":{"os":"linux","architecture":"amd64"})");
  EXPECT_EQ(parse_image_index(R"({"manifests":[)" + other + "," + ours + "]}")->size, 34U);
  EXPECT_EQ(code_of(parse_image_index(R"({"manifests":[)" + other + "]}")), "unsupported");
}

TEST(ImageIndex, RefusesWhatIsNone) {
  for (const std::string text :
       {"", "[]", "{}", R"({"manifests":{}})", R"({"manifests":[{"size":1}]})",
        R"({"manifests":[{"digest":"sha256:../../etc/passwd","size":1}]})",
        R"({"manifests":[{"digest":"sha256:AAAA","size":1}]})",
        R"({"manifests":[],"manifests":[]})"}) {
    const auto code = code_of(parse_image_index(text));
    EXPECT_TRUE(code == "malformed" || code == "unsupported") << text << ": " << code;
  }
  EXPECT_EQ(code_of(parse_image_index(R"({"manifests":[{"digest":"md5:00","size":1}]})")),
            "unsupported");
  std::string many = R"({"manifests":[)";
  for (std::size_t i = 0; i <= kImageManifestsMax; ++i) many += (i == 0 ? "" : ",") + kBlob;
  EXPECT_EQ(code_of(parse_image_index(many + "]}")), "malformed");
}

TEST(ImageManifest, ListsConfigAndLayers) {
  const std::string layer =
      R"({"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:)" + kDigest +
      R"(","size":5})";
  const auto manifest = parse_image_manifest(R"({"schemaVersion":2,"config":)" + kBlob +
                                             R"(,"layers":[)" + layer + "]}");
  ASSERT_TRUE(manifest.ok()) << manifest.error().message;
  EXPECT_EQ(manifest->layers.size(), 1U);
  std::string encrypted = layer;
  encrypted.replace(encrypted.find("+gzip"), 5, "+encrypted");
  EXPECT_EQ(code_of(parse_image_manifest(R"({"schemaVersion":2,"config":)" + kBlob +
                                         R"(,"layers":[)" + encrypted + "]}")),
            "unsupported");
  EXPECT_EQ(code_of(parse_image_manifest(R"({"schemaVersion":1,"config":{},"layers":[]})")),
            "malformed");
}

TEST(ImageConfig, SaysWhatToRun) {
  const auto config = parse_image_config(
      R"({"os":"linux","architecture":"amd64","config":{"Entrypoint":["/a"],"Cmd":["b"],)"
      R"("Env":["X=1=2"],"WorkingDir":"/w","User":"u:g","Labels":{"any":"thing"}}})");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(*config, (ImageConfig{{"/a"}, {"b"}, {"X=1=2"}, "/w", "u:g"}));
  const std::string head = R"({"os":"linux","architecture":"amd64","config":)";
  EXPECT_TRUE(parse_image_config(head + "null}").ok());
  for (const std::string inner :
       {R"({"Env":["X"]})", R"({"Env":["=x"]})", R"({"Cmd":"text"})", R"({"Cmd":[1]})",
        R"({"WorkingDir":"relative"})", R"({"User":7})", R"({"Cmd":["nul\u0000"]})", "[]"}) {
    EXPECT_EQ(code_of(parse_image_config(head + inner + "}")), "malformed") << inner;
  }
  EXPECT_EQ(code_of(parse_image_config(R"({"os":"linux","architecture":"arm64"})")), "unsupported");
}

TEST(ImageUser, IsLookedUpInTheImage) {
  const std::string passwd = "root:x:0:0::/:/\nworker:x:1000:100::/:/\nbad:x:70000:1::/:/\n";
  const std::string group = "root:x:0:\nusers:x:100:\n";
  const auto user = [&](std::string_view text) { return resolve_user(text, passwd, group); };
  EXPECT_EQ(user("").value(), (ImageUser{0, 0}));
  EXPECT_EQ(user("worker").value(), (ImageUser{1000, 100}));
  EXPECT_EQ(user("1000").value(), (ImageUser{1000, 100}));
  EXPECT_EQ(user("4242").value(), (ImageUser{4242, 0}));
  EXPECT_EQ(user("worker:root").value(), (ImageUser{1000, 0}));
  EXPECT_EQ(user("7:8").value(), (ImageUser{7, 8}));
  EXPECT_EQ(code_of(user("nobody")), "not_found");
  EXPECT_EQ(code_of(user("worker:nobody")), "not_found");
  EXPECT_EQ(code_of(user("bad")), "malformed");
  EXPECT_EQ(code_of(user("70000")), "not_found");
  EXPECT_EQ(code_of(user("a:b:c")), "malformed");
}

TEST(CommandLine, PutsArgumentsBehindTheEntrypoint) {
  const ImageConfig config{{"/entry"}, {"own"}, {"A=1", "PATH=/bin"}, "", ""};
  const auto own = command_line(config, {});
  EXPECT_EQ(own->arguments, (std::vector<std::string>{"/entry", "own"}));
  EXPECT_EQ(own->environment, (std::vector<std::string>{"A=1", "PATH=/bin"}));
  EXPECT_EQ(own->search_path, "/bin");
  const auto given = command_line(config, {{"x", ""}, {{"A", "2"}, {"B", "3"}}});
  EXPECT_EQ(given->arguments, (std::vector<std::string>{"/entry", "x", ""}));
  EXPECT_EQ(given->environment, (std::vector<std::string>{"A=2", "B=3", "PATH=/bin"}));
  EXPECT_EQ(command_line({}, {}).error().code, Errc::malformed);
}

TEST(SplitName, RefusesWhatLeadsOut) {
  EXPECT_EQ(split_name("./a//b/").value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(split_name(".").value().empty());
  for (const std::string name : {"", "/a", "..", "a/../b", "a/.."}) {
    EXPECT_EQ(code_of(split_name(name)), "refused") << name;
  }
  EXPECT_EQ(code_of(split_name(std::string_view("a\0b", 3))), "refused");
  EXPECT_EQ(code_of(split_name(std::string(256, 'a'))), "refused");
  std::string deep;
  for (std::size_t i = 0; i <= kNameDepthMax; ++i) deep += "a/";
  EXPECT_EQ(code_of(split_name(deep)), "refused");
}

class ImageFolder : public ::testing::Test {
 public:
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / name) << text;
  }
  // Puts a blob and returns its descriptor.
  [[nodiscard]] std::string blob(const std::string& type, const std::string& text) const {
    const std::string digest = crypto::sha256(as_bytes(text)).hex();
    write("blobs/sha256/" + digest, text);
    return R"({"mediaType":")" + type + R"(","digest":"sha256:)" + digest + R"(","size":)" +
           std::to_string(text.size()) + "}";
  }

  const std::string config = R"({"os":"linux","architecture":"amd64","config":{"Cmd":["/a"]}})";
  sp::testing::TemporaryFolder folder;
};

TEST_F(ImageFolder, ReadsALayoutThroughANestedIndex) {
  const std::string manifest =
      blob("application/vnd.oci.image.manifest.v1+json",
           R"({"schemaVersion":2,"config":)" +
               blob("application/vnd.oci.image.config.v1+json", config) + R"(,"layers":[]})");
  const std::string inner = blob("application/vnd.oci.image.index.v1+json",
                                 R"({"schemaVersion":2,"manifests":[)" + manifest + "]}");
  write("oci-layout", "{}");
  write("index.json", R"({"schemaVersion":2,"manifests":[)" + inner + "]}");
  const auto image = read_image(folder);
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_EQ(image->config.command, std::vector<std::string>{"/a"});
  const std::string deeper = blob("application/vnd.oci.image.index.v1+json",
                                  R"({"schemaVersion":2,"manifests":[)" + inner + "]}");
  write("index.json", R"({"schemaVersion":2,"manifests":[)" + deeper + "]}");
  EXPECT_EQ(code_of(read_image(folder)), "unsupported");
}

TEST_F(ImageFolder, ChecksDigestsOfManifestAndConfig) {
  const std::string manifest = blob("application/vnd.oci.image.manifest.v1+json", "{}");
  write("oci-layout", "{}");
  write("index.json", R"({"manifests":[)" + manifest + "]}");
  const std::string digest = crypto::sha256(as_bytes("{}")).hex();
  write("blobs/sha256/" + digest, "[]");
  EXPECT_EQ(code_of(read_image(folder)), "mismatch");
  std::filesystem::remove(folder / "blobs" / "sha256" / digest);
  EXPECT_EQ(code_of(read_image(folder)), "not_found");
}

TEST_F(ImageFolder, ReadsADockerArchiveAndNothingElse) {
  EXPECT_EQ(code_of(read_image(folder)), "malformed");
  write("abc.json", config);
  write("manifest.json", R"([{"Config":"abc.json","RepoTags":null,"Layers":["l/layer.tar"]}])");
  const auto image = read_image(folder);
  ASSERT_TRUE(image.ok()) << image.error().message;
  ASSERT_EQ(image->layers.size(), 1U);
  EXPECT_EQ(image->layers[0].file, "l/layer.tar");
  write("manifest.json", R"([{"Config":"../../etc/passwd","Layers":[]}])");
  EXPECT_EQ(code_of(read_image(folder)), "refused");
  write("manifest.json", R"([{"Config":"/etc/passwd","Layers":[]}])");
  EXPECT_EQ(code_of(read_image(folder)), "refused");
  write("manifest.json", "[{},{}]");
  EXPECT_EQ(code_of(read_image(folder)), "unsupported");
}

}  // namespace
}  // namespace sp::loader
