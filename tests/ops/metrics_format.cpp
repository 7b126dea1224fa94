#include "metrics_format.hpp"

#include <cstdlib>
#include <regex>
#include <sstream>

namespace sp::testing {
namespace {

const std::regex kHelp("# HELP ([a-z_]+) (.+)");
const std::regex kType("# TYPE ([a-z_]+) (counter|gauge|histogram)");
const std::regex kSample(R"re(([a-z_]+))re"                                 // name
                         R"re((\{[a-z_]+="(?:[^"\\]|\\[\\"n])*")re"         // first label
                         R"re((?:,[a-z_]+="(?:[^"\\]|\\[\\"n])*")*\})?)re"  // others
                         R"re( ([-+0-9.eInf]+))re");
const std::regex kBound(R"re(,?le="([^"]*)")re");

// Reads line after line.
class Reader {
 public:
  Reader(std::string prefix, Exposition& read) : prefix_(std::move(prefix)), read_(read) {}

  void line(const std::string& text) {
    std::smatch match;
    if (std::regex_match(text, match, kHelp)) return begin(match[1]);
    if (std::regex_match(text, match, kType)) return type(match[1], match[2]);
    if (std::regex_match(text, match, kSample)) return sample(text, match);
    problem("no line of this format: " + text);
  }

  void end() {
    end_family();
    for (const auto& [series, sum] : buckets_) {
      const auto count = read_.samples.find(count_name(series));
      if (count == read_.samples.end() || count->second != sum) {
        problem("the last bucket isn't the count: " + series);
      }
      if (infinite_.count(series) == 0) problem("no bucket +Inf: " + series);
    }
  }

  std::vector<std::string> problems;

 private:
  void problem(const std::string& what) { problems.push_back(what); }

  void begin(const std::string& family) {
    end_family();
    if (!family.starts_with(prefix_)) problem("another prefix: " + family);
    if (read_.types.count(family) != 0) problem("the family stands twice: " + family);
    family_ = family;
    typed_ = false;
  }

  void end_family() {
    if (!family_.empty() && !typed_) problem("no type: " + family_);
  }

  void type(const std::string& family, const std::string& type) {
    if (family != family_ || typed_) problem("a type without its help: " + family);
    if (type == "counter" && !family.ends_with("_total")) problem("no _total: " + family);
    if (type != "counter" && family.ends_with("_total")) problem("_total: " + family);
    read_.types[family] = type;
    typed_ = true;
  }

  void sample(const std::string& text, const std::smatch& match) {
    const std::string name = match[1];
    const bool histogram = read_.types[family_] == "histogram";
    const std::string suffix =
        name.starts_with(family_) ? name.substr(family_.size()) : std::string("?");
    const bool fits =
        histogram ? suffix == "_bucket" || suffix == "_sum" || suffix == "_count" : suffix.empty();
    if (!typed_ || !fits) problem("not of the family " + family_ + ": " + text);
    char* rest = nullptr;
    const std::string number = match[3];
    const double value = std::strtod(number.c_str(), &rest);
    if (*rest != '\0') problem("no number: " + text);
    const std::string series = name + match[2].str();
    if (!read_.samples.emplace(series, value).second) problem("stands twice: " + series);
    if (suffix == "_bucket") bucket(series, value);
  }

  void bucket(const std::string& series, double value) {
    std::smatch bound;
    if (!std::regex_search(series, bound, kBound)) return problem("no le: " + series);
    const std::string rest = std::regex_replace(series, kBound, "");
    const auto before = buckets_.find(rest);
    if (before != buckets_.end() && before->second > value) problem("shrinks: " + series);
    if (infinite_.count(rest) != 0) problem("a bucket behind +Inf: " + series);
    if (bound[1] == "+Inf") infinite_[rest] = true;
    buckets_[rest] = value;
  }

  static std::string count_name(const std::string& series) {
    return std::regex_replace(series, std::regex("_bucket"), "_count");
  }

  const std::string prefix_;
  Exposition& read_;
  std::string family_;
  bool typed_ = true;
  std::map<std::string, double> buckets_;  // series without its bound -> last value
  std::map<std::string, bool> infinite_;
};

}  // namespace

std::vector<std::string> read_exposition(std::string_view text, const std::string& prefix,
                                         Exposition& read) {
  Reader reader(prefix, read);
  if (!text.ends_with('\n')) reader.problems.emplace_back("the last line doesn't end");
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) reader.line(line);
  reader.end();
  return reader.problems;
}

}  // namespace sp::testing
