// Decisions as they were recorded, with what came of them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "store/database.h"
#include "store/rows.h"

namespace llmroute::store {

struct TakenDecision {
  DecisionRow row;
  int64_t cost_pico = 0;  // of all its attempts, known or likely
  // Of the attempt that answered.
  Integer input_tokens, output_tokens, cached_tokens, cache_write_tokens;
};

// Calls `visit` for every decision from `first` to `last`, ids or beginnings of
// ids, in their order.
base::Status each_taken(
    Database& database, const std::string& first, const std::string& last,
    const std::function<base::Status(const TakenDecision&)>& visit);

}  // namespace llmroute::store
