#include <algorithm>

#include "app/usage_report.h"
#include "core/reply.h"

namespace llmroute::app {
namespace {

using core::Money;

std::optional<Baseline> constant(const store::Spend& total,
                                 const core::Config& config,
                                 const std::string& name) {
  const core::Model* known = config.find_model(name);
  if (known == nullptr) return std::nullopt;
  // How much of an answer was reasoning is not in the sums.
  if (known->price.reasoning) return std::nullopt;
  core::Model model = *known;
  model.price_tiers.clear();  // they go by single calls
  core::Usage tokens;
  tokens.input = total.input_tokens;
  tokens.output = total.output_tokens;
  tokens.cached_input = total.cached_tokens;
  tokens.cache_write = total.cache_write_tokens;
  const auto cost = core::cost_of(model, tokens);
  if (!cost) return std::nullopt;
  return Baseline{model.name,    true,
                  *cost,         Money{total.counted_pico},
                  total.counted, total.answered - total.counted};
}

}  // namespace

std::vector<Baseline> baselines_of(const store::Spend& total,
                                   const core::Config& config,
                                   const std::vector<std::string>& wanted) {
  std::vector<Baseline> all;
  for (const std::string& name : wanted) {
    if (auto baseline = constant(total, config, name)) {
      all.push_back(std::move(*baseline));
    }
  }
  std::stable_sort(
      all.begin(), all.end(),
      [](const Baseline& a, const Baseline& b) { return a.cost > b.cost; });
  const auto chosen = [&](const char* name, int64_t pico) {
    return Baseline{name,           false,
                    Money{pico},    Money{total.compared_pico},
                    total.compared, total.answered - total.compared};
  };
  all.insert(all.begin(), {chosen("strongest", total.strongest_pico),
                           chosen("cheapest", total.cheapest_pico)});
  return all;
}

}  // namespace llmroute::app
