#include "app/batch_record.h"

#include <poll.h>

#include <algorithm>

#include "core/exit_status.h"
#include "routing/router.h"

namespace llmroute::app {
namespace {

void complete(batch::Record& record, const BatchOptions& options) {
  core::Prompt& prompt = record.prompt;
  if (prompt.system.empty()) prompt.system = options.input.system.value_or("");
  core::Parameters& parameters = prompt.parameters;
  const RequestOptions& request = options.request;
  if (!parameters.max_tokens) parameters.max_tokens = request.max_tokens;
  if (!parameters.temperature) parameters.temperature = request.temperature;
  if (parameters.stop.empty()) parameters.stop = request.stop;
  if (!parameters.seed) parameters.seed = request.seed;
  parameters.extra.insert(parameters.extra.end(), request.extra.begin(),
                          request.extra.end());
  if (options.input.reroute) record.overrides.model.reset();
}

// What one request may cost at the most: its own ceiling, and the batch's.
std::optional<core::Money> ceiling_of(const batch::Record& record,
                                      const BatchOptions& options) {
  const auto& own = record.overrides.max_cost;
  if (!options.limits.max_cost) return own;
  const auto whole = core::parse_usd(*options.limits.max_cost);
  return own && whole ? std::min(own, whole) : whole;
}

}  // namespace

base::Result<core::Decision> decide_record(batch::Record& record,
                                           const BatchOptions& options,
                                           const Routed& routed) {
  complete(record, options);
  LLMROUTE_TRY(
      core::Decision decision,
      routed.decider->decide(
          record.prompt, batch::routing_of(record.overrides, options.routing),
          ceiling_of(record, options)));
  if (decision.candidates.empty()) return routing::no_candidate(decision);
  if (record.overrides.model || record.overrides.route) {
    decision.source = core::Source::kRecord;
  }
  return decision;
}

base::Status check_routing_options(const BatchOptions& options,
                                   const Routed& routed) {
  batch::Record any;
  any.prompt.messages.push_back({core::Role::kUser, "x"});
  const auto decision = decide_record(any, options, routed);
  if (decision) return {};
  const base::ErrorKind kind = decision.error().kind;
  const bool whole =
      kind == base::ErrorKind::kUsage || kind == base::ErrorKind::kNoPermission;
  return whole ? decision.error() : base::Status();
}

batch::RecordError not_routed(const base::Error& error) {
  return {core::exit_status_code(core::exit_status(error.kind)), error.message};
}

void wait_for_input(int fd) {
  pollfd one{fd, POLLIN, 0};
  ::poll(&one, 1, -1);
}

}  // namespace llmroute::app
