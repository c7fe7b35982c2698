// How a run uses the ledger. Under a ceiling the worst case of each attempt is
// held before it is sent, and without the ledger nothing is sent. Otherwise the
// ledger is opened after the answer, and never costs it: what it cannot take
// goes to the spill file.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/attempt.h"
#include "app/experience.h"
#include "app/learner.h"
#include "app/ledger_place.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/route.h"
#include "base/environment.h"
#include "store/ledger.h"
#include "store/scopes.h"

namespace llmroute::app {

class LedgerBook : public AttemptBook {
 public:
  // Borrows everything but the ledger, if that is open. kNoPermission: the
  // ledger could have been written by others. Under a ceiling also kIo and
  // kTryLater, and kUsage if the ledger is off and a day, month or tag has a
  // ceiling.
  static base::Result<LedgerBook> open(const std::string& id,
                                       const RunOptions& options,
                                       Routed& routed,
                                       const base::Environment& environment,
                                       const Messages& messages);

  // The routed decision was taken anew. REQUIRES: nobody was asked.
  void decided_again();

  bool allows(const core::Candidate& candidate, bool again) override;
  std::chrono::milliseconds wait_left(
      const core::Candidate& candidate) override;
  std::optional<std::chrono::milliseconds> patience(
      const core::Candidate& candidate) override;
  base::Status before(const Attempt& asked) override;
  void after(const Attempt& attempt, const core::Reply* reply) override;

  // After the answer. `exit`: the status, or 128 + the number of a signal. An
  // error only with --strict-ledger; else it is a warning.
  base::Status finish(const Answered& answered, int exit, size_t answer_bytes);

 private:
  LedgerBook(const Routed& routed, const Messages& messages,
             store::DecisionRow decision)
      : routed_(routed),
        messages_(messages),
        decision_(std::move(decision)),
        known_(routed.known ? *routed.known : Known()),
        learner_(std::make_unique<AttemptLearner>(*routed.config)) {}
  base::Status open_ledger(const store::DatabaseOptions& options);
  store::DatabaseOptions under_ceiling() const;
  base::Result<store::Ledger> take_ledger(
      const store::DatabaseOptions& options);
  base::Status remember_session(const Answered& answered);
  bool claims_probe(const core::Candidate& candidate);
  void hold_others(const Attempt& attempt);
  bool changes_health(const Attempt& attempt);
  base::Status write(const store::DatabaseOptions& options);
  base::Status record();
  void fill_decision();
  base::Status learn_verdicts(const Answered& answered);
  base::Status put_aside(const Attempt& asked);
  base::Status put_hedge(const Attempt& asked);

  const Routed& routed_;
  const Messages& messages_;
  store::DecisionRow decision_;
  std::vector<store::AttemptRow> pending_;  // ended, not yet recorded
  Known known_;                             // breakers as this run sees them
  std::unique_ptr<AttemptLearner> learner_;
  bool learns_ = true;
  bool strict_ = false;
  std::optional<std::string> session_;
  std::vector<store::Ceiling> ceilings_;
  bool off_ = false;
  bool holds_ = false;
  base::Status usable_;  // else why it could not hold
  base::Result<std::string> path_ = std::string();
  std::optional<store::Ledger> at_hand_;  // as it was read for the decision
  std::optional<store::Ledger> ledger_;
};

}  // namespace llmroute::app
