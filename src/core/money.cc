#include "core/money.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace llmroute::core {
namespace {

constexpr int64_t kPicoPerUsd = 1'000'000'000'000;
constexpr size_t kDecimals = 12;

std::optional<int64_t> parse_digits(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

bool all_digits(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Money operator+(Money a, Money b) {
  Money sum;
  if (__builtin_add_overflow(a.pico, b.pico, &sum.pico)) {
    sum.pico = a.pico > 0 ? INT64_MAX : INT64_MIN;
  }
  return sum;
}

Money operator-(Money a, Money b) {
  Money rest;
  if (__builtin_sub_overflow(a.pico, b.pico, &rest.pico)) {
    rest.pico = b.pico < 0 ? INT64_MAX : INT64_MIN;
  }
  return rest;
}

Money operator*(Money per_token, int64_t tokens) {
  Money product;
  if (__builtin_mul_overflow(per_token.pico, tokens, &product.pico)) {
    product.pico = INT64_MAX;
  }
  return product;
}

std::optional<Money> parse_usd(std::string_view text) {
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::string fraction(
      point == std::string_view::npos ? "" : text.substr(point + 1));
  if ((whole.empty() && fraction.empty()) || fraction.size() > kDecimals ||
      !all_digits(whole) || !all_digits(fraction)) {
    return std::nullopt;
  }
  fraction.resize(kDecimals, '0');
  const std::optional<int64_t> usd = parse_digits(whole.empty() ? "0" : whole);
  if (!usd || *usd >= INT64_MAX / kPicoPerUsd) return std::nullopt;
  return Money{*usd * kPicoPerUsd + *parse_digits(fraction)};
}

std::optional<Money> from_usd(double usd) {
  const double pico = std::round(usd * 1e12);
  if (!(pico >= 0) || pico > 9.2e18) return std::nullopt;
  return Money{static_cast<int64_t>(pico)};
}

std::optional<Money> per_token_from_usd_per_million(double usd) {
  return from_usd(usd * 1e-6);
}

std::string format_usd(Money money) {
  const bool negative = money.pico < 0;
  const uint64_t pico = negative ? 0 - static_cast<uint64_t>(money.pico)
                                 : static_cast<uint64_t>(money.pico);
  std::string text =
      fmt::format("{}{}.{:012}", negative ? "-" : "",
                  pico / uint64_t{kPicoPerUsd}, pico % uint64_t{kPicoPerUsd});
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string display_usd(double usd) {
  const double size = std::fabs(usd);
  const char* sign = usd < 0 ? "-" : "";
  if (size == 0) return "$0";
  if (size >= 0.995) return fmt::format("{}${:.2f}", sign, size);
  const int decimals = 2 - static_cast<int>(std::floor(std::log10(size)));
  return fmt::format("{}${:.{}f}", sign, size, std::min(decimals, 12));
}

std::string display_usd(Money money) { return display_usd(money.usd()); }

std::string display_known_usd(Money known, int64_t unknown, int64_t count) {
  if (unknown == 0) return display_usd(known);
  if (unknown == count) return "?";
  return display_usd(known) + " + ?";
}

}  // namespace llmroute::core
