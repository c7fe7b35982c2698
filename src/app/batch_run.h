// One batch from its first line to its last: reads records, routes them, has
// them asked, journals what came of it, and writes the results in order.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "app/batch_dispatch.h"
#include "app/batch_ledger.h"
#include "app/batch_output.h"
#include "app/batch_progress.h"
#include "app/batch_totals.h"
#include "app/interrupt.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/route.h"
#include "base/result.h"
#include "batch/budget.h"
#include "batch/id_set.h"
#include "batch/input_lines.h"
#include "batch/journal.h"
#include "batch/order.h"
#include "batch/record.h"
#include "batch/result_line.h"
#include "provider/call_loop.h"

namespace llmroute::app {

// Borrowed by a BatchRun.
struct BatchParts {
  const BatchOptions& options;
  const Routed& routed;  // with a decider
  const base::Environment& environment;
  const Messages& messages;
  const InterruptGuard& interrupt;
  batch::InputLines& lines;
  batch::RecordParser& parser;
  batch::Journal* journal = nullptr;  // null: none
  bool other_lines = false;           // BatchJournal's
  BatchOutput& output;
  BatchLedger& ledger;
  std::string run_id;
  std::string scratch_directory;
};

// One thread.
class BatchRun {
 public:
  explicit BatchRun(const BatchParts& parts);

  // Until every record has its line, or something stopped it; what is journaled
  // stays so that the same command goes on. Publishing is the caller's.
  base::Status run();
  const BatchTotals& totals() const { return totals_; }
  // Of all that was read, if there is a journal.
  const batch::InputDigest& input() const { return input_digest_; }
  const BatchProgress& progress() const { return progress_; }

 private:
  using Time = BatchItem::Time;

  // The loop: batch_run.cc.
  DispatchLimits dispatch_limits() const;
  base::Status run_all();
  base::Status turn();
  base::Status wait(Time now);
  base::Status flush();
  base::Status sync_if_due();
  base::Status check_errors() const;
  void warn_of_ceiling();
  bool idle() const {  // nothing is asked or waits to be
    return dispatcher_.running() + dispatcher_.waiting() == 0;
  }
  bool over() const { return input_ended_ && idle(); }
  BatchState state(Time now) const;
  std::optional<int64_t> expected() const;
  base::Status drain();
  void tell_patience() const;
  base::Status write_rest();
  void cancel_all();

  // What comes in: batch_admit.cc.
  base::Status admit();
  bool wants_more() const;
  size_t window() const;
  base::Status take_line(const batch::InputLine& line);
  base::Status check_end() const;
  base::Result<std::optional<batch::JournalRecord>> journaled(
      const batch::Record& record, bool fresh, const base::Fingerprint& input);
  base::Status replay(batch::JournalRecord record, int64_t place);
  base::Status refuse(batch::Record record, int64_t place,
                      const base::Fingerprint& input);
  base::Status route(batch::Record record, int64_t place,
                     const base::Fingerprint& input);

  // What goes out: batch_finish.cc.
  void finished(std::unique_ptr<BatchItem> item, Answered answered);
  base::Status finish(const batch::Record& record, int64_t place,
                      const base::Fingerprint& input,
                      const batch::Result& result,
                      batch::JournalRecord journaled);
  base::Status put(int64_t place, batch::FinishedLine line);
  base::Status write_in_order();

  const BatchParts parts_;
  batch::ResultOptions result_options_;
  batch::Budget budget_;
  // Owns what calls refer to, so it goes after them.
  BatchDispatcher dispatcher_;
  provider::CallLoop calls_;
  batch::IdSet ids_;
  batch::Order order_;
  BatchTotals totals_;
  BatchProgress progress_;
  int64_t admitted_ = 0;  // records
  batch::InputDigest input_digest_;
  const bool by_id_;  // what is journaled is found by id, not by line
  bool input_ended_ = false;
  bool input_waits_ = false;  // no whole line yet
  // A record that the whole ceiling does not pay for, and why: nothing is read
  // behind it.
  std::optional<std::pair<batch::Record, base::Error>> too_dear_;
  bool warned_of_ceiling_ = false;
  size_t line_bytes_ = 0;   // of the line that is taken
  size_t bytes_ahead_ = 0;  // of the lines of records that have no result yet
  int64_t repaired_ = 0;    // answers that held invalid UTF-8
  base::Status callback_status_;  // the first failure there
};

}  // namespace llmroute::app
