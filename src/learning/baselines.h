// What a router must beat: the best constant and the length of the prompt.
#pragma once

#include <span>
#include <vector>

namespace llmroute::learning {

struct LengthRow {
  double bytes = 0;  // of the prompt
  double score = 0;  // 0..1 of the model's answer
};

// P(good) of one model from the prompt's length alone: logistic regression on
// log(1 + bytes), lightly regularised.
struct LengthOnly {
  double intercept = 0, slope = 0;
  double probability(double bytes) const;
};
LengthOnly fit_length_only(std::span<const LengthRow> rows);

// P(good) of one model as one number: the mean score, shrunk a little to 1/2.
double fit_constant(std::span<const LengthRow> rows);

// The slope s that makes sigmoid(s * margin) fit the scores best, between 0.1
// and 10, by bisection of the gradient. 1 without points.
struct SlopePoint {
  double margin = 0, score = 0;
};
double fit_slope(std::span<const SlopePoint> points);

}  // namespace llmroute::learning
