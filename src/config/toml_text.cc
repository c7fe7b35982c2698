#include "config/toml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace llmroute::config {
namespace {

std::string bracketed(const std::vector<std::string>& parts) {
  return "[" + base::join(parts, ", ") + "]";
}

std::string braced(const std::vector<std::string>& parts) {
  return parts.empty() ? "{}" : "{ " + base::join(parts, ", ") + " }";
}

void add_price(std::vector<std::string>& parts, std::string_view key,
               const std::optional<core::Money>& price) {
  if (price)
    parts.push_back(fmt::format("{} = {}", key, usd_per_million(*price)));
}

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::string escaped(char c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    case '\r':
      return "\\r";
    default:
      return fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
  }
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || byte < 0x20 || byte == 0x7F) {
      out += escaped(c);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string key_text(std::string_view key) {
  const bool bare =
      !key.empty() && std::all_of(key.begin(), key.end(), is_bare);
  return bare ? std::string(key) : quoted(key);
}

std::string toml_text(const std::string& text) {
  return text.empty() ? "" : quoted(text);
}

std::string toml_text(bool flag) { return flag ? "true" : "false"; }

std::string toml_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  // Without the sign of a zero, which an integer does not have.
  const std::string text = fmt::format("{}", number + 0.0);
  const size_t exponent = text.find('e');
  if (exponent == std::string::npos || text.find('.') < exponent) return text;
  return text.substr(0, exponent) + ".0" + text.substr(exponent);
}

std::string toml_text(int64_t number) { return fmt::format("{}", number); }

std::string toml_text(const std::vector<std::string>& texts) {
  if (texts.empty()) return "";
  std::vector<std::string> parts;
  for (const std::string& text : texts) parts.push_back(quoted(text));
  return bracketed(parts);
}

std::string toml_text(const std::vector<int>& numbers) {
  if (numbers.empty()) return "";
  return fmt::format("[{}]", fmt::join(numbers, ", "));
}

std::string toml_text(std::chrono::milliseconds time) {
  if (time.count() % 1000 == 0) {
    return fmt::format("\"{}s\"", time.count() / 1000);
  }
  return fmt::format("\"{}ms\"", time.count());
}

std::string usd_per_million(core::Money per_token) {
  constexpr int64_t kScale =
      1'000'000;  // picodollars a token per USD a million
  std::string text =
      fmt::format("{}.{:06}", per_token.pico / kScale, per_token.pico % kScale);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string toml_text(const std::vector<core::PriceTier>& tiers) {
  if (tiers.empty()) return "";
  std::vector<std::string> items;
  for (const core::PriceTier& tier : tiers) {
    std::vector<std::string> parts{
        fmt::format("above = {}", tier.above_input_tokens)};
    add_price(parts, "input", tier.price.input);
    add_price(parts, "output", tier.price.output);
    add_price(parts, "cached_input", tier.price.cached_input);
    add_price(parts, "cache_write", tier.price.cache_write);
    add_price(parts, "reasoning", tier.price.reasoning);
    items.push_back(braced(parts));
  }
  return bracketed(items);
}

std::string toml_text(const Node& node) {
  std::vector<std::string> parts;
  switch (node.kind) {
    case Node::Kind::kString:
      return quoted(node.text);
    case Node::Kind::kInteger:
      return toml_text(node.integer);
    case Node::Kind::kFloat:
      return toml_text(node.number);
    case Node::Kind::kBool:
      return toml_text(node.flag);
    case Node::Kind::kArray:
      for (const Node& item : node.items) parts.push_back(toml_text(item));
      return bracketed(parts);
    case Node::Kind::kTable:
      for (const Member& member : node.members) {
        parts.push_back(fmt::format("{} = {}", key_text(member.key),
                                    toml_text(member.value)));
      }
      return braced(parts);
    case Node::Kind::kDate:
      return "";
  }
  return "";
}

}  // namespace llmroute::config
