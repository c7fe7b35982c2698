// Logistic regression that corrects given logits:
//   P = sigmoid(offset + share * (bias + sum over inputs of weight * input)),
// with weights of standardised inputs pulled to zero.
#pragma once

#include <span>
#include <vector>

namespace llmroute::learning {

struct CorrectionRow {
  std::vector<float> inputs;
  double offset = 0;  // logit
  double share = 1;   // 0..1: how far the correction applies
  double score = 0;   // 0..1
};

struct Correction {
  double bias = 0;
  std::vector<double> weights;  // of raw inputs
};

// REQUIRES: at least one row, all with as many inputs.
Correction fit_correction(std::span<const CorrectionRow> rows, double penalty);

}  // namespace llmroute::learning
