// Amount: money in the smallest unit of a token, 0 to 2^128-1 as the contracts store it. Arithmetic
// never wraps.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace sp {

class Amount {
 public:
  __extension__ using Number = unsigned __int128;

  constexpr Amount() = default;
  constexpr explicit Amount(Number units) : units_(units) {}

  [[nodiscard]] constexpr Number units() const { return units_; }
  auto operator<=>(const Amount&) const = default;

  /// Errc::too_large beyond 2^128-1.
  [[nodiscard]] Result<Amount> plus(Amount other) const;
  /// Errc::refused below zero.
  [[nodiscard]] Result<Amount> minus(Amount other) const;
  /// this * numerator / denominator, rounded down or up as the name says. Errc::too_large; a CHECK
  /// fails for denominator 0.
  [[nodiscard]] Result<Amount> scaled_down(std::uint64_t numerator,
                                           std::uint64_t denominator) const;
  [[nodiscard]] Result<Amount> scaled_up(std::uint64_t numerator, std::uint64_t denominator) const;

  /// 32 bytes big-endian, as the ABI has it.
  [[nodiscard]] Digest32 word() const;
  /// Errc::too_large where the word is beyond 2^128-1.
  static Result<Amount> from_word(const Digest32& word);

  /// Units in decimal digits.
  [[nodiscard]] std::string text() const;
  /// Errc::malformed for anything but digits; Errc::too_large.
  static Result<Amount> from_text(std::string_view text);
  /// In whole tokens, trailing zeros cut: "1.5".
  [[nodiscard]] std::string tokens(unsigned decimals) const;
  /// Reads "1.5". Errc::malformed for more places than `decimals`; Errc::too_large.
  static Result<Amount> from_tokens(std::string_view text, unsigned decimals);

 private:
  Number units_ = 0;
};

}  // namespace sp
