// From an answer, or none, to a line of the journal and of the output.
#include <utility>

#include "app/attempt_error.h"
#include "app/batch_run.h"
#include "app/result.h"
#include "app/whole_answer.h"
#include "base/clock.h"
#include "core/exit_status.h"

namespace llmroute::app {
namespace {

using base::Status;

constexpr std::string_view kDuplicateId = "duplicate_id";

// Nobody answered: an error in the record's place.
batch::Result failed_result(const Answered& answered) {
  const base::Error error = failed(answered, 0);
  const core::Failure& last = *answered.attempts.back().failure;
  batch::Result result;
  result.error = batch::ResultError{
      core::exit_status_code(core::exit_status(error.kind)),
      redacted(error.message), error.kind == base::ErrorKind::kTryLater,
      last.http_status, answered.by->provider->name};
  return result;
}

batch::JournalRecord journal_record(const BatchItem& item,
                                    const batch::Result& result,
                                    const core::Candidate& by) {
  batch::JournalRecord record;
  record.model = by.model->name;
  record.provider = by.provider->name;
  if (!item.cost_unknown) {
    record.cost = item.spent;
    for (const auto& [model, spent] : item.spent_on) {
      if (model == by.model) continue;
      core::Money& share = record.earlier[model->name];
      share += spent;
    }
  }
  record.cost_estimated = item.cost_estimated;
  record.attempts = result.attempts;
  record.ms = result.ms.value_or(0);
  return record;
}

}  // namespace

void BatchRun::finished(std::unique_ptr<BatchItem> item, Answered answered) {
  const core::Candidate& by = *answered.by;
  bytes_ahead_ -= item->bytes;
  batch::Result result;
  batch::JournalRecord journaled;
  auto ending = core::ExitStatus::kOk;
  if (answered.reply) {
    const Status good =
        answered.rejected
            ? *answered.rejected
            : whole_answer(*answered.reply, by,
                           item->record.prompt.parameters.max_tokens);
    result.reply = *std::move(answered.reply);
    repaired_ += result.reply.repaired_utf8 ? 1 : 0;
    if (!good) {
      ending = core::exit_status(good.error().kind);
      const bool misfit = good.error().kind == base::ErrorKind::kData;
      result.error =
          batch::ResultError{misfit ? core::exit_status_code(ending)
                                    : std::string(batch::kIncomplete),
                             good.error().message,
                             false,
                             0,
                             by.provider->name,
                             true};
    }
  } else {
    result = failed_result(answered);
    ending = core::exit_status(failed(answered, 0).kind);
  }
  if (!item->cost_unknown) result.cost = item->spent;
  result.cost_estimated = item->cost_estimated && result.cost;
  result.routed = item->decision.candidates.front().model->name;
  result.provider = by.provider->name;
  result.route = item->decision.route;
  result.source = core::source_name(item->decision.source);
  result.attempts =
      static_cast<int>(answered.attempts.size()) + item->uncounted;
  if (parts_.options.output.timing) {
    result.ms = item->asked.count();
    result.created = std::chrono::duration_cast<std::chrono::seconds>(
                         base::wall_now().time_since_epoch())
                         .count();
  }
  journaled = journal_record(*item, result, by);
  if (answered.reply || result.reply.usage.complete()) {
    journaled.strongest = strongest_cost(item->decision, result.reply.usage);
  }
  store::DecisionRow& row = item->recorded.decision;
  row.exit = static_cast<int>(ending);
  if (result.has_reply()) {
    row.finish = core::finish_name(result.reply.finish);
    row.answer_bytes = static_cast<int64_t>(result.reply.bytes());
  }
  row.ms = item->asked.count();
  parts_.ledger.end(*item);
  const Status status = finish(item->record, item->place, item->input, result,
                               std::move(journaled));
  if (!status && callback_status_) callback_status_ = status;
}

// Journal first, then the output: a result counts once it is journaled.
Status BatchRun::finish(const batch::Record& record, int64_t place,
                        const base::Fingerprint& input,
                        const batch::Result& result,
                        batch::JournalRecord journaled) {
  journaled.line = record.line;
  journaled.input = input;
  journaled.id = record.id;
  journaled.ok = !result.error;
  journaled.error_code = result.error ? result.error->code : "";
  journaled.input_tokens = result.reply.usage.input;
  journaled.output_tokens = result.reply.usage.output;
  totals_.add(journaled, false);
  batch::FinishedLine line{batch::result_line(record, result, result_options_),
                           journaled.ok};
  // Found by id, a duplicate would be taken for the first; it costs nothing.
  const bool found_again = by_id_ && journaled.error_code == kDuplicateId;
  if (parts_.journal != nullptr && !found_again) {
    journaled.out = line.text;
    LLMROUTE_CHECK(parts_.journal->append(std::move(journaled)));
  }
  return put(place, std::move(line));
}

Status BatchRun::put(int64_t place, batch::FinishedLine line) {
  if (parts_.options.output.unordered) return parts_.output.write(line);
  order_.put(place, std::move(line));
  return write_in_order();
}

// What has been paid for and waits for lines that will not come any more.
Status BatchRun::write_rest() {
  while (order_.size() > 0) {
    order_.skip_unfinished();
    LLMROUTE_CHECK(write_in_order());
  }
  return {};
}

Status BatchRun::write_in_order() {
  while (auto line = order_.next()) {
    LLMROUTE_CHECK(parts_.output.write(*line));
  }
  return {};
}

}  // namespace llmroute::app
