// Whether an answer will do: that it is whole, that it fits the schema
// (--schema), and what a command says by its exit status that reads it on stdin
// (--check).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "app/options.h"
#include "base/result.h"
#include "core/config.h"
#include "core/decision.h"
#include "core/json_schema.h"
#include "core/reply.h"
#include "provider/call.h"

namespace llmroute::app {

struct Verdict {
  bool accepted = false;
  base::Error why;  // REQUIRES: !accepted
  // The command could not say, and would not of another answer.
  bool unsure = false;
  // What is to be learned of the model, where a command judged.
  std::optional<bool> quality;
};

// Says it of one answer; may be empty: every one will do.
using Check =
    std::function<Verdict(const core::Reply& reply, const core::Candidate& by)>;

// What the options ask for, empty if nothing. Borrows them, the schema and the
// limits. Thread-safe.
Check answer_check(const RunOptions& options,
                   const std::optional<core::JsonSchema>& schema,
                   const core::Limits& limits, provider::Cancel cancel);

// Whether the answer's text is JSON that fits; kData. `extract`: a block of it
// must.
base::Status fits_schema(const core::JsonSchema& schema,
                         const core::Reply& reply, bool extract);
// The same of a schema's text.
base::Status fits_schema(const std::string& schema, const core::Reply& reply);

// Text and calls, as they are printed.
std::string answer_text(const core::Reply& reply);

// Runs `command` by /bin/sh -c, with the environment and the limits that exec
// providers have. Thread-safe.
Verdict check_answer(const std::string& command, const std::string& answer,
                     const core::Limits& limits,
                     const provider::Cancel& cancel);

}  // namespace llmroute::app
