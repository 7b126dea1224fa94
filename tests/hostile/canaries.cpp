#include "canaries.hpp"

#include <algorithm>
#include <cstring>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace sp::hostile {
namespace {

constexpr std::size_t kSecretMin = 14;

std::string base64(const std::string& text, std::string_view last_digits) {
  std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  digits += last_digits;
  std::string out;
  for (std::size_t i = 0; i + 3 <= text.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) bits = bits << 8 | static_cast<std::uint8_t>(text[i + k]);
    for (int shift = 18; shift >= 0; shift -= 6) out += digits[bits >> shift & 63U];
  }
  return out;
}

std::uint64_t beginning(const char* text) {
  std::uint64_t first{};
  std::memcpy(&first, text, sizeof first);
  return first;
}

std::size_t filter(std::uint64_t beginning) { return beginning * 0x9e3779b97f4a7c15U >> 48; }

}  // namespace

std::vector<std::string> forms(const std::string& secret) {
  std::vector<std::string> all{secret, to_hex(as_bytes(secret))};
  all.push_back(all[1]);
  for (char& c : all.back()) c = static_cast<char>(c >= 'a' ? c - 32 : c);
  for (std::size_t skip = 0; skip < 3; ++skip) {
    for (const char* last : {"+/", "-_"}) all.push_back(base64(secret.substr(skip), last));
  }
  return all;
}

void Canaries::add(const std::string& name, std::string_view secret) {
  SP_CHECK(secret.size() >= kSecretMin);
  if (!names_.insert(name).second) return;
  for (std::string& form : forms(std::string(secret))) {
    const std::uint64_t first = beginning(form.data());
    begins_.set(filter(first));
    forms_.emplace(first, Form{std::move(form), name});
  }
}

std::set<std::string> Canaries::found(std::string_view text) const {
  std::set<std::string> names;
  for (std::size_t i = 0; i + sizeof(std::uint64_t) <= text.size(); ++i) {
    const std::uint64_t first = beginning(text.data() + i);
    if (!begins_[filter(first)]) continue;
    const auto [from, to] = forms_.equal_range(first);
    for (auto one = from; one != to; ++one) {
      if (text.substr(i).starts_with(one->second.text)) names.insert(one->second.name);
    }
  }
  return names;
}

}  // namespace sp::hostile
