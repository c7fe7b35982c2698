// How good a model's answers are, learned from verdicts of people and checks: a
// Beta distribution in each cell, whose prior is what abilities say and whose
// counts are discounted as more verdicts come in, so that it follows a change.
// Pure.
#pragma once

namespace llmroute::core {

// Verdicts on one model in one cell.
struct Verdicts {
  double good = 0, bad = 0;  // discounted, to the time of the last one
  double at = 0;  // verdicts in the cell, on all models, before the last one

  // `score`: 0 (bad) to 1 (good). `now`: verdicts in the cell so far. Numbers
  // that make no sense are forgotten first.
  void add(double score, double now);

  // No NaN, none negative or beyond all bounds.
  bool sane() const;

  // The mean of P(answers well), if that is `prior` without verdicts, 0..1.
  // REQUIRES: sane().
  double mean(double prior, double now) const;
};

// Of the discount, in verdicts in the cell. By simulation: shorter ones forget
// what is rarely seen, longer ones follow a change too slowly.
inline constexpr double kHalfLife = 100;

// How many verdicts the prior is worth.
inline constexpr double kPriorWeight = 8;

// What is added to the logit of `prior` to make it `mean`; 0 if `prior` is
// certain.
double correction_of(double prior, double mean);

}  // namespace llmroute::core
