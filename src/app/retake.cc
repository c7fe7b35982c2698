#include "app/retake.h"

#include <fmt/format.h>

#include "base/json_text.h"
#include "base/json_writer.h"
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

std::string shared_inputs_json(const SharedInputs& shared) {
  base::JsonWriter json;
  json.begin_object().field("config", shared.config);
  json.field("router_model", shared.router_model);
  if (!shared.missing_keys.empty()) {
    json.field("missing_keys", shared.missing_keys);
  }
  if (!shared.unavailable.empty()) {
    json.key("unavailable").begin_object();
    for (const auto& [name, why] : shared.unavailable) json.field(name, why);
    json.end_object();
  }
  json.end_object();
  return json.take();
}

base::Result<SharedInputs> read_shared_inputs(std::string_view text) {
  const auto read = base::read_json(text);
  if (!read || !read->root["config"].string()) {
    return base::Error{base::ErrorKind::kData,
                       "what the ledger kept of its circumstances makes no "
                       "sense"};
  }
  const base::Json& json = read->root;
  SharedInputs shared;
  shared.config = json["config"].text();
  shared.router_model = json["router_model"].text();
  for (const base::Json& name : json["missing_keys"].items()) {
    shared.missing_keys.emplace_back(name.text());
  }
  for (const std::string& name : json["unavailable"].names()) {
    shared.unavailable[name] = json["unavailable"][name].text();
  }
  return shared;
}

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
  core::Decision decision;
  LLMROUTE_CHECK(decide_asking_held(router, request, decision));
  return decision;
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
