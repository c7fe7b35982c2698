#include "cli/values.h"

#include <fmt/core.h>

#include "base/text.h"

namespace llmroute::cli {

base::Error expected(std::string_view what) {
  return {base::ErrorKind::kUsage, fmt::format("expected {}", what)};
}

base::Status set_text(std::optional<std::string>& target,
                      std::string_view value) {
  if (value.empty()) return expected("a value that is not empty");
  target = std::string(value);
  return {};
}

base::Status add_text(std::vector<std::string>& target,
                      std::string_view value) {
  if (value.empty()) return expected("a value that is not empty");
  target.emplace_back(value);
  return {};
}

base::Status set_list(std::vector<std::string>& target,
                      std::string_view value) {
  target.clear();
  return add_list(target, value);
}

base::Status add_list(std::vector<std::string>& target,
                      std::string_view value) {
  for (const std::string& part : base::split(value, ',')) {
    if (part.empty()) return expected("names separated by commas");
    target.push_back(part);
  }
  return {};
}

base::Status set_duration(std::optional<std::chrono::milliseconds>& target,
                          std::string_view value) {
  const auto duration = base::parse_duration(value);
  if (!duration || duration->count() <= 0) {
    return expected("a duration such as 30s, 2m or 250ms");
  }
  target = *duration;
  return {};
}

base::Status set_usd(std::optional<double>& target, std::string_view value) {
  std::optional<core::Money> money;
  LLMROUTE_CHECK(set_usd(money, value));
  target = money->usd();
  return {};
}

base::Status set_usd(std::optional<core::Money>& target,
                     std::string_view value) {
  const auto parsed = core::parse_usd(value);
  if (!parsed) return expected("dollars such as 0.05");
  target = parsed;
  return {};
}

base::Result<int64_t> whole_number(std::string_view value, int64_t low,
                                   int64_t high) {
  const std::optional<int64_t> parsed = base::parse_int(value);
  if (!parsed || *parsed < low || *parsed > high) {
    return expected(
        high == INT64_MAX
            ? (low == INT64_MIN ? std::string("a whole number")
                                : fmt::format("a whole number from {} on", low))
            : fmt::format("a whole number from {} to {}", low, high));
  }
  return *parsed;
}

base::Result<double> number(std::string_view value, double low, double high) {
  const std::optional<double> parsed = base::parse_double(value);
  if (!parsed || *parsed < low || *parsed > high) {
    return expected(fmt::format("a number from {} to {}", low, high));
  }
  return *parsed;
}

base::Result<std::pair<std::string, std::string>> key_value(
    std::string_view value) {
  const size_t equals = value.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return expected("KEY=VALUE");
  }
  return std::pair(std::string(value.substr(0, equals)),
                   std::string(value.substr(equals + 1)));
}

base::Status add_tags(std::map<std::string, std::string>& target,
                      std::string_view value) {
  for (const std::string& part : base::split(value, ',')) {
    LLMROUTE_TRY(auto tag, key_value(part));
    target[tag.first] = tag.second;
  }
  return {};
}

}  // namespace llmroute::cli
