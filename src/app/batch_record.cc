#include "app/batch_record.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "app/ceilings.h"
#include "core/exit_status.h"
#include "core/needs.h"
#include "routing/estimate.h"
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

constexpr std::string_view kWholeBatch = "--max-cost";

// What one request may cost at the most: by its own ceiling, the batch's, and
// those of its tags.
std::optional<LeastCeiling> ceiling_of(const batch::Record& record,
                                       const core::RoutingOptions& routing,
                                       const BatchOptions& options,
                                       const core::Config& config) {
  std::optional<LeastCeiling> least = least_ceiling(config, routing.tags);
  const auto lower = [&least](const std::optional<core::Money>& limit,
                              std::string_view name) {
    if (!limit || (least && least->limit < *limit)) return;
    least = {*limit, std::string(name)};
  };
  lower(record.overrides.max_cost, "the record's max_cost");
  lower(options.limits.max_cost, kWholeBatch);
  return least;
}

base::Status check_extra(const batch::Record& record) {
  const std::string name = costly_field(record.prompt.parameters.extra);
  if (name.empty()) return {};
  return not_bounded(base::ErrorKind::kData, "'" + name + "'");
}

}  // namespace

base::Result<DecidedRecord> decide_record(batch::Record& record,
                                          const BatchOptions& options,
                                          const Routed& routed) {
  DecidedRecord decided;
  const auto start = std::chrono::steady_clock::now();
  LLMROUTE_CHECK(decide_record(record, options, routed, decided));
  decided.took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  return decided;
}

base::Status decide_record(batch::Record& record, const BatchOptions& options,
                           const Routed& routed, DecidedRecord& decided) {
  complete(record, options);
  decided.routing = options.routing;
  batch::override_routing(record.overrides, decided.routing);
  for (std::string& need : core::needs_of(record.prompt)) {
    decided.routing.require.push_back(std::move(need));
  }
  const std::optional<LeastCeiling> ceiling =
      ceiling_of(record, decided.routing, options, *routed.config);
  decided.ceiling = ceiling ? std::optional(ceiling->limit) : std::nullopt;
  const bool bounded = decided.ceiling || options.run_ceiling;
  if (bounded && !options.routing.allow_unpriced) {
    LLMROUTE_CHECK(check_extra(record));
  }
  LLMROUTE_CHECK(routed.decider->decide(record.prompt, decided.routing,
                                        decided.ceiling, decided.decision));
  if (!decided.decision.candidates.empty()) return {};
  base::Error error = routing::no_candidate(decided.decision);
  if (error.kind == base::ErrorKind::kBudget && ceiling) {
    error.message += "; the ceiling is " + ceiling->name;
  }
  return error;
}

std::optional<core::Money> least_needed(batch::Record record,
                                        const BatchOptions& options,
                                        const Routed& routed,
                                        const BatchTotals& totals) {
  BatchOptions free = options;
  free.limits.max_cost.reset();
  auto decided = decide_record(record, free, routed);
  if (!decided) return std::nullopt;
  for (core::Candidate& one : decided->decision.candidates) {
    expect_length(one, totals);
    const auto least = routing::least_cost(one, record.prompt);
    if (least) return least;
  }
  return std::nullopt;
}

void expect_length(core::Candidate& candidate, const BatchTotals& totals) {
  candidate.output_needed = std::max(
      candidate.output_needed, totals.longest_answer(candidate.model->name));
}

base::Status check_routing_options(const BatchOptions& options,
                                   const Routed& routed) {
  batch::Record any;
  any.prompt.messages.push_back({core::Role::kUser, "x"});
  const auto decided = decide_record(any, options, routed);
  if (decided) return {};
  const base::ErrorKind kind = decided.error().kind;
  const bool whole =
      kind == base::ErrorKind::kUsage || kind == base::ErrorKind::kNoPermission;
  return whole ? decided.error() : base::Status();
}

batch::RecordError not_routed(const base::Error& error) {
  return {core::exit_status_code(core::exit_status(error.kind)), error.message};
}

bool is_of_ceiling(const batch::Record& record, const BatchOptions& options,
                   const Routed& routed, const base::Error& error) {
  if (error.kind != base::ErrorKind::kBudget) return false;
  core::RoutingOptions routing = options.routing;
  batch::override_routing(record.overrides, routing);
  const auto least = ceiling_of(record, routing, options, *routed.config);
  return least && least->name == kWholeBatch;
}

base::Error not_asked(const batch::Record& record) {
  return {base::ErrorKind::kData,
          fmt::format("line {}: {} (--strict)", record.line,
                      record.error->message)};
}

void wait_for_input(int fd) {
  pollfd one{fd, POLLIN, 0};
  ::poll(&one, 1, -1);
}

}  // namespace llmroute::app
