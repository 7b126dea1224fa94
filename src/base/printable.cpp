#include "base/printable.hpp"

namespace sp {

std::string printable(std::string_view text, std::size_t size_max) {
  std::string line(text.substr(0, size_max));
  for (char& letter : line) {
    if (letter < ' ' || letter > '~') letter = '?';
  }
  return line;
}

}  // namespace sp
