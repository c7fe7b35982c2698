// Learns from attempts as the ledger records them: speed, breaker, holds.
#pragma once

#include <chrono>
#include <map>
#include <span>
#include <string>

#include "core/config.h"
#include "core/reply.h"
#include "store/ledger.h"
#include "store/statistics.h"

namespace llmroute::app {

class AttemptLearner : public store::Learner {
 public:
  // Borrows the config.
  explicit AttemptLearner(const core::Config& config) : config_(config) {}

  // The wait that an attempt of `decision`, not yet recorded, was told to keep.
  void expect_hold(const std::string& decision, int64_t number,
                   std::chrono::milliseconds wait);

  base::Status learn(store::Database& database,
                     std::span<const store::Ended> ended) override;

 private:
  const core::Config& config_;
  std::map<std::pair<std::string, int64_t>, std::chrono::milliseconds> holds_;
};

// A failed call that a breaker counts.
bool is_countable(core::FailureClass failure);

}  // namespace llmroute::app
