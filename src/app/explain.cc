#include "app/explain.h"

#include <fmt/format.h>

#include <optional>

#include "app/color.h"
#include "app/explanation.h"
#include "app/messages.h"
#include "app/output.h"
#include "app/route.h"
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

Result<Expectation> parse_expectation(const std::string& text) {
  const size_t at = text.find_first_of("=<>");
  if (at == std::string::npos || at == 0 || at + 1 == text.size()) {
    return Error{ErrorKind::kUsage,
                 fmt::format("--expect '{}': write KEY=VALUE, cost<USD or "
                             "cost>USD",
                             text)};
  }
  return Expectation{text.substr(0, at), text[at], text.substr(at + 1)};
}

std::optional<std::string> actual_name(const Routed& routed,
                                       const std::string& key) {
  const core::Decision& decision = routed.decision;
  const core::Candidate& chosen = decision.candidates.front();
  if (key == "model") return chosen.model->name;
  if (key == "provider") return chosen.provider->name;
  if (key == "route") return decision.route;
  if (key == "rule") return decision.rule.value_or("none");
  if (key == "tier") {
    return routed.config->tiers[routed.config->tier_of(*chosen.model)].name;
  }
  if (key == "domain") {
    return std::string(
        core::kDomainNames[core::largest(decision.analysis.domain)]);
  }
  return std::nullopt;
}

// "" if it holds, else the difference in words.
Result<std::string> unmet(const Routed& routed, const Expectation& expected) {
  if (expected.key == "cost") {
    const auto wanted = core::parse_usd(expected.wanted);
    if (!wanted || expected.comparison == '=') {
      return Error{ErrorKind::kUsage,
                   "--expect cost: write cost<USD or cost>USD"};
    }
    const auto cost = routed.decision.candidates.front().cost;
    const bool holds = cost && (expected.comparison == '<' ? *cost < *wanted
                                                           : *cost > *wanted);
    if (holds) return std::string();
    return fmt::format("expected cost{}{}, is {}", expected.comparison,
                       expected.wanted,
                       cost ? core::format_usd(*cost) : "unknown");
  }
  const auto actual = actual_name(routed, expected.key);
  if (!actual || expected.comparison != '=') {
    return Error{ErrorKind::kUsage,
                 fmt::format("--expect '{}': know model=, provider=, route=, "
                             "rule=, tier=, domain=, cost<, cost>",
                             expected.key)};
  }
  std::string wanted = expected.wanted;
  if (expected.key == "tier") {  // an alias is as good as the name
    if (const auto tier = routed.config->find_tier(wanted)) {
      wanted = routed.config->tiers[*tier].name;
    }
  }
  if (*actual == wanted) return std::string();
  return fmt::format("expected {}={}, is {}", expected.key, expected.wanted,
                     *actual);
}

base::Status check_expectations(const Routed& routed,
                                const std::vector<std::string>& expectations) {
  std::vector<std::string> differences;
  for (const std::string& text : expectations) {
    LLMROUTE_TRY(const Expectation expected, parse_expectation(text));
    LLMROUTE_TRY(const std::string difference, unmet(routed, expected));
    if (!difference.empty()) differences.push_back(difference);
  }
  if (differences.empty()) return {};
  return Error{ErrorKind::kNegative, base::join(differences, "; ")};
}

}  // namespace

Result<ExitStatus> explain(const ExplainOptions& options,
                           const base::Environment& environment) {
  const Messages messages(options.messages);
  LLMROUTE_TRY(const Routed routed,
               route_prompt({options.config, options.input, options.routing,
                             options.request, options.limits, Asker::kExplain},
                            environment, messages));
  const size_t most_features = options.format == Format::kJson ? 24 : 12;
  const Explanation explanation{
      routed,
      routed.analyzer->explain(
          {routed.prompt.instruction(), routed.prompt.context()},
          most_features),
      !options.no_timing};
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
  LLMROUTE_CHECK(check_expectations(routed, options.expect));
  return ExitStatus::kOk;
}

}  // namespace llmroute::app
