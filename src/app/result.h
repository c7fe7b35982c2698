// What a run tells about itself: the JSON object of --json, and the lines of
// --show-route, --stats and --dry-run.
#pragma once

#include <string>

#include "app/attempt.h"
#include "app/route.h"
#include "base/json_writer.h"

namespace llmroute::app {

// One object, schema "llmroute.result/1", with a final newline; fields are only
// ever added. `id`: of the decision, as in the ledger. `error`: null, or why
// the result is not a whole answer.
std::string result_json(const std::string& id, const Routed& routed,
                        const Answered& answered, const base::Error* error);
// The same without its text, as the event `done`.
std::string done_event(const std::string& id, const Routed& routed,
                       const Answered& answered, const base::Error* error);

// What a program may want to know of a run that failed, for Error::facts.
// REQUIRES: at least one attempt.
std::string error_facts(const Answered& answered, size_t printed_bytes);
// "code", "exit", "retryable", the facts (null where there are none) and
// "message", redacted, of one line.
void write_error_members(base::JsonWriter& json, const base::Error& error);

// What the same tokens would have cost on the candidate of the highest general
// ability: what a user without a router might have asked.
std::optional<core::Money> strongest_cost(const core::Decision& decision,
                                          const core::Usage& usage);

// The same on the cheapest: what always asking for the least would have cost.
std::optional<core::Money> cheapest_cost(const core::Decision& decision,
                                         const core::Usage& usage);

std::string route_line(const core::Decision& decision);
// Of the answer; of more than one attempt also what all of them cost.
std::string stats_line(const std::string& id, const Answered& answered);

// The request that would be sent, its model and what it is estimated to cost.
// `sent`: the prompt after templates.
std::string dry_run_text(const Routed& routed, const core::Prompt& sent);

}  // namespace llmroute::app
