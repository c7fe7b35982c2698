// Rules: conditions on a prompt, compiled once. All patterns are matched as one
// set, in time linear in the text.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/analysis.h"
#include "core/config.h"
#include "core/decision.h"
#include "core/prompt.h"
#include "routing/evidence.h"

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
  const core::Rule* rule = nullptr;     // the first that matched; null: none
  std::vector<core::RuleTrace> traces;  // every rule, in order
  // Whether one in front of it may have matched: the evidence does not say.
  bool undecided = false;
};

// Immutable; safe to share between threads. Borrows the rules.
class RuleSet {
 public:
  // A pattern that RE2 refuses (or that compiles to more than 8 MiB): kConfig
  // with file and line.
  static base::Result<RuleSet> compile(const std::vector<core::Rule>& rules);
  RuleSet(RuleSet&&) noexcept;
  RuleSet& operator=(RuleSet&&) noexcept;
  ~RuleSet();

  RuleMatch match(const Facts& facts) const;

 private:
  struct Patterns;
  RuleSet(const std::vector<core::Rule>& rules,
          std::unique_ptr<Patterns> patterns);
  const std::vector<core::Rule>* rules_;
  std::unique_ptr<Patterns> patterns_;
};

}  // namespace llmroute::routing
