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

// What lasts or reaches others, and stands outside of a crash site.
struct Effect {
  std::regex pattern;
  std::string instead;
};

const std::vector<Effect>& effects() {
  static const std::vector<Effect> list = {
      {std::regex(R"((\.|->)write_atomic\()"), "use keep()"},
      {std::regex(R"(\bfiles_?(\(\))?(\.|->)remove\()"), "use discard()"},
      {std::regex(R"(\b(f(data)?sync|rename(at2?)?|f?truncate|unlink(at)?|fopen|copy_file)\()"
                  R"(|\b(link(at)?|symlink(at)?|create_(hard_link|symlink))\()"
                  R"(|\b(fs|filesystem)::remove(_all)?\(|\bO_(CREAT|TMPFILE)\b|\bofstream\b)"
                  R"(|(\.|->)append_to\()"),
       "a durable write without a crash point"},
      {std::regex(R"re((\.|->)send_raw\(|client\.deposit\(|host\.start\()re"
                  R"re(|[({,] ?"(PUT|POST|DELETE|PATCH)"|"(anvil|evm)_)re"),
       "an effect without a crash point"},
  };
  return list;
}

// Lines that need none, and why. An empty needle: the whole file.
struct Exemption {
  std::string file;
  std::string needle;
  std::string why;
};

const std::vector<Exemption>& exemptions() {
  static const std::vector<Exemption> list = {
      {"src/base/files.cpp", "", "what keep() and discard() stand on"},
      {"src/base/durable.cpp", "", "keep() and discard() themselves, and the sweep, which repeats"},
      {"src/store/blob.cpp", "DirectoryStore::remove", "store.delete is around it"},
      {"src/loader/rootfs.cpp", "", "a loader's files lie in memory that goes with it"},
      {"src/loader/parts.cpp", "", "the same"},
      {"src/loader/container.cpp", "", "the same"},
      {"src/loader/result.cpp", "", "the same"},
      {"src/store/tree_unpack.cpp", "O_CREAT", "unpacks beside the place; a rename is the effect"},
      {"src/store/tree_unpack.cpp", "ftruncate", "the same"},
      {"apps/spctl/deployment.cpp", "anvil_setBalance",
       "the same amount; the next 'up' sets it anew"},
      {"apps/spctl/result.cpp", "remove_all", "what was unpacked beside the place"},
      {"apps/spctl/packages.cpp", "remove_all(partial", "the same"},
      {"apps/spctl/uploads.cpp", "remove_all", "a scratch folder, swept with its dead process"},
      {"apps/spctl/leftovers.cpp", "remove_all", "that sweep, which repeats"},
      {"apps/spctl/transfers.cpp", "remove_all(entry->path(), odd)",
       "given up; removed by the next"},
      {"apps/spctl/transfers.cpp", "remove(own, kept)", "an empty folder"},
      {"apps/spctl/transfers.cpp", "remove_all(folder_", "the note, behind spctl.download.done"},
      {"apps/spctl/transfers.cpp", "kOpenedLink, ignored",
       "after a failure: the next run's is new"},
      {"src/store/upload_journal.cpp", "O_CREAT", "empty: spctl.upload.begun fills it"},
      {"src/store/upload_journal.cpp", "ftruncate", "no journal: spctl.upload.begun fills it"},
      {"src/store/spool_store.cpp", "O_CREAT", "a part, whose bytes are checked before it counts"},
      {"src/store/spool_store.cpp", "ftruncate", "the same"},
      {"src/store/spool_store.cpp", "files_.remove", "the same"},
      {"src/store/remote/record_log.cpp", "append_to", "store.records is around what syncs it"},
      {"src/provider/ledger.cpp", "files_.remove", "the chain lost it: the next look removes it"},
      {"src/broker/vault.cpp", "files_.remove", "it ended: the next deposit removes it"},
      {"src/collateral/cached_source.cpp", "files_.remove",
       "a cache's room: the next write makes it"},
      {"apps/spctl/chain_copy.cpp", "", "a torn state goes; the next `up` finds it as torn"},
      {"src/provider/controller.cpp", "O_CREAT", "a loader's log, for people"},
      {"apps/spctl/daemon.cpp", "O_CREAT", "a daemon's log, for people"},
      {"apps/common/folder_health.cpp", "", "tries whether a file can be written, and removes it"},
      {"src/chain/rpc_http.cpp", "\"POST\"", "asks; what is sent passes the site `transaction`"},
      {"src/broker/remote.cpp", "\"POST\"", "whoever deposits passes spctl.deposit"},
      {"src/net/metrics.cpp", "\"POST\"", "names"},
      {"src/store/remote/store_service.cpp", "not_allowed(", "an answer"},
  };
  return list;
}

const Exemption* exemption_of(const std::string& file, const std::string& line) {
  for (const Exemption& one : exemptions()) {
    if (one.file == file && line.find(one.needle) != std::string::npos) return &one;
  }
  return nullptr;
}

// `used` gets the exemptions that were needed.
std::vector<Violation> uncovered(const std::string& file, const std::vector<std::string>& lines,
                                 std::set<const Exemption*>& used) {
  constexpr std::size_t kNear = 5;
  std::vector<Violation> violations;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string code = lines[i].substr(0, lines[i].find("//"));
    const auto effect = std::find_if(effects().begin(), effects().end(), [&](const Effect& one) {
      return std::regex_search(code, one.pattern);
    });
    if (effect == effects().end()) continue;
    if (const Exemption* exempt = exemption_of(file, code)) {
      used.insert(exempt);
      continue;
    }
    bool near = false;
    for (std::size_t k = i - std::min(i, kNear); k < std::min(lines.size(), i + kNear); ++k) {
      near |= lines[k].find("CrashSite::") != std::string::npos;
    }
    if (!near) violations.push_back({file + ":" + std::to_string(i + 1), effect->instead});
  }
  return violations;
}

TEST(Tidy, WritesAndEffectsHaveCrashPoints) {
  std::vector<Violation> violations;
  std::set<const Exemption*> used;
  for (const fs::path& path : all_sources()) {
    const std::string relative = fs::relative(path, kRoot);
    const bool shipped = relative.starts_with("src/") || relative.starts_with("apps/");
    if (!shipped || is_test(path)) continue;
    for (Violation& violation : uncovered(relative, lines_of(path), used)) {
      violations.push_back(std::move(violation));
    }
  }
  for (const Exemption& one : exemptions()) {
    if (!used.contains(&one)) violations.push_back({one.file, "not needed: " + one.needle});
  }
  EXPECT_TRUE(violations.empty()) << print(violations);
}

TEST(Tidy, AWriteWithoutACrashPointIsFound) {
  std::set<const Exemption*> used;
  for (const char* line : {"files.write_atomic(path, bytes, mode);",
                           "context.files().remove(file);",
                           "::fsync(fd);",
                           "if (::fdatasync(fd.get()) != 0) return;",
                           "::rename(a, b);",
                           "::renameat2(a, b, c, d, 0);",
                           "std::filesystem::rename(a, b, failed);",
                           "::unlink(path);",
                           "fs::remove_all(path, failed);",
                           "::open(path, O_RDWR | O_CREAT, 0600);",
                           "std::ofstream out(path);",
                           "::ftruncate(fd, 0);",
                           "std::fopen(path, \"w\");",
                           "::linkat(a, b, c, d, 0);",
                           "fs::create_symlink(a, b, failed);",
                           "chain_.send_raw(raw);",
                           "client_.call(\"PUT\", url, bytes);",
                           "host.start(options);",
                           "request_for(\"DELETE\", id);",
                           "endpoint().call(\"anvil_setBalance\", json);",
                           "call_patiently(limit, \"POST\", target);"}) {
    EXPECT_EQ(uncovered("x", {line}, used).size(), 1U) << line;
    const std::string site = "crash_point(CrashSite::y, CrashMoment::before);";
    EXPECT_EQ(uncovered("x", {site, line}, used).size(), 0U) << line;
    EXPECT_EQ(uncovered("x", {site, "", "", "", "", "", "", line}, used).size(), 1U) << line;
  }
  EXPECT_EQ(uncovered("x", {"if (request.method == \"POST\") {", "// fsync()"}, used).size(), 0U);
  EXPECT_TRUE(used.empty());
  const std::string line = "fs::remove(own, kept);";
  EXPECT_EQ(uncovered("apps/spctl/transfers.cpp", {line}, used).size(), 0U);
  EXPECT_EQ(used.size(), 1U);
  EXPECT_EQ(uncovered("apps/spctl/transfers.cpp", {"fs::remove(other, kept);"}, used).size(), 1U);
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
