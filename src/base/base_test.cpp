#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "base/amount.hpp"
#include "base/codec.hpp"
#include "base/files.hpp"
#include "base/json.hpp"
#include "base/printable.hpp"
#include "base/process.hpp"
#include "base/testing/temporary_folder.hpp"
#include "base/world.hpp"

namespace sp {
namespace {

constexpr std::size_t kTextMax = 4096;

TEST(Hex, ReadsWhatItWrites) {
  EXPECT_EQ(to_hex0x(Bytes{0x00, 0xab}), "0x00ab");
  EXPECT_EQ(from_hex("0x00AB").value(), (Bytes{0x00, 0xab}));
  EXPECT_EQ(from_hex("abc").error().code, Errc::malformed);
  EXPECT_EQ(from_hex("zz").error().code, Errc::malformed);
  EXPECT_FALSE(Address::from_hex("0x00").ok());
}

TEST(Printable, IsOneLineOfAsciiCut) {
  EXPECT_EQ(printable("a ~", 9), "a ~");
  EXPECT_EQ(printable("\n\x1b[\x7f\u00e9", 9), "??[???");
  EXPECT_EQ(printable("x\u00e9", 2), "x?") << "cut through a letter";
}

TEST(Codec, HasOneEncoding) {
  Writer writer;
  writer.u8(1).u16(2).u32(3).u64(4).text("five");
  Reader reader(writer.bytes());
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(reader.u16(), 2);
  EXPECT_EQ(reader.u32(), 3U);
  EXPECT_EQ(reader.u64(), 4U);
  EXPECT_EQ(reader.text(4), "five");
  EXPECT_TRUE(reader.finish().ok());
  Reader short_limit(ByteView(writer.bytes()).subspan(15));
  EXPECT_EQ(short_limit.text(3), "");
  EXPECT_EQ(short_limit.finish().error().code, Errc::too_large);
  Reader left_over(writer.bytes());
  left_over.u8();
  EXPECT_EQ(left_over.finish().error().code, Errc::malformed);
  const Bytes two{2};
  Reader boolean(two);
  boolean.boolean();
  EXPECT_FALSE(boolean.finish().ok());
}

TEST(Json, IsStrict) {
  EXPECT_TRUE(parse_json(R"({"a":[1,2,{"b":null}]})", kTextMax).ok());
  EXPECT_EQ(parse_json(R"({"a":1,"a":2})", kTextMax).error().code, Errc::malformed);
  EXPECT_EQ(parse_json("{} x", kTextMax).error().code, Errc::malformed);
  EXPECT_EQ(parse_json("\"\xff\"", kTextMax).error().code, Errc::malformed);
  EXPECT_EQ(parse_json(std::string(100, '['), kTextMax).error().code, Errc::too_large);
  EXPECT_EQ(parse_json("[1,2,3]", 3).error().code, Errc::too_large);
}

TEST(Json, ObjectsRefuseUnknownKeys) {
  const auto json = parse_json(R"({"n":5,"t":"x","extra":1})", kTextMax).value();
  JsonObject object(json, "it");
  EXPECT_EQ(object.number("n", 10), 5U);
  EXPECT_EQ(object.text("t", 10), "x");
  EXPECT_NE(object.finish().error().message.find("extra"), std::string::npos);
  JsonObject again(json, "it");
  EXPECT_EQ(again.number("n", 4), 0U);
  EXPECT_FALSE(again.finish().ok());
}

TEST(Amount, NeverWraps) {
  const Amount most(~Amount::Number{0});
  EXPECT_EQ(most.plus(Amount(1)).error().code, Errc::too_large);
  EXPECT_EQ(Amount(1).minus(Amount(2)).error().code, Errc::refused);
  EXPECT_EQ(Amount(10).scaled_down(1, 3)->units(), 3U);
  EXPECT_EQ(Amount(10).scaled_up(1, 3)->units(), 4U);
  EXPECT_EQ(Amount(9).scaled_up(1, 3)->units(), 3U);
  EXPECT_FALSE(most.scaled_up(2, 1).ok());
  EXPECT_EQ(Amount::from_text(most.text()).value(), most);
  EXPECT_FALSE(Amount::from_text(most.text() + "0").ok());
  EXPECT_EQ(Amount::from_tokens("1.5", 18)->tokens(18), "1.5");
  EXPECT_FALSE(Amount::from_tokens("1.", 18).ok());
  EXPECT_FALSE(Amount::from_tokens("-1", 18).ok());
  EXPECT_EQ(Amount::from_word(most.word()).value(), most);
}

TEST(Time, IsRfc3339InUtc) {
  EXPECT_EQ(to_rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(from_rfc3339("2026-11-24T19:15:00Z").value(), 1795547700);
  EXPECT_FALSE(from_rfc3339("2026-11-24").ok());
  EXPECT_FALSE(from_rfc3339("2026-02-30T00:00:00Z").ok());
}

class FilesTest : public ::testing::Test {
 protected:
  PosixFiles files_;
  sp::testing::TemporaryFolder folder_;
};

TEST_F(FilesTest, WritesWholeOrNotAtAll) {
  const Path path = folder_ / "a";
  ASSERT_TRUE(files_.write_atomic(path, Bytes{1, 2, 3}, FileMode::owner_only).ok());
  const mode_t before = ::umask(0077);
  ASSERT_TRUE(files_.write_atomic(path, Bytes{4}, FileMode::everyone).ok());
  ::umask(before);
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0644));
  ASSERT_TRUE(files_.write_atomic(path, Bytes{4}, FileMode::owner_only).ok());
  EXPECT_EQ(files_.read(path, 10).value(), Bytes{4});
  EXPECT_EQ(files_.list(folder_).value(), std::vector<std::string>{"a"});
  EXPECT_EQ(files_.read(path, 0).error().code, Errc::too_large);
  EXPECT_EQ(files_.read(folder_ / "b", 10).error().code, Errc::not_found);
  EXPECT_EQ(files_.read_range(path, 1, 1).error().code, Errc::malformed);
  EXPECT_FALSE(files_.write_atomic(folder_ / "no" / "a", Bytes{1}, FileMode::owner_only).ok());
}

TEST(Process, TellsHowItEnded) {
  const auto exit_code = [](const std::string& script) {
    ProcessOptions options;
    options.argv = {"/bin/sh", "-c", script};
    return run_command(options, std::chrono::seconds(5), kTextMax);
  };
  EXPECT_EQ(exit_code("exit 3")->end.exit_code, 3);
  EXPECT_EQ(exit_code("echo hi; echo ho >&2")->text, "hi\nho\n");
  EXPECT_EQ(exit_code("kill -9 $$")->end.signal, SIGKILL);
  EXPECT_EQ(exit_code("test -z \"$HOME\"")->end.exit_code, 0);  // nothing is inherited
  ProcessOptions missing;
  missing.argv = {"/no/such/program"};
  EXPECT_EQ(Process::start(missing).error().code, Errc::io);
  ProcessOptions slow;
  slow.argv = {"/bin/sleep", "60"};
  EXPECT_EQ(run_command(slow, std::chrono::milliseconds(50), 10).error().code, Errc::timed_out);
}

}  // namespace
}  // namespace sp
