// What a batch has come to so far: counts, money, time, by model and by cause.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "batch/journal_frame.h"
#include "core/money.h"

namespace llmroute::app {

struct ModelTotals {
  int64_t records = 0, failed = 0;
  int64_t input_tokens = 0, output_tokens = 0;  // as far as known
  core::Money cost;                             // as far as known
  int64_t unpriced = 0;                         // records of unknown cost
  int64_t longest = 0;  // answer, in tokens; one that was cut counts twice
};

// Failed records of one error code.
struct FailureCause {
  int64_t records = 0;
  int64_t line = 0;  // of the first
};

// A record that stands out.
struct NotableRecord {
  std::string id;
  int64_t line = 0;
  std::string model;
  int64_t ms = 0;
  std::optional<core::Money> cost;  // nothing: not known
};

class BatchTotals {
 public:
  static constexpr size_t kNotable = 3;  // slowest and dearest that are kept

  // `replayed`: it was in the journal, so nothing was asked for it.
  void add(const batch::JournalRecord& record, bool replayed);
  // All that was spent or may have been, earlier runs included, and of it what
  // results have cost that others replaced.
  void spend(core::Money all, core::Money replaced) {
    all_ = all;
    replaced_ = replaced;
  }

  int64_t ok() const { return ok_; }
  int64_t failed() const { return failed_; }
  int64_t newly_failed() const { return newly_failed_; }  // not replayed
  int64_t done() const { return ok_ + failed_; }
  int64_t replayed() const { return replayed_; }
  int64_t unpriced() const { return unpriced_; }  // records of unknown cost
  int64_t estimated() const { return estimated_; }
  int64_t input_tokens() const { return input_tokens_; }
  int64_t output_tokens() const { return output_tokens_; }
  core::Money cost() const { return cost_; }  // as far as known
  std::string display_cost() const {
    return core::display_known_usd(cost_, unpriced_, done());
  }
  core::Money all() const { return std::max(all_, cost_ + replaced_); }
  core::Money replaced() const { return replaced_; }  // not in cost()
  // What may have been spent without a result: neither.
  core::Money lost() const {
    return core::Money{all().pico - cost_.pico - replaced_.pico};
  }
  // The same answers by the strongest candidate of each record, where its price
  // and the tokens are known, and the cost of just these records.
  core::Money strongest() const { return strongest_; }
  core::Money compared() const { return compared_; }
  const std::map<std::string, ModelTotals>& models() const { return models_; }
  // The longest answer of the model so far; 0 without any.
  int64_t longest_answer(const std::string& model) const;
  // By error code.
  const std::map<std::string, FailureCause>& causes() const { return causes_; }
  const std::vector<NotableRecord>& slowest() const { return slowest_; }
  const std::vector<NotableRecord>& dearest() const { return dearest_; }

 private:
  int64_t ok_ = 0, failed_ = 0, newly_failed_ = 0, replayed_ = 0;
  int64_t unpriced_ = 0, estimated_ = 0;
  int64_t input_tokens_ = 0, output_tokens_ = 0;
  core::Money cost_, all_, replaced_, strongest_, compared_;
  std::map<std::string, ModelTotals> models_;
  std::map<std::string, FailureCause> causes_;
  std::vector<NotableRecord> slowest_, dearest_;
};

}  // namespace llmroute::app
