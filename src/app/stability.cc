#include "app/stability.h"

#include <fmt/format.h>

#include "base/text.h"
#include "learning/perturb.h"
#include "learning/random.h"

namespace llmroute::app {
namespace {

constexpr size_t kMostExamples = 3;

ChangedPrompt decided_anew(const Routed& routed, size_t which,
                           const core::Decision& decision) {
  ChangedPrompt change{std::string(learning::perturbation_name(which)),
                       std::string(learning::injected_prefix(which)),
                       {},
                       false};
  if (decision.candidates.empty()) return change;
  const core::Model* chosen = decision.candidates.front().model;
  change.model = chosen->name;
  change.unchanged = chosen == routed.decision.candidates.front().model;
  return change;
}

// `"This is a very hard problem."` or `3 % typos`.
std::string shown(const ChangedPrompt& change) {
  if (change.prefix.empty()) return change.name;
  std::string quoted;
  base::append_json_string(quoted, base::trim(change.prefix));
  return quoted;
}

}  // namespace

base::Result<Stability> measure_stability(const Routed& routed) {
  Stability stability;
  core::Prompt prompt = routed.prompt;
  const std::string context(routed.prompt.context());
  for (size_t i = 0; i < learning::kPerturbations; ++i) {
    learning::Random random(learning::mix64(i));
    prompt.question().text =
        context + learning::perturbed(routed.prompt.instruction(), i, random);
    LLMROUTE_TRY(const core::Decision decision, routed.decider->decide(prompt));
    stability.changes.push_back(decided_anew(routed, i, decision));
    stability.unchanged += stability.changes.back().unchanged ? 1 : 0;
  }
  stability.unchanged /= static_cast<double>(stability.changes.size());
  return stability;
}

std::string stability_lines(const Stability& stability) {
  size_t all[2] = {0, 0}, same[2] = {0, 0}, examples = 0;
  std::string text;
  // Prefixes come last, but are the examples that tell most.
  for (const bool prefixes : {true, false}) {
    for (const ChangedPrompt& change : stability.changes) {
      if (change.prefix.empty() == prefixes) continue;
      ++all[prefixes ? 0 : 1];
      same[prefixes ? 0 : 1] += change.unchanged ? 1 : 0;
      if (change.unchanged || examples == kMostExamples) continue;
      ++examples;
      text += fmt::format("{:<10} {} -> {}\n", "", shown(change),
                          change.model.empty() ? "no model" : change.model);
    }
  }
  return fmt::format(
             "stable     with {} of {} injected prefixes and {} of {} other "
             "changes\n",
             same[0], all[0], same[1], all[1]) +
         text;
}

void write_stability(base::JsonWriter& json, const Stability& stability) {
  json.begin_object().key("changes").begin_array();
  for (const ChangedPrompt& change : stability.changes) {
    json.begin_object().field("name", change.name);
    if (!change.prefix.empty()) json.field("prefix", change.prefix);
    json.text_or_null("model", change.model);
    json.field("unchanged", change.unchanged).end_object();
  }
  json.end_array().field("unchanged", stability.unchanged).end_object();
}

}  // namespace llmroute::app
