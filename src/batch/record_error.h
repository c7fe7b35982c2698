// Why a line of the input cannot be asked. It becomes a result that keeps the
// line's place, never the end of the batch.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace llmroute::batch {

struct RecordError {
  // Stable, for scripts: bad_json, not_utf8, too_long, unknown_field,
  // missing_field, bad_value, bad_url, unsupported, duplicate_id.
  std::string code;
  std::string message;  // for a person
};

// Nothing: all is well.
using Fault = std::optional<RecordError>;

inline RecordError bad_value(std::string message) {
  return {"bad_value", std::move(message)};
}
inline RecordError unsupported(std::string message) {
  return {"unsupported", std::move(message)};
}

// A string that holds \ud83d without its other half, so is no text.
RecordError half_a_pair(std::string_view field);

}  // namespace llmroute::batch

// LLMROUTE_FAULT(read(...)); passes a fault on to the caller.
#define LLMROUTE_FAULT(expr)                    \
  if (auto found_fault = (expr); found_fault) { \
    return found_fault;                         \
  }
