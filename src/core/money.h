// Money: 64-bit integers in picodollars (1e-12 USD), so that a price of
// 0.000001 USD per million tokens is exactly 1 per token. Range about +-9.2
// million USD; sums saturate at the ends instead of overflowing. No floating
// point in sums; dollars as double only where worths are weighed.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llmroute::core {

struct Money {
  int64_t pico = 0;

  auto operator<=>(const Money&) const = default;
  double usd() const { return static_cast<double>(pico) / 1e12; }
  static constexpr Money max() { return {INT64_MAX}; }
};

Money operator+(Money a, Money b);
Money operator-(Money a, Money b);
inline Money& operator+=(Money& sum, Money other) { return sum = sum + other; }
inline Money& operator-=(Money& sum, Money other) { return sum = sum - other; }
// Price per token times tokens. Saturates.
Money operator*(Money per_token, int64_t tokens);

// Exact decimal dollars ("0.05"), at most 12 digits after the point, not
// negative. Nothing for anything else.
std::optional<Money> parse_usd(std::string_view text);

// From a double that came from outside (TOML, JSON): rounded to the picodollar.
// Nothing if negative, not finite or out of range.
std::optional<Money> from_usd(double usd);

// Price per token from dollars per million tokens: 0.05 USD per 1M = 50,000
// picodollars a token.
std::optional<Money> per_token_from_usd_per_million(double usd);

// Exact decimal without trailing zeros: "0.000179", "12", "0".
std::string format_usd(Money money);

// For people: "$0.0121", "$1.25", "$0.000004": three significant digits below a
// dollar, cents above.
std::string display_usd(Money money);
std::string display_usd(double usd);

// The same of a sum over `count` things, of which `unknown` are not in it: what
// is not known is never shown as nothing. "$1.25", "$1.25 + ?", "?".
std::string display_known_usd(Money known, int64_t unknown, int64_t count);

}  // namespace llmroute::core
