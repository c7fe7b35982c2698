// From a line of the input to a record that is asked, refused or replayed.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/batch_record.h"
#include "app/batch_run.h"
#include "app/input.h"

namespace llmroute::app {
namespace {

using base::Status;

// Records that may be between admission and output, and the bytes of their
// lines, or of results that wait for an earlier one.
constexpr size_t kWindow = 256;
constexpr size_t kAhead = 256;  // of them, beyond those being asked
constexpr size_t kWindowBytes = size_t{64} << 20;

// What a person can do if the input does not fit the journal.
std::string ways_on(const char* put_back, const BatchParts& parts) {
  return fmt::format(
      "{}, or have everything asked again, at full cost: with --force{}, or "
      "after removing '{}'",
      put_back, parts.lines.can_be_reread() ? "" : " and the input as a file",
      parts.journal->path());
}

base::Error changed_line(int64_t line, const BatchParts& parts) {
  return {base::ErrorKind::kData,
          fmt::format("line {} of the input is not what it was when its result "
                      "was journaled; {} (with --match=id from the first run "
                      "on, lines may move)",
                      line, ways_on("put it back", parts))};
}

base::Error lost_lines(int64_t kept, const BatchParts& parts) {
  const int64_t before = parts.journal->records_before();
  return {base::ErrorKind::kData,
          fmt::format("the input lost lines: of the {} results in the journal "
                      "{} have no line any more; {}",
                      before, before - kept, ways_on("put them back", parts))};
}

}  // namespace

// Reads what there is, as far as there is room for it, and no more than the
// rest of a turn may wait for.
Status BatchRun::admit() {
  input_waits_ = false;
  for (size_t n = 0; n < kWindow && wants_more() && callback_status_; ++n) {
    batch::InputLine line;
    LLMROUTE_TRY(const auto next, parts_.lines.next(line));
    if (next == batch::InputLines::Next::kEnd) {
      input_ended_ = true;
      LLMROUTE_CHECK(check_end());
    } else if (next == batch::InputLines::Next::kWait) {
      input_waits_ = true;
      return {};
    } else {
      LLMROUTE_CHECK(take_line(line));
      LLMROUTE_CHECK(check_errors());
    }
  }
  return {};
}

// That no line is missing which an earlier run has asked. With another
// selection of lines, accepted, some may.
Status BatchRun::check_end() const {
  if (parts_.journal == nullptr || by_id_ || parts_.other_lines ||
      totals_.replayed() == parts_.journal->records_before()) {
    return {};
  }
  return lost_lines(totals_.replayed(), parts_);
}

bool BatchRun::wants_more() const {
  const size_t on_the_way = dispatcher_.running() + dispatcher_.waiting();
  const size_t most =
      std::min(window(), static_cast<size_t>(parts_.options.jobs) + kAhead);
  const bool room = order_.size() < window() && order_.bytes() < kWindowBytes &&
                    bytes_ahead_ < kWindowBytes && on_the_way < most;
  return room && !input_ended_ && !too_dear_ && !dispatcher_.stopped() &&
         !parts_.interrupt.interrupted();
}

size_t BatchRun::window() const {
  return std::max(kWindow, 2 * static_cast<size_t>(parts_.options.jobs));
}

Status BatchRun::take_line(const batch::InputLine& line) {
  ++admitted_;
  line_bytes_ = line.text.size();
  const int64_t place =
      parts_.options.output.unordered ? 0 : order_.take_place();
  batch::Record record = line.too_long
                             ? batch::too_long_record(line.number)
                             : parts_.parser.parse(line.text, line.number);
  bool fresh = true;
  if (!record.error && record.own_id) {
    LLMROUTE_TRY(fresh, ids_.insert(record.id));
  }
  base::Fingerprint input{};
  if (parts_.journal != nullptr) {
    input = base::fingerprint(line.text);
    input_digest_.add(line.number, input);
    LLMROUTE_TRY(auto found, journaled(record, fresh, input));
    if (found) return replay(*std::move(found), place);
  }
  if (!fresh) record.error = batch::duplicate_id(record);
  if (record.error) return refuse(std::move(record), place, input);
  return route(std::move(record), place, input);
}

// What an earlier run has made of it.
base::Result<std::optional<batch::JournalRecord>> BatchRun::journaled(
    const batch::Record& record, bool fresh, const base::Fingerprint& input) {
  if (by_id_) {
    // Of several with an id the first is meant.
    if (!fresh) return std::optional<batch::JournalRecord>();
    LLMROUTE_TRY(auto moved, parts_.journal->find(record.id, input));
    if (moved && moved->line != record.line) {
      moved->out = batch::moved_line(std::move(moved->out),
                                     parts_.journal->head()->run_id,
                                     moved->line, record.line);
      moved->line = record.line;
    }
    return moved;
  }
  LLMROUTE_TRY(auto found, parts_.journal->find(record.line));
  if (!found || found->input == input) return found;
  return changed_line(record.line, parts_);
}

// Its result is put out again.
Status BatchRun::replay(batch::JournalRecord record, int64_t place) {
  totals_.add(record, true);
  return put(place, {std::move(record.out), record.ok});
}

// What cannot be asked is a result as well.
Status BatchRun::refuse(batch::Record record, int64_t place,
                        const base::Fingerprint& input) {
  const batch::Result result = batch::unasked(record);
  if (parts_.options.strict) return not_asked(record);
  batch::JournalRecord journaled;
  journaled.cost = core::Money{};
  return finish(record, place, input, result, std::move(journaled));
}

Status BatchRun::route(batch::Record record, int64_t place,
                       const base::Fingerprint& input) {
  auto decided = decide_record(record, parts_.options, parts_.routed);
  if (!decided &&
      is_of_ceiling(record, parts_.options, parts_.routed, decided.error())) {
    too_dear_ = {std::move(record), decided.error()};
    return {};
  }
  auto item = std::make_unique<BatchItem>();
  Status begun;
  if (decided) {
    item->decision = std::move(decided->decision);
    begun = parts_.ledger.begin(
        *item,
        {record.prompt, item->decision, parts_.routed.decider->circumstances(),
         decided->routing, decided->ceiling, std::nullopt, decided->took});
  }
  if (!decided || !begun) {
    record.error = not_routed(decided ? begun.error() : decided.error());
    return refuse(std::move(record), place, input);
  }
  item->place = place;
  item->input = input;
  item->decision.excluded.clear();
  if (!item->decision.prompt_template.empty()) {
    item->templated =
        apply_template(record.prompt, item->decision.prompt_template);
  }
  item->bytes = line_bytes_;
  bytes_ahead_ += item->bytes;
  item->record = std::move(record);
  dispatcher_.add(std::move(item));
  return {};
}

}  // namespace llmroute::app
