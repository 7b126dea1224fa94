// tests/fuzz_targets.json names every fuzz target, what it parses and whose bytes those are. Fails
// where a target isn't in it, has no seeds or has run too briefly, or where a function that reads
// what others wrote is under no target and has no reason to be.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Names = std::set<std::string>;

const fs::path kRoot = SP_TEST_SOURCE_DIR;
constexpr unsigned kRanSecondsMin = 600;  // of libFuzzer, once, before a target counts
const Names kWhose{"anybody",  "chain endpoint", "customer", "host",   "loader", "owner",
                   "own disk", "provider",       "store",    "vendor", "broker"};

const Json& registry() {
  static const Json read = [] {
    std::ifstream file(kRoot / "tests/fuzz_targets.json");
    return Json::parse(file);
  }();
  return read;
}

std::vector<fs::path> files_ending(std::string_view ending) {
  std::vector<fs::path> found;
  for (const char* folder : {"src", "apps"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      if (entry.path().string().ends_with(ending)) found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string from_root(const fs::path& path) { return fs::relative(path, kRoot).generic_string(); }

std::string joined(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += "\n  " + name;
  return text;
}

Names without(Names names, const Names& others) {
  for (const std::string& other : others) names.erase(other);
  return names;
}

// The declarations of one header that read bytes, texts, JSON or files: "ROOM/HEADER:CLASS.NAME",
// or "ROOM/HEADER:NAME" for a function by itself.
Names parsers_of(const std::vector<std::string>& lines, const std::string& header) {
  static const std::regex type(R"(^ *(?:class|struct) (\w+)[^;]*$)");
  static const std::string name = R"(\b((?:parse|decode|read|load|from)(?:_\w+)?|\w+_from_\w+))";
  static const std::string what =
      "(?:ByteView|std::string_view|std::string&|Json&|Files&|JsonObject&|DerReader&|Reader&|"
      "AbiValue&|chain::AbiValue&|chain::Log&|Path&)";
  static const std::regex parser(name + R"(\((?:const )?)" + what + "[ )]");
  Names found;
  std::vector<std::pair<std::string, std::size_t>> around;  // types, and how far they are indented
  for (const std::string& line : lines) {
    std::smatch match;
    const std::size_t indent = line.find_first_not_of(' ');
    if (std::regex_match(line, match, type)) around.emplace_back(match[1], indent);
    if (!around.empty() && line == std::string(around.back().second, ' ') + "};") around.pop_back();
    if (line.find("//") < line.find('(')) continue;
    const bool declares = std::regex_search(line, match, parser) &&
                          line.find("return ") == std::string::npos &&
                          line.find(" = ") == std::string::npos;
    const std::string inside = around.empty() ? "" : around.back().first + ".";
    if (declares) found.insert(header + ":" + inside + match[1].str());
  }
  return found;
}

Names all_parsers() {
  Names found;
  for (const fs::path& header : files_ending(".hpp")) {
    const std::string name = from_root(header);
    if (name.find("/testing/") != std::string::npos) continue;
    if (name.ends_with("test_support.hpp")) continue;
    std::ifstream file(header);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    found.merge(parsers_of(lines, name));
  }
  return found;
}

TEST(FuzzRegistry, NamesEveryTargetAndNoOther) {
  Names there;
  for (const fs::path& source : files_ending("_fuzz.cpp")) there.insert(from_root(source));
  Names named;
  for (const Json& target : registry()["targets"]) named.insert(target["source"]);
  EXPECT_TRUE(without(there, named).empty()) << "not in it:" << joined(without(there, named));
  EXPECT_TRUE(without(named, there).empty()) << "gone:" << joined(without(named, there));
}

TEST(FuzzRegistry, EveryTargetHasSeeds) {
  for (const Json& target : registry()["targets"]) {
    const fs::path source = target["source"].get<std::string>();
    const fs::path seeds = kRoot / source.parent_path() / "testdata" / source.stem();
    ASSERT_TRUE(fs::is_directory(seeds)) << seeds;
    EXPECT_FALSE(fs::is_empty(seeds)) << seeds;
  }
}

TEST(FuzzRegistry, SaysWhatATargetIs) {
  for (const Json& target : registry()["targets"]) {
    const std::string source = target["source"];
    EXPECT_FALSE(target["parses"].empty()) << source;
    EXPECT_TRUE(target["structured"].is_boolean()) << source;
    ASSERT_FALSE(target["from"].empty()) << source;
    for (const Json& whose : target["from"]) EXPECT_TRUE(kWhose.contains(whose)) << source << whose;
  }
}

TEST(FuzzRegistry, EveryTargetHasRunForTenMinutes) {
  for (const Json& target : registry()["targets"]) {
    const std::string source = target["source"];
    const Json& ran = target["ran"];
    ASSERT_TRUE(ran["seconds"].is_number_unsigned() && ran["executions"].is_number_unsigned())
        << source;
    EXPECT_GE(ran["seconds"].get<unsigned>(), kRanSecondsMin) << source;
    EXPECT_GT(ran["executions"].get<std::uint64_t>(), 0U) << source;
  }
}

TEST(FuzzRegistry, CoversEveryParser) {
  const Names parsers = all_parsers();
  Names covered;
  for (const Json& target : registry()["targets"]) {
    for (const Json& parser : target["parses"]) covered.insert(parser);
  }
  for (const auto& [parser, reason] : registry()["exceptions"].items()) {
    EXPECT_GT(reason.get<std::string>().size(), 20U) << parser;
    EXPECT_FALSE(covered.contains(parser)) << parser << " is under a target and excepted";
    EXPECT_TRUE(parsers.contains(parser)) << "excepted, and isn't there: " << parser;
    covered.insert(parser);
  }
  const Names open = without(parsers, covered);
  EXPECT_TRUE(open.empty()) << "under no target:" << joined(open);
  EXPECT_GT(parsers.size(), 80U);
}

// What a target says that it parses is a function of a header that is there.
TEST(FuzzRegistry, NamesFunctionsThatAreThere) {
  for (const Json& target : registry()["targets"]) {
    for (const Json& entry : target["parses"]) {
      const std::string parser = entry;
      const std::string header = parser.substr(0, parser.find(':'));
      std::string name = parser.substr(parser.find(':') + 1);
      name = name.substr(name.find('.') == std::string::npos ? 0 : name.find('.') + 1);
      std::ifstream file(kRoot / header);
      const std::string text((std::istreambuf_iterator<char>(file)), {});
      EXPECT_NE(text.find(name + "("), std::string::npos) << parser;
    }
  }
}

TEST(FuzzRegistry, TheScanSeesParsers) {
  const Names found = parsers_of(
      {"struct Thing {", "  static Result<Thing> decode(ByteView bytes);",
       "  // decode(ByteView) is told here", "};", "Result<Other> parse_other(const Json& value);",
       "  return parse_other(bytes);", "void write(ByteView bytes);"},
      "a/b.hpp");
  EXPECT_EQ(found, (Names{"a/b.hpp:Thing.decode", "a/b.hpp:parse_other"}));
}

}  // namespace
