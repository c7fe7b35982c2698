// From a request and the rule that takes it to the exact bytes of the reply.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stub/body.h"
#include "stub/dialect.h"

namespace llmroute::stub {

struct Plan {
  std::string head;  // all bytes before the body
  Framing framing = Framing::kLength;
  std::vector<Piece> body;
  int64_t delay_us = 0;  // before the head
  int64_t status = 200;
  bool keep_alive = true;
  bool streamed = false;
  // What is owed once the answer is complete; nothing: the reply is no answer.
  std::optional<Usage> usage;
};

struct Settings {
  uint64_t seed = 0;
  int64_t word_delay_us = 0;  // between the deltas of the offline model
  std::vector<std::string> models;
};

// Null where neither path nor rule names a dialect.
const Dialect* dialect_of(const Request& request, const Reply& reply);

// `number` counts requests from 1.
Plan compose(const Request& request, const Ask& ask, const Reply& reply,
             const Settings& settings, uint64_t number);

}  // namespace llmroute::stub
