// Whether a complete reply is a whole answer.
#pragma once

#include <cstdint>
#include <optional>

#include "app/options.h"
#include "base/result.h"
#include "core/decision.h"
#include "core/reply.h"

namespace llmroute::app {

// One that is empty, filtered, refused or cut by a limit that the user did not
// set is not, as far as `fail_on` says: kIncomplete. kNegative: it has no known
// cost. `own_limit`: the user's.
base::Status whole_answer(const core::Reply& reply, const core::Candidate& by,
                          const std::optional<int64_t>& own_limit,
                          const FailOn& fail_on = {});

}  // namespace llmroute::app
