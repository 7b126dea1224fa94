// A strict reader of Prometheus's text exposition format 0.0.4, and of our own rules for names.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sp::testing {

/// Samples by name and labels as written: `name{label="value"}` -> value.
struct Exposition {
  std::map<std::string, double> samples;
  std::map<std::string, std::string> types;  ///< family -> type
};

/// What is wrong with the text, one line each; empty where nothing is. Every family has HELP, then
/// TYPE, then its samples without another family's between; names begin with `prefix`; a counter
/// ends with _total, and of a histogram the buckets grow to +Inf, which is the count.
std::vector<std::string> read_exposition(std::string_view text, const std::string& prefix,
                                         Exposition& read);

}  // namespace sp::testing
