// `llmroute train --from-ledger`: abilities of the models fitted to what people
// and checks said of their answers. The ledger holds no text, so what is fitted
// is what a verdict can say without it: how much better or worse than its
// listed abilities each model is, in each domain. The result is a piece of
// configuration.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/config.h"
#include "core/domain.h"
#include "core/exit_status.h"
#include "learning/bootstrap.h"
#include "store/outcomes.h"

namespace llmroute::app {

// A model's fit, and how it does on the verdicts held out.
struct ModelFit {
  const core::Model* model = nullptr;
  size_t fitted = 0, held_out = 0;  // verdicts
  core::PerDomain shift{};          // of its abilities, logits
  core::PerDomain verdicts{};       // fitted to, in each domain
  double mean = 0;                  // score of the held-out ones
  double usd = 0, seconds = 0;      // the same, per request
  double reward = 0;                // the same, in dollars
  double regret = 0;  // of always asking it, by the fit; dollars a request
};

struct LedgerFit {
  size_t verdicts = 0, unusable = 0;  // unusable: of models not configured
  std::vector<ModelFit> models;       // by name
  size_t held_out = 0;
  double accuracy = 0, constant_accuracy = 0;  // of score >= 0.5
  double brier = 0, listed_brier = 0, constant_brier = 0;
  // Brier score of the better of each model's mean score and its listed
  // abilities, minus the fit's: 95 %.
  learning::Interval gain;

  bool beats_constant() const { return held_out > 0 && gain.low > 0; }
};

// `slope`: of P(good), by the router model in use. Rows are held out by their
// id, a fifth of them. Pure.
LedgerFit fit_ledger(const core::Config& config,
                     const std::vector<store::OutcomeRow>& rows, double slope,
                     const core::Worth& worth, uint64_t seed);

// [models.NAME] sections with the new abilities.
std::string fit_config(const LedgerFit& fit);

base::Result<core::ExitStatus> train_from_ledger(
    const TrainOptions& options, const base::Environment& environment);

}  // namespace llmroute::app
