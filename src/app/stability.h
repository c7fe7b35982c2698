// Whether a prompt would go to the same model had somebody else typed it: it is
// decided anew, as the prompt itself was, for each change of
// learning/perturb.h.
#pragma once

#include <string>
#include <vector>

#include "app/route.h"
#include "base/json_writer.h"
#include "base/result.h"

namespace llmroute::app {

struct ChangedPrompt {
  std::string name;    // of the change
  std::string prefix;  // put in front; empty: another kind of change
  std::string model;   // that would be chosen; empty: none would do
  bool unchanged = false;
};

struct Stability {
  std::vector<ChangedPrompt> changes;
  double unchanged = 0;  // share of them
};

// The instruction is changed, the context is not. Same prompt, same result.
// REQUIRES: the decision has a candidate.
base::Result<Stability> measure_stability(const Routed& routed);

// "stable     with 18 of 20 injected prefixes ...", then examples of those that
// lead elsewhere.
std::string stability_lines(const Stability& stability);

// The value of a key.
void write_stability(base::JsonWriter& json, const Stability& stability);

}  // namespace llmroute::app
