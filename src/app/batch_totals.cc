#include "app/batch_totals.h"

#include <algorithm>
#include <utility>

namespace llmroute::app {
namespace {

// Keeps the first few by `less`, largest first.
template <class Less>
void keep_largest(std::vector<NotableRecord>& kept, const NotableRecord& record,
                  Less less) {
  const bool full = kept.size() == BatchTotals::kNotable;
  if (full && !less(kept.back(), record)) return;
  if (full) kept.pop_back();
  const auto at = std::find_if(
      kept.begin(), kept.end(),
      [&](const NotableRecord& other) { return less(other, record); });
  kept.insert(at, record);
}

}  // namespace

void BatchTotals::add(const batch::JournalRecord& record, bool replayed) {
  ++(record.ok ? ok_ : failed_);
  if (replayed) ++replayed_;
  if (!record.ok) {
    if (!replayed) ++newly_failed_;
    FailureCause& cause = causes_[record.error_code];
    if (cause.records++ == 0 || record.line < cause.line) {
      cause.line = record.line;
    }
  }
  const core::Money cost = record.cost.value_or(core::Money{});
  if (!record.cost) ++unpriced_;
  if (record.cost_estimated) ++estimated_;
  const int64_t input = record.input_tokens.value_or(0);
  const int64_t output = record.output_tokens.value_or(0);
  input_tokens_ += input;
  output_tokens_ += output;
  cost_ += cost;
  if (record.strongest && record.cost) {
    strongest_ += *record.strongest;
    compared_ += cost;
  }
  if (record.model.empty()) return;  // nobody was asked
  ModelTotals& model = models_[record.model];
  ++model.records;
  if (!record.ok) ++model.failed;
  model.input_tokens += input;
  model.output_tokens += output;
  model.cost += cost;
  for (const auto& [name, share] : record.earlier) {
    models_[name].cost += share;
    model.cost -= share;
  }
  if (!record.cost) ++model.unpriced;
  model.longest = std::max(model.longest, record.ok ? output : 2 * output);
  const NotableRecord notable{record.id, record.line, record.model, record.ms,
                              record.cost};
  keep_largest(slowest_, notable,
               [](const auto& a, const auto& b) { return a.ms < b.ms; });
  keep_largest(dearest_, notable,
               [](const auto& a, const auto& b) { return a.cost < b.cost; });
}

int64_t BatchTotals::longest_answer(const std::string& model) const {
  const auto found = models_.find(model);
  return found == models_.end() ? 0 : found->second.longest;
}

}  // namespace llmroute::app
