// The body of a reply as pieces in time, with the odd ones a rule asks for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stub/dialect.h"

namespace llmroute::stub {

struct Piece {
  std::string bytes;
  int64_t repeat = 1;
  int64_t delay_us = 0;    // before each repetition
  int64_t text_bytes = 0;  // of answer text in it
  bool is_delta = false;
};

// How long to wait before the first delta and between deltas.
struct Pace {
  int64_t first_us = 0, between_us = 0;
};

std::vector<Piece> stream_body(const Dialect& dialect, const Answer& answer,
                               const Reply& reply, Pace pace);
std::vector<Piece> whole_body(const Dialect& dialect, const Answer& answer,
                              const Reply& reply);

}  // namespace llmroute::stub
