#include "app/decider.h"

#include <algorithm>
#include <utility>

namespace llmroute::app {
namespace {

// Whether there are no candidates, and some model failed that gate.
bool none_for(core::Gate gate, const core::Decision& decision) {
  return decision.candidates.empty() && decision.has_excluded(gate);
}

}  // namespace

base::Result<core::Decision> decide_asking_held(const routing::Router& router,
                                                routing::Request request) {
  base::Result<core::Decision> first = router.decide(request);
  if (!first || !none_for(core::Gate::kHeld, *first)) return first;
  request.ask_held = true;
  LLMROUTE_TRY(core::Decision decision, router.decide(request));
  decision.notes.push_back("asked once all the same: " +
                           routing::no_candidate(*first).message);
  return decision;
}

Decider::Decider(const core::Config& config, const analyzer::Analyzer& analyzer,
                 Circumstances circumstances, routing::Router router)
    : config_(&config),
      analyzer_(&analyzer),
      circumstances_(std::move(circumstances)),
      router_(std::move(router)) {}

base::Result<Decider> Decider::create(const core::Config& config,
                                      const analyzer::Analyzer& analyzer,
                                      Circumstances circumstances) {
  LLMROUTE_TRY(routing::Router router, routing::Router::create(config));
  return Decider(config, analyzer, std::move(circumstances), std::move(router));
}

base::Result<core::Decision> Decider::decide(const core::Prompt& prompt) const {
  return decide(prompt, circumstances_.options, std::nullopt);
}

core::Analysis Decider::analyze(const core::Prompt& prompt) const {
  return analyzer_->analyze({prompt.instruction(), prompt.context()});
}

routing::Request Decider::request_for(
    const core::Prompt& prompt, const core::Analysis& analysis,
    const core::RoutingOptions& options,
    const std::optional<core::Money>& ceiling) const {
  const std::optional<core::Money>& own = config_->limits.ceiling;
  return {prompt,
          analysis,
          options,
          own && ceiling ? std::min(*own, *ceiling) : (own ? own : ceiling),
          &circumstances_.missing_keys,
          &circumstances_.unavailable,
          circumstances_.experience,
          circumstances_.draw};
}

base::Result<core::Decision> Decider::decide_admitting(
    const core::Prompt& prompt, const core::Model& admitted,
    bool under_ceiling) const {
  const core::Analysis analysis = analyze(prompt);
  routing::Request request =
      request_for(prompt, analysis, circumstances_.options, std::nullopt);
  request.admitted = &admitted;
  if (!under_ceiling) request.max_cost.reset();
  return router_.decide(request);
}

base::Result<core::Decision> Decider::decide(
    const core::Prompt& prompt, const core::RoutingOptions& options,
    const std::optional<core::Money>& ceiling) const {
  const core::Analysis analysis = analyze(prompt);
  routing::Request request = request_for(prompt, analysis, options, ceiling);
  base::Result<core::Decision> decision = decide_asking_held(router_, request);
  if (decision && circumstances_.asker == Asker::kExplain &&
      none_for(core::Gate::kKey, *decision)) {
    return decide_as_if_keys_were_set(std::move(request), *decision);
  }
  return decision;
}

base::Result<core::Decision> Decider::decide_as_if_keys_were_set(
    routing::Request request, const core::Decision& without) const {
  // The user's own providers first; the built-in ones if that is not enough.
  std::map<std::string, std::string> missing_keys = *request.missing_keys;
  request.missing_keys = &missing_keys;
  std::erase_if(missing_keys, [&](const auto& missing) {
    return config_->find_provider(missing.first)->origin != "built-in";
  });
  LLMROUTE_TRY(core::Decision decision, router_.decide(request));
  if (none_for(core::Gate::kKey, decision)) {
    missing_keys.clear();
    LLMROUTE_TRY(decision, router_.decide(request));
  }
  decision.notes.push_back("decided as if keys were set; run would stop: " +
                           routing::no_candidate(without).message);
  return decision;
}

}  // namespace llmroute::app
