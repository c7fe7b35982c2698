// What a ledger kept of a decision: read whole or refused, and what was read
// can be decided on.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/retake.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace app = llmroute::app;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  llmroute::core::Config config;
  config.providers.emplace_back().name = "p";
  config.models.emplace_back().name = "m";
  config.models[0].provider = "p";
  config.models[0].context_window = 1000;
  config.models[0].price.input = config.models[0].price.output = {1'000'000};
  config.routes.emplace_back().name = "auto";
  config.profiles.emplace_back().name = "balanced";
  config.tiers.push_back({"small", {}});
  config.rules.emplace_back().pattern = "x";
  config.rules[0].name = "r";
  const auto inputs = app::unpack_inputs(text, config.rules);
  (void)app::outcome_json(text);
  const auto shared = app::read_shared_inputs(text);
  const auto router = llmroute::routing::Router::create(config);
  if (!inputs || !router) return 0;
  const auto decision = app::decide_again(
      *inputs, shared ? *shared : app::SharedInputs(), config, *router);
  if (decision) {
    const std::string packed = app::pack_outcome(*decision);
    if (!app::outcome_json(packed)) __builtin_trap();
  }
  return 0;
}
