// Which waiting record is asked of whom, and when: concurrency, the pace and
// holds of providers, breakers, retries, money. The rules: docs/reliability.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/attempt_plan.h"
#include "app/batch_totals.h"
#include "app/messages.h"
#include "base/environment.h"
#include "base/result.h"
#include "base/sha256.h"
#include "batch/budget.h"
#include "batch/pace.h"
#include "batch/record.h"
#include "core/breaker.h"
#include "core/config.h"
#include "core/decision.h"
#include "provider/call_loop.h"
#include "store/rows.h"
#include "store/scopes.h"

namespace llmroute::app {

// A record on its way to a result.
struct BatchItem {
  using Time = std::chrono::steady_clock::time_point;

  int64_t place = 0;  // in the order of the output
  batch::Record record;
  base::Fingerprint input{};  // of its line
  core::Decision decision;
  // As sent, where a template made it another one than the record's.
  std::optional<core::Prompt> templated;
  size_t bytes = 0;                 // of its line
  std::optional<AttemptPlan> plan;  // borrows the decision
  size_t candidate = 0;             // asked now, or next
  std::vector<bool> failed;         // which candidates have, for good
  int uncounted = 0;  // retries that did not count: outages, holds
  std::optional<core::Failure> last_failure;
  std::optional<core::Money> ceiling;  // of all its attempts
  core::Money hold, spent;
  // The same by attempt; models are borrowed from the configuration.
  std::vector<std::pair<const core::Model*, core::Money>> spent_on;
  core::Money told;  // of the money it may have cost, what Sending was told
  bool cost_unknown = false;    // an attempt may have cost, at an unknown price
  bool cost_estimated = false;  // `spent` holds a worst case
  int64_t tokens = 0;           // estimated, of the attempt under way
  Time since{};                 // of the first attempt
  Time started{};               // of this attempt
  bool probe = false;           // of a breaker
  // An answer that will not do, in case no better one comes.
  struct Rejected {
    core::Reply reply;
    const core::Candidate* by = nullptr;
    base::Error why;
  };
  std::optional<Rejected> rejected;
  // For the ledger: what is not yet recorded, attempts made so far, and the
  // ceilings that others count against as well.
  store::Recorded recorded;
  int64_t attempts = 0;
  std::vector<store::Ceiling> ceilings;
  std::chrono::milliseconds asked{0};  // in all attempts
  // In those that count, and waiting between them.
  std::chrono::milliseconds used{0};

  const core::Prompt& prompt() const {
    return templated ? *templated : record.prompt;
  }
  const core::Candidate& asked_of() const {
    return decision.candidates[candidate];
  }
  std::chrono::milliseconds took(Time now) const {  // this attempt
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - started);
  }
};

struct DispatchLimits {
  int jobs = 8;
  RetryRules retries;
  std::optional<double> requests_per_minute, tokens_per_minute;  // a provider
  std::chrono::milliseconds give_up{600'000};  // without any success
  // That providers ask for and a record waits for, in all.
  std::chrono::milliseconds longest_holds{600'000};
  int64_t shards = 1;  // the ceiling is that part of --max-cost
  core::Limits call;   // time-outs
};

// Whoever keeps account of attempts.
class BatchBook {
 public:
  virtual ~BatchBook() = default;
  // Puts the worst case of the attempt aside. False: the books are in use; to
  // be asked again soon. kBudget: there is no money for it, now or for good.
  // Another error: nothing more is sent.
  virtual base::Result<bool> before(BatchItem& item) = 0;
  // The attempt has ended. `reply`: the answer, or null.
  virtual void after(BatchItem& item, const Attempt& attempt,
                     const core::Reply* reply) = 0;
  // Nothing more is asked for it; it may have no result.
  virtual void end(BatchItem& item) = 0;
};

struct DispatchParts {
  batch::Budget& budget;
  BatchBook& book;
  provider::CallLoop& calls;
  const base::Environment& environment;
  const Messages& messages;
  const BatchTotals& totals;
};

// Confined to one thread. Borrows everything it is given.
class BatchDispatcher {
 public:
  using Time = BatchItem::Time;
  // A record has its answer or, for good, none.
  using Finished =
      std::function<void(std::unique_ptr<BatchItem> item, Answered answered)>;
  // Called before a request is sent that may bring what its line costs to more
  // than before, with the difference, if there is a ceiling; with one below 0
  // if the line ends without a result and cost less.
  using Sending = std::function<base::Status(int64_t line, core::Money more)>;

  // What must be left of a ceiling for the record to be asked of whom it would
  // be asked without one; nothing: that is not known.
  using Needs =
      std::function<std::optional<core::Money>(const batch::Record& record)>;

  // Whether an earlier run gave up on a record, while others of the batch have
  // been answered, and no more records come.
  using InVain = std::function<bool(const batch::Record& record)>;

  BatchDispatcher(DispatchLimits limits, const DispatchParts& parts,
                  Finished finished, Sending sending, Needs needs,
                  InVain in_vain);

  // REQUIRES: its decision has a candidate.
  void add(std::unique_ptr<BatchItem> item);
  // Starts what may be started now.
  void dispatch(Time now);
  // When dispatch() may have something to do without news.
  Time next() const;

  size_t running() const { return running_.size(); }
  size_t waiting() const { return waiting_; }
  // Nothing more is started; what runs goes on.
  void stop(base::Error why);
  // The same, because what is left of the ceiling does not pay for the record;
  // `why` if it is not known what would.
  void stop_for_money(const batch::Record& record, base::Error why);
  const std::optional<base::Error>& stopped() const { return stopped_; }
  // Ends what waits, without a result: for the book, when nothing more is
  // started.
  void abandon();
  // One line for a person: who is held, open or off; "" if nobody.
  std::string troubles(Time now) const;
  int64_t retries() const { return retries_; }

 private:
  struct ProviderState {
    explicit ProviderState(batch::PaceLimits limits) : pace(limits) {}
    batch::Pace pace;
    bool one_limit = false;          // of all its models
    std::optional<base::Error> off;  // why, for the rest of the process
    std::optional<std::string> key;
    int holds_in_a_row = 0;  // for want of a retry budget
  };
  struct ModelState {
    const core::Model* model = nullptr;
    ProviderState* provider = nullptr;
    core::Breaker breaker;
    Time held_until{};       // by the provider's hint
    bool long_hold = false;  // longer than a record waits for
    Time throttled{};        // the last time
    int throttled_in_a_row = 0;
    std::deque<std::unique_ptr<BatchItem>> queue;
  };
  struct Delayed {
    Time due;
    int64_t number;  // first come, first served
    BatchItem* item;
    bool operator>(const Delayed& other) const {
      return std::tie(due, number) > std::tie(other.due, other.number);
    }
  };

  // Who is asked, and when: batch_dispatch.cc.
  ProviderState& state_of(const core::Provider& provider);
  ModelState& state_of(const core::Candidate& candidate);
  static Time open_from(const ModelState& model, Time now);
  bool blocked(const core::Candidate& candidate);
  bool usable(const BatchItem& item, size_t candidate);
  std::optional<size_t> choose(const BatchItem& item);
  void enqueue(std::unique_ptr<BatchItem> item, bool in_front);
  void delay(std::unique_ptr<BatchItem> item, Time due);
  void requeue(ModelState& model);
  void requeue_blocked();
  bool may_start(const ModelState& model, Time now) const;
  bool all_held(Time now) const;
  base::Error long_wait(Time now) const;
  void nobody_answers(Time now);
  bool all_in_vain() const;
  base::Status note_given_up();

  // One attempt: batch_attempt.cc.
  bool start_front(ModelState& model, Time now);
  base::Result<bool> put_aside(BatchItem& item, core::Money worst);
  bool waits_for_money(ModelState& model);
  bool waits_for_cheaper(ModelState& model);
  bool make_do(BatchItem& item);
  void start(std::unique_ptr<BatchItem> item, ModelState& model, Time now);
  base::Result<provider::Call> call_for(BatchItem& item);
  std::chrono::milliseconds time_left(const BatchItem& item) const;
  base::Status tell_sending(BatchItem& item);
  void drop(BatchItem& item);
  void done(BatchItem* running, provider::CallResult result);
  void settle(BatchItem& item, const provider::CallResult& result);
  void succeed(std::unique_ptr<BatchItem> item, core::Reply reply, Time now);
  void reject(std::unique_ptr<BatchItem> item, core::Reply reply,
              base::Error why, Time now);
  void give_up(std::unique_ptr<BatchItem> item);

  // What a failure leads to: batch_failure.cc.
  void fail(std::unique_ptr<BatchItem> item, core::Failure failure, Time now);
  void count_failure(ModelState& model, const core::Failure& failure,
                     bool probe, Time now);
  std::string end_of_it(Time now) const;
  void switch_off(ProviderState& provider, const std::string& name,
                  const core::Failure& failure);
  void lower_jobs(const core::Failure& failure, Time started);
  void hold(ModelState& model, std::chrono::milliseconds wait, Time now);
  void hold_one(ModelState& model, std::chrono::milliseconds wait, Time now);
  bool wait_for_provider(std::unique_ptr<BatchItem>& item, ModelState& model,
                         const core::Failure& failure, Time now);
  bool in_outage(const BatchItem& item) const;
  int count_throttles(ModelState& model, const BatchItem& item, Time now);
  Time retry_time(ModelState& model, const core::Failure& failure,
                  std::chrono::milliseconds wait, Time now);
  void nobody_left(std::unique_ptr<BatchItem> item);
  void end_in_vain(std::unique_ptr<BatchItem> item, core::Failure failure);
  bool anybody(Time now) const;

  DispatchLimits limits_;
  batch::Budget& budget_;
  BatchBook& book_;
  provider::CallLoop& calls_;
  const base::Environment& environment_;
  const Messages& messages_;
  const BatchTotals& totals_;
  Finished finished_;
  Sending sending_;
  Needs needs_;
  InVain in_vain_;
  std::map<const core::Provider*, ProviderState> providers_;
  std::map<const core::Model*, ModelState> models_;
  std::unordered_map<BatchItem*, std::unique_ptr<BatchItem>> running_;
  std::unordered_map<BatchItem*, std::unique_ptr<BatchItem>> delayed_;
  std::priority_queue<Delayed, std::vector<Delayed>, std::greater<>> due_;
  size_t waiting_ = 0;  // queued or delayed
  size_t turn_ = 0;     // which model's queue is looked at first
  Time jobs_lowered_{};
  int64_t numbers_ = 0;
  int64_t retries_ = 0;
  bool short_of_money_ = false;  // until a request is settled
  Time book_in_use_{};           // so long at least
  std::optional<Time> last_success_;
  std::optional<Time> failing_since_;  // no success from then on
  bool hopeless_ = false;              // what fails now is not tried again
  std::optional<base::Error> stopped_;
};

}  // namespace llmroute::app
