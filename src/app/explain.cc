#include "app/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "app/color.h"
#include "app/explanation.h"
#include "app/messages.h"
#include "app/output.h"
#include "app/route.h"
#include "app/stability.h"
#include "base/terminal_text.h"
#include "base/text.h"
#include "routing/router.h"

namespace llmroute::app {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using core::ExitStatus;

// One --expect: key, comparison, wanted value.
struct Expectation {
  std::string key;
  char comparison = '=';
  std::string wanted;
};

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
std::string actual_name(const Routed& routed, const std::string& key) {
  const core::Decision& decision = routed.decision;
  const core::Candidate& chosen = decision.candidates.front();
  if (key == "model") return chosen.model->name;
  if (key == "provider") return chosen.provider->name;
  if (key == "route") return decision.route;
  if (key == "rule") return decision.rule.value_or("none");
  if (key == "tier") {
    return routed.config->tiers[routed.config->tier_of(*chosen.model)].name;
  }
  return std::string(
      core::kDomainNames[core::largest(decision.analysis.domain)]);
}

std::string unmet_cost(const Routed& routed, const Expectation& expected) {
  const core::Money wanted = *core::parse_usd(expected.wanted);
  const auto cost = routed.decision.candidates.front().cost;
  const bool holds =
      cost && (expected.comparison == '<' ? *cost < wanted : *cost > wanted);
  if (holds) return {};
  return fmt::format("expected cost{}{}, is {}", expected.comparison,
                     expected.wanted,
                     cost ? core::format_usd(*cost) : "unknown");
}

// "" if it holds, else the difference in words.
std::string unmet(const Routed& routed, const Expectation& expected) {
  if (expected.key == "cost") return unmet_cost(routed, expected);
  std::string wanted = expected.wanted;
  if (expected.key == "tier") {  // an alias is as good as the name
    if (const auto tier = routed.config->find_tier(wanted)) {
      wanted = routed.config->tiers[*tier].name;
    }
  }
  const std::string actual = actual_name(routed, expected.key);
  if (actual == wanted) return {};
  return fmt::format("expected {}={}, is {}", expected.key, expected.wanted,
                     actual);
}

Result<std::vector<Expectation>> parse_expectations(
    const std::vector<std::string>& texts) {
  std::vector<Expectation> expectations;
  for (const std::string& text : texts) {
    LLMROUTE_TRY(Expectation expected, parse_expectation(text));
    expectations.push_back(std::move(expected));
  }
  return expectations;
}

base::Status check_expectations(const Routed& routed,
                                const std::vector<Expectation>& expectations) {
  std::vector<std::string> differences;
  for (const Expectation& expected : expectations) {
    std::string difference = unmet(routed, expected);
    if (!difference.empty()) differences.push_back(std::move(difference));
  }
  if (differences.empty()) return {};
  return Error{ErrorKind::kNegative, base::join(differences, "; ")};
}

}  // namespace

Result<ExitStatus> explain(const ExplainOptions& options,
                           const base::Environment& environment) {
  const Messages messages(options.messages);
  LLMROUTE_TRY(const std::vector<Expectation> expectations,
               parse_expectations(options.expect));
  LLMROUTE_TRY(const Routed routed,
               route_prompt({options.config, options.input, options.routing,
                             options.request, options.limits, Asker::kExplain},
                            environment, messages));
  const size_t most_features = options.format == Format::kJson ? 24 : 12;
  Explanation explanation{
      routed,
      routed.analyzer->explain(
          {routed.prompt.instruction(), routed.prompt.context()},
          most_features),
      std::nullopt,
      routing::flips(routed.decision, *routed.config,
                     routed.config->limits.ceiling.has_value()),
      std::nullopt,
      !options.no_timing};
  if (options.why_not) {
    LLMROUTE_TRY(explanation.why_not, why_not(*options.why_not, routed));
  }
  if (options.messages.verbose > 0 && !routed.decision.candidates.empty()) {
    LLMROUTE_TRY(explanation.stability, measure_stability(routed));
  }
  if (options.format == Format::kJson) {
    LLMROUTE_CHECK(print_document(explanation_json(explanation)));
  } else {
    std::string text = explanation_text(explanation);
    if (stdout_is_terminal()) text = base::visible_text(text);
    if (colors_stdout(options.messages)) text = with_bold_labels(text);
    LLMROUTE_CHECK(print_document(text));
  }
  if (routed.decision.candidates.empty()) {
    return routing::no_candidate(routed.decision);
  }
  LLMROUTE_CHECK(check_expectations(routed, expectations));
  return ExitStatus::kOk;
}

}  // namespace llmroute::app
