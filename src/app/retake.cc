#include "app/retake.h"

#include <fmt/format.h>

#include "config/keys.h"
#include "config/snapshot.h"

namespace llmroute::app {
namespace {

constexpr std::string_view kRegistryLine = "# registry ";

// Only the parameters of a prompt whose text is not there.
core::Prompt stand_in(const Inputs& inputs) {
  core::Prompt prompt;
  prompt.messages.emplace_back();
  prompt.parameters.max_tokens = inputs.max_tokens;
  return prompt;
}

std::map<std::string, std::string> reasons(const SharedInputs& shared,
                                           const core::Config& config) {
  std::map<std::string, std::string> missing;
  for (const std::string& name : shared.missing_keys) {
    if (const core::Provider* provider = config.find_provider(name)) {
      missing[name] = config::missing_key_text(*provider);
    }
  }
  return missing;
}

}  // namespace

base::Result<core::Decision> decide_again(const Inputs& inputs,
                                          const SharedInputs& shared,
                                          const core::Config& config,
                                          const routing::Router& router) {
  const core::Prompt prompt = stand_in(inputs);
  const std::map<std::string, std::string> missing = reasons(shared, config);
  routing::Request request{prompt,         inputs.analysis,
                           inputs.options, inputs.ceiling,
                           &missing,       &shared.unavailable};
  request.evidence = &inputs.evidence;
  if (inputs.experience) request.experience = &*inputs.experience;
  request.draw = inputs.draw;
  return decide_asking_held(router, request);
}

std::string snapshot_text(const core::Config& config) {
  return fmt::format("{}{}\n{}", kRegistryLine, config::registry_hash(),
                     config::routing_snapshot(config));
}

std::string registry_of(const std::string& snapshot) {
  if (!snapshot.starts_with(kRegistryLine)) return {};
  const size_t end = snapshot.find('\n');
  return snapshot.substr(kRegistryLine.size(), end - kRegistryLine.size());
}

}  // namespace llmroute::app
