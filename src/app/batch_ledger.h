// How a batch uses the ledger: every decision with its attempts, many in one
// transaction. Where others count against the same ceiling, the worst case of
// each attempt is held before it is sent, and without the ledger nothing is
// sent; otherwise the ledger never costs a result, and what it cannot take
// goes to the spill file. Nothing learned decides: the same command again must
// choose as before.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/attempt_plan.h"
#include "app/batch_dispatch.h"
#include "app/learner.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/route.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/reply.h"
#include "store/ledger.h"
#include "store/rows.h"
#include "store/scopes.h"

namespace llmroute::app {

// Confined to one thread.
class BatchLedger : public BatchBook {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Borrows `routed` and `messages`. `run_ceiling`: of all processes of
  // LLMROUTE_RUN. kNoPermission: the ledger could have been written by others.
  // Under a ceiling also kIo and kTryLater, and kUsage if the ledger is off.
  static base::Result<BatchLedger> open(const LedgerOptions& options,
                                        std::optional<core::Money> run_ceiling,
                                        const Routed& routed,
                                        const core::RoutingOptions& routing,
                                        const base::Environment& environment,
                                        const Messages& messages);

  // A record has its decision. An error: it may not be asked.
  base::Status begin(BatchItem& item, const Taken& taken);

  base::Result<bool> before(BatchItem& item) override;
  void after(BatchItem& item, const Attempt& attempt,
             const core::Reply* reply) override;
  // Also of a record that is given up without a result.
  void end(BatchItem& item) override;

  // Writes what is due; never fails but under a ceiling.
  base::Status flush_if_due(Time now);
  std::optional<Time> next_flush() const;
  // Writes what is left, with patience, or spills it. An error only with
  // --strict-ledger, if anything was spilled.
  base::Status close();

 private:
  BatchLedger(const Routed& routed, const Messages& messages)
      : routed_(&routed),
        messages_(&messages),
        learner_(std::make_unique<AttemptLearner>(*routed.config)) {}
  base::Status open_ledger();
  base::Error no_ledger() const;  // REQUIRES: !ledger_
  base::Status flush();
  bool may_wait(const base::Status& status);
  void spill_pending();

  const Routed* routed_;
  const Messages* messages_;
  std::unique_ptr<AttemptLearner> learner_;
  std::optional<std::string> run_;
  std::optional<store::Ceiling> run_ceiling_;
  bool off_ = false;
  bool learns_ = true;
  bool strict_ = false;
  bool holds_ = false;  // somebody's ceiling may apply
  base::Result<std::string> path_ = std::string();
  std::optional<store::Ledger> ledger_;
  std::optional<std::string> shared_inputs_;  // their hash
  base::Status usable_;   // else why the ledger cannot be written
  base::Status spilled_;  // what strict_ makes of it
  std::optional<Time> locked_since_;
  std::vector<store::Recorded> pending_;
  Time oldest_{};  // of what is pending
};

}  // namespace llmroute::app
