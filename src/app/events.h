// What happens in a run as lines of JSON, for --format jsonl: `route`,
// `attempt`, `delta` (text), `retry`, `tool_call`, then `done` (the object of
// --json without its text) or `error`. After an `attempt` the text begins anew.
#pragma once

#include <chrono>
#include <string>

#include "app/attempt_plan.h"
#include "app/route.h"

namespace llmroute::app {

std::string route_event(const core::Decision& decision);
std::string attempt_event(const Attempt& asked);
// `next`: who is asked then; may be the same.
std::string retry_event(const Attempt& failed, const core::Candidate& next,
                        std::chrono::milliseconds wait);
std::string tool_call_event(const core::ToolCall& call);
std::string error_event(const base::Error& error);

}  // namespace llmroute::app
