// Secrets, and the search for them in whatever others can see, in every form in which one could
// stand there.
//
// Belongs to one thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sp::hostile {

/// As it is; as hexadecimal, in small and in capital letters; as base64 of either alphabet, at any
/// offset.
std::vector<std::string> forms(const std::string& secret);

class Canaries {
 public:
  /// Of 14 bytes at least, so that no form is found by chance. A name that is known is left.
  void add(const std::string& name, std::string_view secret);
  /// The names of those that stand in it.
  [[nodiscard]] std::set<std::string> found(std::string_view text) const;

 private:
  struct Form {
    std::string text;
    std::string name;
  };
  std::set<std::string> names_;
  // One look at each byte, however many secrets there are: by how a form begins.
  std::unordered_multimap<std::uint64_t, Form> forms_;
  std::bitset<1 << 16> begins_;
};

}  // namespace sp::hostile
