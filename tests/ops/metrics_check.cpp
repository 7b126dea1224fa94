// metrics_check PREFIX < TEXT: whether a text is an exposition by the format, all its names with
// the prefix; prints what is wrong.
#include <iostream>
#include <iterator>

#include "metrics_format.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  sp::testing::Exposition read;
  const auto problems = sp::testing::read_exposition(text, argv[1], read);
  for (const std::string& problem : problems) std::cerr << problem << "\n";
  return problems.empty() && !read.samples.empty() ? 0 : 1;
}
