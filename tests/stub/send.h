// Sends a plan, with what a rule does to its bytes on the way.
#pragma once

#include <cstdint>
#include <optional>

#include "stub/compose.h"
#include "stub/connection.h"

namespace llmroute::stub {

struct Sent {
  bool complete = false;  // every planned byte was handed to the kernel
  bool keep_alive = false;
  int64_t head_bytes = 0, body_bytes = 0;  // body: before HTTP framing
  int64_t text_bytes = 0;                  // answer text that has left
  std::optional<int64_t> first_delta_ns;
};

// Ends the connection itself where the plan does; what is left of it otherwise
// is the caller's.
Sent send_plan(Connection& connection, const Plan& plan, const Reply& reply,
               uint64_t seed);

}  // namespace llmroute::stub
