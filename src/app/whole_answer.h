// Whether a complete reply is a whole answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "app/options.h"
#include "base/result.h"
#include "core/decision.h"
#include "core/reply.h"

namespace llmroute::app {

// One that is empty, filtered, refused or cut by a limit that the user did not
// set is not, as far as `fail_on` says: kIncomplete; nor is one that another
// model gave. kNegative: it has no known cost. `own_limit`: the user's.
base::Status whole_answer(const core::Reply& reply, const core::Candidate& by,
                          const std::optional<int64_t>& own_limit,
                          const FailOn& fail_on = {});

// The same of an answer of which no more is known than whether its limit was
// the user's.
base::Status whole_answer(const core::Reply& reply, bool own_limit,
                          const FailOn& fail_on);

// Whether what a provider says that served is the model with this id: the name
// alone, in any letter case, or with a date or number behind it
// ("gpt-4o-2024-08-06", "gemini-2.5-flash-001") or ":latest". Nothing said is
// no contradiction.
bool is_same_model(std::string_view id, std::string_view served);

}  // namespace llmroute::app
