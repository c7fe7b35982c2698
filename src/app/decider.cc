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

base::Status decide_asking_held(const routing::Router& router,
                                routing::Request request,
                                core::Decision& decision) {
  LLMROUTE_CHECK(router.decide(request, decision));
  if (!none_for(core::Gate::kHeld, decision)) return {};
  const std::string why = routing::no_candidate(decision).message;
  request.ask_held = true;
  LLMROUTE_CHECK(router.decide(request, decision));
  decision.notes.push_back("asked once all the same: " + why);
  return {};
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
  core::Decision decision;
  LLMROUTE_CHECK(decide(prompt, options, ceiling, decision));
  return decision;
}

base::Status Decider::decide(const core::Prompt& prompt,
                             const core::RoutingOptions& options,
                             const std::optional<core::Money>& ceiling,
                             core::Decision& decision) const {
  const core::Analysis analysis = analyze(prompt);
  routing::Request request = request_for(prompt, analysis, options, ceiling);
  LLMROUTE_CHECK(decide_asking_held(router_, request, decision));
  if (circumstances_.asker == Asker::kExplain &&
      none_for(core::Gate::kKey, decision)) {
    return decide_as_if_keys_were_set(std::move(request), decision);
  }
  return {};
}

base::Status Decider::decide_as_if_keys_were_set(
    routing::Request request, core::Decision& decision) const {
  const std::string without = routing::no_candidate(decision).message;
  // The user's own providers first; the built-in ones if that is not enough.
  std::map<std::string, std::string> missing_keys = *request.missing_keys;
  request.missing_keys = &missing_keys;
  std::erase_if(missing_keys, [&](const auto& missing) {
    return config_->find_provider(missing.first)->origin != "built-in";
  });
  LLMROUTE_CHECK(router_.decide(request, decision));
  if (none_for(core::Gate::kKey, decision)) {
    missing_keys.clear();
    LLMROUTE_CHECK(router_.decide(request, decision));
  }
  decision.notes.push_back("decided as if keys were set; run would stop: " +
                           without);
  return {};
}

}  // namespace llmroute::app
