#include "crypto/pem.hpp"

namespace sp::crypto {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kGroupSize = 4;
constexpr std::uint8_t kBlank = 0xfd;
constexpr std::uint8_t kPadding = 0xfe;
constexpr std::uint8_t kOther = 0xff;
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kOther);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  for (const char blank : {' ', '\t', '\r', '\n'}) {
    values[static_cast<std::uint8_t>(blank)] = kBlank;
  }
  values['='] = kPadding;
  return values;
}
constexpr std::array<std::uint8_t, 256> kValues = make_values();

Error not_base64() { return {Errc::malformed, "not base64"}; }

Error malformed_pem(std::string_view what) {
  return {Errc::malformed, "PEM: " + std::string(what)};
}

// The next "-----BEGIN " that begins a line, or the end.
std::size_t find_begin(std::string_view text, std::size_t from) {
  for (;;) {
    const std::size_t at = text.find(kBegin, from);
    if (at == std::string_view::npos || at == 0 || text[at - 1] == '\n') return at;
    from = at + 1;
  }
}

// The content of the block at the beginning of `text`, which is then what follows it.
Result<Bytes> take_block(std::string_view& text, std::string_view label, std::size_t size_max) {
  const std::string begin = std::string(kBegin) + std::string(label) + std::string(kDashes);
  const std::string end = "\n" + std::string(kEnd) + std::string(label) + std::string(kDashes);
  if (!text.starts_with(begin)) {
    return malformed_pem("a block that isn't a " + std::string(label));
  }
  const std::size_t until = text.find(end, begin.size());
  if (until == std::string_view::npos) return malformed_pem("a block that doesn't end");
  const std::string_view body = text.substr(begin.size(), until - begin.size());
  auto content = from_base64(body);
  if (!content || content->empty()) return malformed_pem("a block that isn't base64");
  if (content->size() > size_max) {
    return Error{Errc::too_large, "PEM: a block of " + std::to_string(content->size()) +
                                      " bytes, at most " + std::to_string(size_max)};
  }
  text.remove_prefix(until + end.size());
  return content;
}

}  // namespace

Result<Bytes> from_base64(std::string_view text) {
  Bytes bytes;
  bytes.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t group = 0;
  std::size_t count = 0;    // characters of the current group
  std::size_t padding = 0;  // of them, '='; a padded group is the last
  for (const char character : text) {
    const std::uint8_t value = kValues[static_cast<std::uint8_t>(character)];
    if (value == kBlank) continue;
    if (value == kOther || count == kGroupSize) return not_base64();
    if (value == kPadding ? count < 2 : padding != 0) return not_base64();
    if (value == kPadding) ++padding;
    group = group << 6U | (value == kPadding ? 0U : value);
    if (++count < kGroupSize) continue;
    // What a padded group holds beyond its bytes must be zero: one text per byte string.
    if (padding != 0 && (group & ((1U << (8 * padding)) - 1U)) != 0) return not_base64();
    for (std::size_t i = 0; i + padding < 3; ++i) {
      bytes.push_back(static_cast<std::uint8_t>(group >> (16 - 8 * i)));
    }
    group = 0;
    if (padding == 0) count = 0;
  }
  if (count != 0 && count != kGroupSize) return not_base64();
  return bytes;
}

Result<std::vector<Bytes>> pem_blocks(std::string_view text, std::string_view label,
                                      const PemLimits& limits) {
  if (text.size() > limits.text_size) {
    return Error{Errc::too_large, "PEM of " + std::to_string(text.size()) + " bytes, at most " +
                                      std::to_string(limits.text_size)};
  }
  std::vector<Bytes> blocks;
  for (std::size_t at = 0; (at = find_begin(text, 0)) != std::string_view::npos;) {
    text.remove_prefix(at);
    SP_ASSIGN(Bytes block, take_block(text, label, limits.block_size));
    if (blocks.size() == limits.blocks) {
      return Error{Errc::too_large,
                   "PEM of more than " + std::to_string(limits.blocks) + " blocks"};
    }
    blocks.push_back(std::move(block));
  }
  if (blocks.empty()) return malformed_pem("no block of the kind " + std::string(label));
  return blocks;
}

}  // namespace sp::crypto
