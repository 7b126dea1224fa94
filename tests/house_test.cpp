// The house rules as tests: which room may look into which, and what no file may hold.
//
// arrows.json is design section 3 as data, with two arrows more: market -> api and market -> attest
// (terms and statements are one set of values for all programs, and a proof is checked with the
// verdict), and loader -> attest (its own evidence).
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLineMax = 100;
constexpr int kFunctionLinesMax = 70;
constexpr int kFileLinesMax = 500;
const fs::path kRoot = SP_TEST_SOURCE_DIR;

struct Violation {
  std::string where;
  std::string what;
};

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<fs::path> sources_below(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string extension = entry.path().extension();
    if (extension == ".cpp" || extension == ".hpp") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string print(const std::vector<Violation>& violations) {
  std::ostringstream text;
  for (const Violation& violation : violations) {
    text << "\n  " << violation.where << ": " << violation.what;
  }
  return text.str();
}

using Arrows = std::map<std::string, std::set<std::string>>;

Arrows read_arrows() {
  std::ifstream file(kRoot / "tests/arrows.json");
  return nlohmann::json::parse(file).get<Arrows>();
}

// The room of a path relative to src/: its folder.
std::string room_of(const fs::path& relative) { return relative.parent_path().generic_string(); }

bool is_test(const fs::path& path) {
  const std::string name = path.stem();
  return name.ends_with("_test") || name.ends_with("_fuzz") ||
         path.generic_string().find("/testing/") != std::string::npos;
}

// What one line of a file of `room` includes that it may not; empty where all is well.
std::string forbidden_include(const std::string& line, const std::string& room,
                              const Arrows& arrows) {
  static const std::regex include(R"re(^\s*#\s*include\s*(.*)$)re");
  static const std::regex quoted(R"re("([^"]+)".*)re");
  std::smatch match;
  if (!std::regex_match(line, match, include)) return "";
  const std::string what = match[1];
  if (what.starts_with("<")) return "";
  if (!std::regex_match(what, match, quoted)) return "a computed include: " + what;
  const std::string target = room_of(fs::path(match[1].str()));
  if (target.empty()) return "name the room: \"" + match[1].str() + "\"";
  if (target == room || arrows.at(room).contains(target)) return "";
  return "includes room " + target + ", which " + room + " may not look into";
}

std::vector<Violation> arrow_violations(const Arrows& arrows) {
  std::vector<Violation> violations;
  for (const fs::path& path : sources_below(kRoot / "src")) {
    const fs::path relative = fs::relative(path, kRoot / "src");
    if (is_test(path)) continue;
    const std::string room = room_of(relative);
    if (!arrows.contains(room)) {
      violations.push_back({relative, "room " + room + " has no rule in arrows.json"});
      continue;
    }
    for (const std::string& line : lines_of(path)) {
      const std::string what = forbidden_include(line, room, arrows);
      if (!what.empty()) violations.push_back({relative, what});
    }
  }
  return violations;
}

TEST(Arrows, OnlyAllowedOnesExist) {
  const auto violations = arrow_violations(read_arrows());
  EXPECT_TRUE(violations.empty()) << print(violations);
}

TEST(Arrows, TheCheckFindsAForbiddenInclude) {
  const Arrows arrows = read_arrows();
  EXPECT_NE(forbidden_include("#include \"net/http.hpp\"", "loader", arrows), "");
  EXPECT_NE(forbidden_include("#include \"broker/policy.hpp\"", "provider", arrows), "");
  EXPECT_NE(forbidden_include("#include SOME_MACRO", "loader", arrows), "");
  EXPECT_EQ(forbidden_include("#include \"crypto/hash.hpp\"", "loader", arrows), "");
}

TEST(Arrows, HaveNoCycle) {
  Arrows left = read_arrows();
  while (!left.empty()) {
    const auto leaf = std::find_if(left.begin(), left.end(), [&](const auto& room) {
      return std::none_of(room.second.begin(), room.second.end(),
                          [&](const std::string& to) { return left.contains(to); });
    });
    ASSERT_NE(leaf, left.end()) << "the remaining rooms look at each other in a circle";
    left.erase(leaf);
  }
}

TEST(Arrows, TheBuildSaysTheSame) {
  // sp_room(NAME ROOMS a b ... BUDGET n LIBRARIES ...): what a room links are its arrows, or fewer.
  const std::regex declaration(R"re(sp_room\((\S+)(?: ROOMS ([^)]*?))?)re"
                               R"re((?: BUDGET \d+)?(?: LIBRARIES [^)]*)?\))re");
  const Arrows arrows = read_arrows();
  std::size_t rooms = 0;
  for (const std::string& line : lines_of(kRoot / "CMakeLists.txt")) {
    std::smatch match;
    if (!std::regex_match(line, match, declaration)) continue;
    ++rooms;
    std::istringstream linked(match[2].str());
    for (std::string room; linked >> room;) {
      EXPECT_TRUE(arrows.at(match[1]).contains(room)) << match[1] << " links " << room;
    }
  }
  EXPECT_EQ(rooms, arrows.size());
}

// Calls that have no place in our code, and what to use instead.
struct Ban {
  std::vector<std::string> needles;  // one of these stands in the line: cheap to look for
  std::regex pattern;                // and then this matches
  std::string instead;
  std::set<std::string> allowed_in;  // files relative to the root
};

const std::vector<Ban>& bans() {
  static const std::vector<Ban> list = {
      {{"rand"}, std::regex(R"((^|[^\w.>])(std::)?(s?rand|drand48)\()"), "base's Random", {}},
      {{"now", "time"},
       std::regex(R"(system_clock::now|\btime\(nullptr\)|\bgettimeofday\()"),
       "base's Clock interface",
       {"src/base/world.cpp"}},
      {{"memcmp"}, std::regex(R"(\bmemcmp\()"), "crypto::equal_constant_time, or std::equal", {}},
      {{"getenv"},
       std::regex(R"(\bgetenv\()"),
       "settings that main passes down",
       {"src/base/process.cpp", "src/base/crash_point.cpp", "apps/common/environment.cpp",
        "apps/spctl/programs.cpp"}},
      {{"str", "sprintf", "gets"},
       std::regex(R"(\b(strcpy|strcat|sprintf|gets)\()"),
       "std::string",
       {}},
      {{"system(", "popen"}, std::regex(R"(::system\(|\bpopen\()"), "base/process.hpp", {}},
      {{"assert"}, std::regex(R"(\bassert\()"), "SP_CHECK, which stays on in release", {}},
      {{"ato", "strto"},
       std::regex(R"(\bato[il]\(|\bstrto(l|ul|ll|ull|d)\()"),
       "std::from_chars",
       {}},
      {{"TODO", "FIXME", "XXX", "HACK"},
       std::regex(R"(\b(TODO|FIXME|XXX|HACK)\b)"),
       "an issue, and nothing in the code",
       {}},
  };
  return list;
}

bool breaks(const Ban& ban, const std::string& line) {
  const auto stands = [&](const std::string& needle) {
    return line.find(needle) != std::string::npos;
  };
  return std::any_of(ban.needles.begin(), ban.needles.end(), stands) &&
         std::regex_search(line, ban.pattern);
}

std::vector<fs::path> all_sources() {
  std::vector<fs::path> all;
  for (const char* folder : {"src", "apps", "tests", "bench"}) {
    for (const fs::path& path : sources_below(kRoot / folder)) all.push_back(path);
  }
  return all;
}

TEST(Tidy, LinesAndFilesAreShort) {
  std::vector<Violation> violations;
  for (const fs::path& path : all_sources()) {
    const std::string relative = fs::relative(path, kRoot);
    const auto lines = lines_of(path);
    if (lines.size() > kFileLinesMax) {
      violations.push_back({relative, std::to_string(lines.size()) + " lines: it is two of what?"});
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (lines[i].size() > kLineMax) {
        violations.push_back(
            {relative + ":" + std::to_string(i + 1), "a line over 100 characters"});
      }
    }
  }
  EXPECT_TRUE(violations.empty()) << print(violations);
}

// A function, as clang-format lays it: it begins at a line that ends in "{" below a namespace and
// ends at the "}" of the same depth.
int longest_block(const std::vector<std::string>& lines, std::size_t& where) {
  int longest = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool opens = !lines[i].empty() && lines[i][0] != ' ' && lines[i].ends_with("{") &&
                       lines[i].find(')') != std::string::npos && !lines[i].starts_with("TEST") &&
                       !lines[i].starts_with("namespace");
    if (!opens) continue;
    for (std::size_t end = i + 1; end < lines.size(); ++end) {
      if (lines[end] != "}") continue;
      const int length = static_cast<int>(end - i) + 1;
      if (length > longest) {
        longest = length;
        where = i + 1;
      }
      break;
    }
  }
  return longest;
}

TEST(Tidy, FunctionsAreShort) {
  std::vector<Violation> violations;
  for (const fs::path& path : all_sources()) {
    std::size_t line = 0;
    const int length = longest_block(lines_of(path), line);
    if (length > kFunctionLinesMax) {
      violations.push_back({fs::relative(path, kRoot).string() + ":" + std::to_string(line),
                            "a function of " + std::to_string(length) + " lines"});
    }
  }
  EXPECT_TRUE(violations.empty()) << print(violations);
}

TEST(Tidy, BannedCallsAreAbsent) {
  std::vector<Violation> violations;
  for (const fs::path& path : all_sources()) {
    const std::string relative = fs::relative(path, kRoot);
    if (relative == "tests/house_test.cpp" || relative.find("/testing/") != std::string::npos ||
        relative.find("test") != std::string::npos || relative.starts_with("tests/")) {
      continue;
    }
    const auto lines = lines_of(path);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      for (const Ban& ban : bans()) {
        if (ban.allowed_in.contains(relative) || !breaks(ban, lines[i])) {
          continue;
        }
        violations.push_back({relative + ":" + std::to_string(i + 1), "use " + ban.instead});
      }
    }
  }
  EXPECT_TRUE(violations.empty()) << print(violations);
}

TEST(Tidy, TheChecksCanFail) {
  EXPECT_TRUE(breaks(bans()[0], "  x = rand();"));
  EXPECT_TRUE(breaks(bans()[2], "if (memcmp(a, b, 3))"));
  std::vector<std::string> lines{"int f() {"};
  lines.insert(lines.end(), 80, "  ;");
  lines.push_back("}");
  std::size_t where = 0;
  EXPECT_EQ(longest_block(lines, where), 82);
}

// Durable writes and effects that stand outside of a crash site: base/durable.hpp's keep() is the
// way to write, and what goes out has a crash point within the lines around it.
std::vector<Violation> uncovered(const std::string& file, const std::vector<std::string>& lines) {
  constexpr std::size_t kNear = 5;
  static const std::regex write(R"((\.|->)write_atomic\()");
  static const std::regex effect(
      R"re((\.|->)send_raw\(|call\("PUT"|"/v1/receipts"|client\.deposit\(|host\.start\()re");
  std::vector<Violation> violations;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string where = file + ":" + std::to_string(i + 1);
    if (std::regex_search(lines[i], write)) violations.push_back({where, "use keep()"});
    if (!std::regex_search(lines[i], effect)) continue;
    bool near = false;
    for (std::size_t k = i - std::min(i, kNear); k < std::min(lines.size(), i + kNear); ++k) {
      near |= lines[k].find("CrashSite::") != std::string::npos;
    }
    if (!near) violations.push_back({where, "an effect without a crash point"});
  }
  return violations;
}

TEST(Tidy, WritesAndEffectsHaveCrashPoints) {
  // The interface's own implementations, servers that name a path of their own, and a file that
  // only tries whether one can be written.
  const std::set<std::string> exempt = {"src/base/durable.cpp",
                                        "src/store/remote/store_service.cpp",
                                        "apps/spnode/store.cpp", "apps/common/folder_health.cpp"};
  std::vector<Violation> violations;
  for (const fs::path& path : all_sources()) {
    const std::string relative = fs::relative(path, kRoot);
    const bool shipped = relative.starts_with("src/") || relative.starts_with("apps/");
    if (!shipped || is_test(path) || exempt.contains(relative)) continue;
    for (Violation& violation : uncovered(relative, lines_of(path))) {
      violations.push_back(std::move(violation));
    }
  }
  EXPECT_TRUE(violations.empty()) << print(violations);
  EXPECT_EQ(uncovered("x", {"  files.write_atomic(path, bytes, mode);"}).size(), 1U);
  EXPECT_EQ(uncovered("x", {"  chain_.send_raw(raw);"}).size(), 1U);
  EXPECT_EQ(uncovered("x", {"  crash_point(CrashSite::y);", "  chain_.send_raw(raw);"}).size(), 0U);
}

TEST(Tidy, OpenSslIsSeenInCryptoOnly) {
  std::vector<Violation> violations;
  for (const fs::path& path : all_sources()) {
    const std::string relative = fs::relative(path, kRoot);
    if (relative.starts_with("src/crypto/") || relative.starts_with("tests/")) continue;
    for (const std::string& line : lines_of(path)) {
      if (line.find("#include <openssl/") != std::string::npos) {
        violations.push_back({relative, "goes through src/crypto"});
      }
    }
  }
  EXPECT_TRUE(violations.empty()) << print(violations);
}

TEST(Tidy, HeadersBeginWithTheirTheory) {
  std::vector<Violation> violations;
  for (const fs::path& path : sources_below(kRoot / "src")) {
    if (path.extension() != ".hpp") continue;
    const auto lines = lines_of(path);
    if (lines.empty() || !lines[0].starts_with("//")) {
      violations.push_back({fs::relative(path, kRoot), "a header opens with what it is about"});
    }
  }
  EXPECT_TRUE(violations.empty()) << print(violations);
}

}  // namespace
