#include "app/expectation.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace llmroute::app {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using core::Decision;

constexpr std::string_view kNamedKeys[] = {"model", "provider", "route",
                                           "rule",  "tier",     "domain"};

Result<Expectation> parse_expectation(const std::string& text) {
  const size_t at = std::min(text.find_first_of("=<>"), text.size());
  const Expectation expected{text.substr(0, at),
                             at < text.size() ? text[at] : ' ',
                             text.substr(std::min(at + 1, text.size()))};
  const bool named = expected.comparison == '=' && !expected.wanted.empty() &&
                     std::find(std::begin(kNamedKeys), std::end(kNamedKeys),
                               expected.key) != std::end(kNamedKeys);
  const bool cost = expected.key == "cost" && expected.comparison != '=' &&
                    core::parse_usd(expected.wanted);
  if (named || cost) return expected;
  return Error{ErrorKind::kUsage,
               fmt::format("--expect '{}': write model=, provider=, route=, "
                           "rule=, tier= or domain= and a name, or cost< or "
                           "cost> and dollars",
                           text)};
}

// REQUIRES: `key` is one of kNamedKeys.
std::string actual_name(const Decision& decision, const core::Config& config,
                        const std::string& key) {
  const core::Candidate& chosen = decision.candidates.front();
  if (key == "model") return chosen.model->name;
  if (key == "provider") return chosen.provider->name;
  if (key == "route") return decision.route;
  if (key == "rule") return decision.rule.value_or("none");
  if (key == "tier") {
    return config.tiers[config.tier_of(*chosen.model)].name;
  }
  return std::string(
      core::kDomainNames[core::largest(decision.analysis.domain)]);
}

std::string unmet_cost(const Decision& decision, const Expectation& expected) {
  const core::Money wanted = *core::parse_usd(expected.wanted);
  const auto cost = decision.candidates.front().cost;
  const bool holds =
      cost && (expected.comparison == '<' ? *cost < wanted : *cost > wanted);
  if (holds) return {};
  return fmt::format("expected cost{}{}, is {}", expected.comparison,
                     expected.wanted,
                     cost ? core::format_usd(*cost) : "unknown");
}

// "" if it holds, else the difference in words.
std::string unmet(const Decision& decision, const core::Config& config,
                  const Expectation& expected) {
  if (expected.key == "cost") return unmet_cost(decision, expected);
  std::string wanted = expected.wanted;
  if (expected.key == "tier") {  // an alias is as good as the name
    if (const auto tier = config.find_tier(wanted)) {
      wanted = config.tiers[*tier].name;
    }
  }
  const std::string actual = actual_name(decision, config, expected.key);
  if (actual == wanted) return {};
  return fmt::format("expected {}={}, is {}", expected.key, expected.wanted,
                     actual);
}

}  // namespace

Result<std::vector<Expectation>> parse_expectations(
    const std::vector<std::string>& texts) {
  std::vector<Expectation> expectations;
  for (const std::string& text : texts) {
    LLMROUTE_TRY(Expectation expected, parse_expectation(text));
    expectations.push_back(std::move(expected));
  }
  return expectations;
}

base::Status check_expectations(const core::Decision& decision,
                                const core::Config& config,
                                const std::vector<Expectation>& expectations) {
  std::vector<std::string> differences;
  for (const Expectation& expected : expectations) {
    std::string difference = unmet(decision, config, expected);
    if (!difference.empty()) differences.push_back(std::move(difference));
  }
  if (differences.empty()) return {};
  return Error{ErrorKind::kNegative, base::join(differences, "; ")};
}

}  // namespace llmroute::app
