#include "base/amount.hpp"

namespace sp {
namespace {

using Number = Amount::Number;

constexpr Number kMax = ~Number{0};
constexpr unsigned kDecimalsMax = 38;

const Error kTooLarge{Errc::too_large, "amount beyond 2^128-1"};

Result<Number> multiply(Number a, Number b) {
  if (b != 0 && a > kMax / b) return kTooLarge;
  return a * b;
}

}  // namespace

Result<Amount> Amount::plus(Amount other) const {
  if (units_ > kMax - other.units_) return kTooLarge;
  return Amount(units_ + other.units_);
}

Result<Amount> Amount::minus(Amount other) const {
  if (other.units_ > units_) return Error{Errc::refused, text() + " is less than " + other.text()};
  return Amount(units_ - other.units_);
}

Result<Amount> Amount::scaled_down(std::uint64_t numerator, std::uint64_t denominator) const {
  SP_CHECK(denominator != 0);
  // Split so that the product doesn't pass 128 bits before the division, where the quotient itself
  // fits.
  SP_ASSIGN(const Number whole, multiply(units_ / denominator, numerator));
  const Number rest = (units_ % denominator) * numerator / denominator;
  return Amount(whole).plus(Amount(rest));
}

Result<Amount> Amount::scaled_up(std::uint64_t numerator, std::uint64_t denominator) const {
  SP_ASSIGN(const Amount down, scaled_down(numerator, denominator));
  const bool exact = (units_ % denominator) * numerator % denominator == 0;
  return exact ? Result<Amount>(down) : down.plus(Amount(1));
}

Digest32 Amount::word() const {
  Digest32 word;
  for (std::size_t i = 0; i < 16; ++i)
    word.data[31 - i] = static_cast<std::uint8_t>(units_ >> (8 * i));
  return word;
}

Result<Amount> Amount::from_word(const Digest32& word) {
  Number units = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    if (i < 16 && word.data[i] != 0) return kTooLarge;
    units = units << 8 | word.data[i];
  }
  return Amount(units);
}

std::string Amount::text() const {
  std::string digits;
  Number rest = units_;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  } while (rest != 0);
  return digits;
}

Result<Amount> Amount::from_text(std::string_view text) {
  if (text.empty()) return Error{Errc::malformed, "an amount needs digits"};
  Number units = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9')
      return Error{Errc::malformed, "not an amount: " + std::string(text.substr(0, 64))};
    const auto value = static_cast<unsigned>(digit - '0');
    if (units > (kMax - value) / 10) return kTooLarge;
    units = units * 10 + value;
  }
  return Amount(units);
}

std::string Amount::tokens(unsigned decimals) const {
  SP_CHECK(decimals <= kDecimalsMax);
  std::string digits = text();
  if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
  std::string fraction = digits.substr(digits.size() - decimals);
  digits.resize(digits.size() - decimals);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return fraction.empty() ? digits : digits + "." + fraction;
}

Result<Amount> Amount::from_tokens(std::string_view text, unsigned decimals) {
  SP_CHECK(decimals <= kDecimalsMax);
  const std::size_t point = text.find('.');
  std::string digits(text.substr(0, point));
  std::string fraction(point == std::string_view::npos ? "" : text.substr(point + 1));
  if (fraction.size() > decimals || digits.empty() ||
      (point != std::string_view::npos && fraction.empty())) {
    return Error{Errc::malformed,
                 "not an amount with at most " + std::to_string(decimals) + " places"};
  }
  fraction.append(decimals - fraction.size(), '0');
  return from_text(digits + fraction);
}

}  // namespace sp
