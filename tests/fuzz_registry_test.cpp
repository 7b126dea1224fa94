// tests/fuzz_targets.json names every fuzz target, what it parses and whose bytes those are. Fails
// where a target isn't in it, has no seeds, has run too briefly or takes raw bytes without a
// reason, or where a function that reads what others wrote is under no target and has no reason to
// be.
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
constexpr std::size_t kReasonMin = 20;
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

// The functions of one source that take JSON or an encoding apart, whatever they are given:
// "ROOM/SOURCE:CLASS.NAME". A definition begins in the first column, inside of a class in the
// third.
Names readers_of(const std::vector<std::string>& lines, const std::string& source) {
  static const std::regex definition(
      R"(^(?:  )?(?!return )[A-Za-z][\w:<>,&* ]*?\b(?:(\w+)(?:<\w+>)?::)?(\w+)\([^;]*$)");
  static const std::regex reads(
      R"(\b(?:parse_json\(|Json::\w*parse\(|(?:Der|Little)?Reader \w+\())");
  Names found;
  std::string inside;
  for (const std::string& line : lines) {
    std::smatch match;
    if (std::regex_search(line, match, definition)) {
      inside = (match[1].matched ? match[1].str() + "." : "") + match[2].str();
    }
    const bool comment = line.find("//") < line.find('(');
    if (!comment && std::regex_search(line, reads)) found.insert(source + ":" + inside);
  }
  return found;
}

using Scan = Names (*)(const std::vector<std::string>&, const std::string&);

// What a scan finds in all files of that ending but those of tests.
Names scanned(std::string_view ending, Scan scan) {
  Names found;
  for (const fs::path& path : files_ending(ending)) {
    const std::string name = from_root(path);
    const bool test = name.ends_with("_test.cpp") || name.ends_with("_fuzz.cpp") ||
                      name.ends_with("test_support.hpp");
    if (test || name.find("/testing/") != std::string::npos) continue;
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    found.merge(scan(lines, name));
  }
  return found;
}

// Of "ROOM/SOURCE:NAME" the name and the room, as of a header that declares it there.
Names in_rooms(const Names& functions) {
  Names names;
  for (const std::string& function : functions) {
    const std::size_t colon = function.find(':');
    names.insert(function.substr(0, function.rfind('/', colon)) + function.substr(colon));
  }
  return names;
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
    // Values are built of the input, or it says why its bytes go in as they come.
    const bool structured = target["structured"].get<bool>();
    EXPECT_NE(structured, target.value("raw", "").size() > kReasonMin) << source;
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
  const Names parsers = scanned(".hpp", parsers_of);
  const Names readers = scanned(".cpp", readers_of);
  Names covered;
  for (const Json& target : registry()["targets"]) {
    for (const Json& parser : target["parses"]) covered.insert(parser);
  }
  for (const auto& [parser, reason] : registry()["exceptions"].items()) {
    EXPECT_GT(reason.get<std::string>().size(), kReasonMin) << parser;
    EXPECT_FALSE(covered.contains(parser)) << parser << " is under a target and excepted";
    EXPECT_TRUE(parsers.contains(parser) || readers.contains(parser))
        << "excepted, and isn't there: " << parser;
    covered.insert(parser);
  }
  const Names open = without(parsers, covered);
  EXPECT_TRUE(open.empty()) << "under no target:" << joined(open);
  const Names local = without(in_rooms(readers), in_rooms(covered));
  EXPECT_TRUE(local.empty()) << "read by themselves, under no target:" << joined(local);
  EXPECT_GT(parsers.size(), 80U);
  EXPECT_GT(readers.size(), 60U);
}

// What a target says that it parses is a function of a file that is there.
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

TEST(FuzzRegistry, TheScanSeesWhatSourcesReadByThemselves) {
  const Names found = readers_of(
      {"Result<Json> planted(const HttpResponse& response) {",
       "  return parse_json(as_text(response.body), kMax);",
       "Result<std::vector<Thing>> Client<Kind>::things(const Id& id,",
       "                                                bool all) {",
       "  SP_ASSIGN(const Json json, parse_json(text, kMax));", "  Bytes inside(ByteView bytes) {",
       "    Reader reader(bytes);", "void says(ByteView bytes) {", "  // parse_json(text) is told",
       "  return write(bytes);", "}"},
      "a/b.cpp");
  EXPECT_EQ(found, (Names{"a/b.cpp:planted", "a/b.cpp:Client.things", "a/b.cpp:inside"}));
  const Names covered{"a/c.hpp:Client.things", "b/b.cpp:planted"};
  EXPECT_EQ(without(in_rooms(found), in_rooms(covered)), (Names{"a:planted", "a:inside"}));
}

}  // namespace
