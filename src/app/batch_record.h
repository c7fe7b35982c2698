// What a batch asks of a record before anything is sent: the run's options for
// what it leaves open, and its decision.
#pragma once

#include <chrono>
#include <optional>

#include "app/batch_totals.h"
#include "app/options.h"
#include "app/route.h"
#include "base/result.h"
#include "batch/input_lines.h"
#include "batch/record.h"
#include "core/decision.h"
#include "core/routing_options.h"

namespace llmroute::app {

struct DecidedRecord {
  core::Decision decision;
  core::RoutingOptions routing;        // of the run, with the record's own
  std::optional<core::Money> ceiling;  // of this request
  std::chrono::microseconds took{0};
};

// Fills in what the options say of records that say nothing themselves, then
// decides as `run` would. At least one candidate; else the error of
// Router::decide() or no_candidate().
base::Result<DecidedRecord> decide_record(batch::Record& record,
                                          const BatchOptions& options,
                                          const Routed& routed);
// The same into `decided`, whatever it held: its memory is used again. It is
// not timed.
base::Status decide_record(batch::Record& record, const BatchOptions& options,
                           const Routed& routed, DecidedRecord& decided);

// What a ceiling of the batch must pay for so that the record, already decided
// or refused, is asked of whom it would be asked without one.
std::optional<core::Money> least_needed(batch::Record record,
                                        const BatchOptions& options,
                                        const Routed& routed,
                                        const BatchTotals& totals);
// An answer should have the room that others of the batch have needed.
void expect_length(core::Candidate& candidate, const BatchTotals& totals);

// A name in the options that nobody knows, and no key for anybody, are errors
// of the command and not of every record.
base::Status check_routing_options(const BatchOptions& options,
                                   const Routed& routed);

// That error as the record's own.
batch::RecordError not_routed(const base::Error& error);
// Whether it is the batch's end: not even the whole ceiling pays for one such
// record. Not if a limit of its own, of its tags or of a day is the lower one.
bool is_of_ceiling(const batch::Record& record, const BatchOptions& options,
                   const Routed& routed, const base::Error& error);
// --strict: why a record that cannot be asked ends the batch.
base::Error not_asked(const batch::Record& record);

// Blocks until there is something to read.
void wait_for_input(int fd);

// Calls visit(line) for every line, waiting where none is there yet, until the
// end or the first error.
template <class Visit>
base::Status for_each_line(batch::InputLines& lines, const Visit& visit) {
  batch::InputLine line;
  for (;;) {
    LLMROUTE_TRY(const auto next, lines.next(line));
    if (next == batch::InputLines::Next::kEnd) return {};
    if (next == batch::InputLines::Next::kWait) {
      wait_for_input(lines.fd());
    } else {
      LLMROUTE_CHECK(visit(line));
    }
  }
}

// The record of a line, whatever it is.
inline batch::Record record_of(const batch::InputLine& line,
                               batch::RecordParser& parser) {
  return line.too_long ? batch::too_long_record(line.number)
                       : parser.parse(line.text, line.number);
}

}  // namespace llmroute::app
