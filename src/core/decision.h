// A decision: candidates in order, with the reason for each number.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/analysis.h"
#include "core/config.h"
#include "core/model.h"

namespace llmroute::core {

enum class Source { kFlag, kEnv, kRecord, kRule, kAnalyzer, kDefault };
std::string_view source_name(
    Source source);  // "flag", "env", "rule", "analyzer", "default"

// worth(m) = worth * P(good) - cost - wait * seconds, all in dollars.
struct Candidate {
  const Model* model = nullptr;        // borrowed from Config
  const Provider* provider = nullptr;  // borrowed from Config
  double good = 0;                     // P(m answers well), 0..1
  std::optional<Money> cost;           // expected; nothing: price unknown
  std::optional<Money>
      worst_cost;             // input bound and output cap at the dearest price
  int64_t input_tokens = 0;   // estimated
  int64_t output_tokens = 0;  // expected
  int64_t output_needed = 0;  // room an answer should have
  std::optional<int64_t> output_cap;  // sent as the limit
  double seconds = 0;                 // expected until the answer is complete
  // The same by the registry alone, and as it was last measured.
  double seconds_listed = 0, seconds_measured = 0;
  int64_t calls = 0;                  // that it was measured in
  int64_t failed = 0;                 // of them
  std::optional<int64_t> failed_ago;  // seconds, if the last of them failed
  double learned = 0;          // from verdicts; added to the logit of `good`
  double listed_good = 0;      // `good` without that
  int64_t verdicts = 0;        // on the model in this cell
  double propensity = 0;       // of being chosen, where chance had a say
  double worth = 0;            // dollars
  double per_good_answer = 0;  // (cost + wait * seconds) / good, dollars
};

// Gates in the order in which they are tried; a model is excluded by the first
// that it does not pass.
enum class Gate {
  kName,    // --allow, --deny, a rule's allow or deny
  kTag,     // required capability or place
  kTier,    // tier clamps
  kKey,     // no key for the provider
  kDown,    // local server not running, model not pulled
  kHeld,    // its breaker is open, or it asked to wait
  kWindow,  // prompt and answer do not fit
  kBudget,  // worst case above the ceiling, or no price under one
};

struct Exclusion {
  const Model* model = nullptr;
  Gate gate = Gate::kName;
  std::string reason;  // one: "key missing (OPENAI_API_KEY)", "denied by
                       // --deny", "window 8k < 9.1k needed"
};

struct RuleTrace {
  const Rule* rule = nullptr;  // borrowed from Config
  bool matched = false;
  std::string why;  // "matched", "no match: pattern", "not reached"
  // What its conditions on text found, where it has such.
  std::optional<bool> pattern_matched, file_matched;
};

struct Decision {
  std::string requested;  // "auto", or what -m or -r named
  std::string route;
  Source source = Source::kAnalyzer;
  std::optional<std::string> rule;  // name of the rule that acted
  std::string profile;
  Worth worth;
  Analysis analysis;
  double difficulty_used =
      0;  // analysis.difficulty, raised where confidence is low
  std::string prompt_template;  // of the route or rule; empty: none
  bool no_fallback = false;     // only the first may be asked
  bool hedge = false;           // as the route's
  // A rule that could have acted reads text that was not there.
  bool undecided = false;
  bool explored = false;  // chance could have its say
  Selection selection = Selection::kBest;
  std::vector<Candidate> candidates;  // best first; the first is chosen
  size_t appended = 0;  // the last of them are there by --fallback alone
  std::vector<Exclusion> excluded;
  std::string remedy;  // what may help where all are excluded; often empty
  std::vector<RuleTrace> rules;
  std::vector<std::string> notes;  // for a person: "price of model x is
                                   // unknown", "shown as if keys were set"

  // Who may be asked, in order.
  std::span<const Candidate> chain() const {
    return std::span(candidates)
        .first(no_fallback ? std::min<size_t>(1, candidates.size())
                           : candidates.size());
  }
  bool has_excluded(Gate gate) const {
    return std::ranges::find(excluded, gate, &Exclusion::gate) !=
           excluded.end();
  }
};

}  // namespace llmroute::core
