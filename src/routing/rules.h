// Rules: conditions on a prompt, compiled once. All patterns are looked for
// together, in time linear in the text.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/analysis.h"
#include "core/config.h"
#include "core/decision.h"
#include "core/prompt.h"
#include "routing/evidence.h"
#include "routing/pattern_set.h"

namespace llmroute::routing {

// What rules may ask about.
struct Facts {
  const core::Prompt& prompt;
  const core::Analysis& analysis;
  int64_t input_tokens = 0;
  const std::map<std::string, std::string>& tags;
  const Evidence* evidence = nullptr;  // in place of the prompt's text
};

struct RuleMatch {
  const core::Rule* rule = nullptr;  // the first that matched; null: none
  // Whether one in front of it may have matched: the evidence does not say.
  bool undecided = false;
};

// Immutable; safe to share between threads. Borrows the rules.
class RuleSet {
 public:
  // A pattern that RE2 refuses: kConfig with file and line. That its program is
  // not too large was seen when the configuration was read.
  static base::Result<RuleSet> compile(const std::vector<core::Rule>& rules);

  // `traces`: of every rule, in order; empty before.
  RuleMatch match(const Facts& facts,
                  std::vector<core::RuleTrace>& traces) const;

 private:
  RuleSet(const std::vector<core::Rule>& rules, PatternSet patterns);
  const std::vector<core::Rule>* rules_;
  PatternSet patterns_;  // of the rules that have one, in order
};

}  // namespace llmroute::routing
