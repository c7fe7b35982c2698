// An explained decision as text for a person or as JSON (schema
// "llmroute.explain/1", fields only ever added).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/route.h"
#include "app/stability.h"
#include "app/why_not.h"
#include "core/analysis.h"
#include "routing/flips.h"

namespace llmroute::app {

struct Explanation {
  const Routed& routed;
  std::vector<core::Contribution> contributions;
  std::optional<Stability> stability;  // only if it was asked for
  std::vector<routing::Flip> flips;
  std::optional<WhyNot> why_not;  // only if it was asked for
  bool timing = true;  // false: leave out what differs between identical calls
};

// Most lines begin with a label, which takes so many columns.
inline constexpr size_t kLabelColumns = 11;

// Borrows `routed`.
Explanation explain_decision(const Routed& routed, size_t most_contributions);

inline constexpr size_t kJsonContributions = 24;
std::string explanation_text(const Explanation& explanation);
std::string explanation_json(const Explanation& explanation);

}  // namespace llmroute::app
