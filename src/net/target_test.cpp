#include "net/target.hpp"

#include <gtest/gtest.h>

#include "net/fields.hpp"
#include "net/http.hpp"

namespace sp::net {
namespace {

TEST(Target, DecodesPathAndQuery) {
  const auto target = parse_target("/a%20b/%C3%A9+?x=1%262&flag&empty=&=v");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/a b/\xc3\xa9+");
  const std::map<std::string, std::string, std::less<>> expected{
      {"x", "1&2"}, {"flag", ""}, {"empty", ""}, {"", "v"}};
  EXPECT_EQ(target->query, expected);
  EXPECT_EQ(parse_target("/")->path, "/");
  EXPECT_EQ(parse_target("/a%2eb/...")->path, "/a.b/...");
}

TEST(Target, RefusesWhatCouldBeReadInTwoWays) {
  for (const char* bad :
       {"",      "a",         "*",     "http://h/", "/%",     "/%1",       "/%zz",        "/%00",
        "/a%0a", "/a%7f",     "/..",   "/a/../b",   "/a/./b", "/%2e%2e/a", "/a%2f..%2fb", "/a#b",
        "/a b",  "/?a=1&a=2", "/?x=%", "/?x=%00"}) {
    const auto target = parse_target(bad);
    ASSERT_FALSE(target) << bad;
    EXPECT_EQ(target.error().code, Errc::malformed) << bad;
  }
  EXPECT_EQ(parse_target("/" + std::string(kTargetSizeMax, 'a')).error().code, Errc::too_large);
  std::string many = "/?";
  for (std::size_t i = 0; i <= kQueryFieldsMax; ++i) many += "f" + std::to_string(i) + "&";
  EXPECT_EQ(parse_target(many).error().code, Errc::too_large);
}

TEST(Target, PercentEncodingRoundTrips) {
  std::string all;
  for (int code = 0x20; code < 0x100; ++code) {
    if (code != 0x7f && code != '.') all.push_back(static_cast<char>(code));
  }
  EXPECT_EQ(parse_target("/" + percent_encode(all))->path, "/" + all);
  EXPECT_EQ(parse_target("/?n=" + percent_encode(all))->query.at("n"), all);
}

TEST(UrlParse, TakesHttpUrlsApart) {
  const auto url = Url::parse("http://example.org:8545/rpc?key=1");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "example.org");
  EXPECT_EQ(url->port, 8545);
  EXPECT_EQ(url->target, "/rpc?key=1");
  EXPECT_EQ(Url::parse("http://h")->target, "/");
  EXPECT_EQ(Url::parse("http://h")->port, 80);
  EXPECT_EQ(Url::parse("http://h?x")->target, "/?x");
  EXPECT_EQ(Url::parse("http://[::1]:99/")->host, "::1");
  EXPECT_EQ(Url::parse("http://[::1]:99/")->port, 99);
}

TEST(UrlParse, RefusesTheRest) {
  const auto code = [](std::string_view text) { return Url::parse(text).error().code; };
  EXPECT_EQ(code("ftp://h/"), Errc::unsupported);
  for (const char* bad :
       {"", "h", "http:/h", "http://", "http:///x", "http://h:", "http://h:0", "http://h:65536",
        "http://h:1x", "http://u@h/", "http://[::1", "http://[]", "http://[::1]x", "http://h/#f",
        "http://h/a b", "http://h/\r\nX: y", "http://[zz]/", "http://h:-1/"}) {
    ASSERT_FALSE(Url::parse(bad)) << bad;
    EXPECT_EQ(code(bad), Errc::malformed) << bad;
  }
  EXPECT_EQ(code("http://h/" + std::string(kTargetSizeMax, 'a')), Errc::too_large);
}

TEST(Fields, AreTokensWithoutControlCharacters) {
  EXPECT_TRUE(field_valid("x-name", "any value\t\xc3\xa9"));
  EXPECT_FALSE(field_valid("", "v"));
  EXPECT_FALSE(field_valid("a b", "v"));
  EXPECT_FALSE(field_valid("a:", "v"));
  EXPECT_FALSE(field_valid("a", "v\r\nb: c"));
  EXPECT_FALSE(field_valid("a", std::string_view("v\0", 2)));
}

}  // namespace
}  // namespace sp::net
