#include "app/ceilings.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace llmroute::app {
namespace {

using core::Money;
using store::Window;

void add(std::vector<store::Ceiling>& ceilings, Window window,
         const std::string& tag, const std::optional<Money>& limit) {
  if (limit) ceilings.push_back({window, tag, *limit});
}

}  // namespace

std::vector<store::Ceiling> shared_ceilings(const core::Config& config,
                                            const Tags& tags) {
  std::vector<store::Ceiling> ceilings;
  add(ceilings, Window::kDay, "", config.limits.per_day);
  add(ceilings, Window::kMonth, "", config.limits.per_month);
  for (const core::Budget& budget : config.budgets) {
    const size_t equals = budget.tag.find('=');
    const auto tag = tags.find(budget.tag.substr(0, equals));
    if (tag == tags.end() || tag->second != budget.tag.substr(equals + 1)) {
      continue;
    }
    for (store::Ceiling& ceiling : ceilings_of(budget)) {
      ceilings.push_back(std::move(ceiling));
    }
  }
  return ceilings;
}

std::vector<store::Ceiling> ceilings_of(const core::Budget& budget) {
  std::vector<store::Ceiling> ceilings;
  add(ceilings, Window::kDay, budget.tag, budget.per_day);
  add(ceilings, Window::kMonth, budget.tag, budget.per_month);
  return ceilings;
}

base::Error ledger_is_off() {
  return {base::ErrorKind::kUsage,
          "a ceiling of a day, a month, a tag or a run is kept by the ledger, "
          "which is off; nothing was sent"};
}

std::optional<LeastCeiling> least_ceiling(const core::Config& config,
                                          const Tags& tags) {
  std::optional<LeastCeiling> least;
  if (config.limits.max_cost) least = {*config.limits.max_cost, "max_cost"};
  for (const store::Ceiling& ceiling : shared_ceilings(config, tags)) {
    if (least && least->limit <= ceiling.limit) continue;
    least = {ceiling.limit, store::ceiling_name(ceiling)};
  }
  return least;
}

std::string costly_field(
    const std::vector<std::pair<std::string, std::string>>& extra) {
  constexpr std::string_view kCostly[] = {"max_tokens",
                                          "max_completion_tokens",
                                          "max_output_tokens",
                                          "n",
                                          "model",
                                          "best_of",
                                          "options",
                                          "generationConfig",
                                          "service_tier",
                                          "speed",
                                          "models",
                                          "tools",
                                          "plugins",
                                          "web_search_options"};
  for (const auto& [name, value] : extra) {
    if (std::find(std::begin(kCostly), std::end(kCostly), name) !=
        std::end(kCostly)) {
      return name;
    }
  }
  return {};
}

}  // namespace llmroute::app
