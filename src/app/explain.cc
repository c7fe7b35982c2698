#include "app/explain.h"

#include "app/expectation.h"
#include "app/explain_records.h"
#include "app/explanation.h"
#include "app/messages.h"
#include "app/output.h"
#include "app/route.h"
#include "app/stability.h"
#include "app/terminal.h"
#include "base/terminal_text.h"
#include "base/text.h"
#include "routing/router.h"

namespace llmroute::app {
namespace {

using base::Result;
using core::ExitStatus;

base::Status check_records_only(const ExplainOptions& options) {
  if (!options.input.prompt && !options.why_not) return {};
  return base::Error{base::ErrorKind::kUsage,
                     "--jsonl reads records from files or standard input; a "
                     "prompt and --why-not go without it"};
}

}  // namespace

Result<ExitStatus> explain(const ExplainOptions& options,
                           const base::Environment& environment) {
  const Messages messages(options.messages);
  LLMROUTE_TRY(const std::vector<Expectation> expectations,
               parse_expectations(options.expect));
  if (options.diff && !options.jsonl) {
    return base::Error{base::ErrorKind::kUsage,
                       "--diff compares decisions about records: --jsonl"};
  }
  if (options.jsonl) {
    LLMROUTE_CHECK(check_records_only(options));
    return explain_records(options, expectations, environment, messages);
  }
  LLMROUTE_TRY(const Routed routed,
               route_prompt({options.config, options.input, options.routing,
                             options.request, options.limits, Asker::kExplain,
                             false, &options.ledger},
                            environment, messages));
  const size_t most_features =
      options.format == Format::kJson ? kJsonContributions : 12;
  Explanation explanation = explain_decision(routed, most_features);
  explanation.timing = !options.no_timing;
  if (options.why_not) {
    LLMROUTE_TRY(explanation.why_not, why_not(*options.why_not, routed));
  }
  if (options.messages.verbose > 0 && !routed.decision.candidates.empty()) {
    LLMROUTE_TRY(explanation.stability, measure_stability(routed));
  }
  if (options.format == Format::kJson) {
    LLMROUTE_CHECK(print_text(explanation_json(explanation)));
  } else {
    std::string text = explanation_text(explanation);
    if (stdout_is_terminal()) text = base::visible_text(text);
    text = fitted_to_screen(text, kLabelColumns);
    if (colors_stdout(options.messages)) text = with_bold_labels(text);
    LLMROUTE_CHECK(print_document(text));
  }
  if (routed.decision.candidates.empty()) {
    return no_candidate(routed);
  }
  LLMROUTE_CHECK(
      check_expectations(routed.decision, *routed.config, expectations));
  return ExitStatus::kOk;
}

}  // namespace llmroute::app
