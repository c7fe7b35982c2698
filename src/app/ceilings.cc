#include "app/ceilings.h"

#include <fmt/format.h>

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
  // Of the providers' own documents. Reasoning counts as output, and the limit
  // of the output holds for it.
  constexpr std::string_view kHarmless[] = {"chat_template_kwargs",
                                            "do_sample",
                                            "enable_thinking",
                                            "format",
                                            "frequency_penalty",
                                            "guided_choice",
                                            "guided_json",
                                            "guided_regex",
                                            "ignore_eos",
                                            "include_reasoning",
                                            "keep_alive",
                                            "logit_bias",
                                            "logprobs",
                                            "metadata",
                                            "min_p",
                                            "parallel_tool_calls",
                                            "presence_penalty",
                                            "prompt_cache_key",
                                            "reasoning",
                                            "reasoning_effort",
                                            "reasoning_format",
                                            "repeat_penalty",
                                            "repetition_penalty",
                                            "response_format",
                                            "safe_prompt",
                                            "safetySettings",
                                            "safety_identifier",
                                            "seed",
                                            "stop",
                                            "stop_sequences",
                                            "store",
                                            "stream_options",
                                            "temperature",
                                            "text",
                                            "think",
                                            "thinking",
                                            "tool_choice",
                                            "top_a",
                                            "top_k",
                                            "top_logprobs",
                                            "top_p",
                                            "typical_p",
                                            "user",
                                            "verbosity"};
  static_assert(std::ranges::is_sorted(kHarmless));
  for (const auto& [name, value] : extra) {
    if (!std::ranges::binary_search(kHarmless, name)) return name;
  }
  return {};
}

base::Error not_bounded(base::ErrorKind kind, std::string_view field) {
  return {kind,
          fmt::format("{} is not possible under a cost ceiling, which does not "
                      "know what it costs (see --allow-unpriced)",
                      field)};
}

core::Money rounded_up(core::Money money) {
  int64_t unit = 1;
  while (money.pico / unit >= 1000) unit *= 10;
  return core::Money{(money.pico - 1) / unit + 1} * unit;
}

}  // namespace llmroute::app
