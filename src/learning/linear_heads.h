// Linear heads over the features of prompts: n-gram rows and dense features, as
// an objective's variables. Weights are scaled so that the same penalty fits
// both: the variable is the weight times the root of its penalty.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "learning/problem.h"

namespace llmroute::learning {

// Dense features with mean 0 and deviation 1; constant ones 0.
class Standardised {
 public:
  // Over the samples `fitted`. `least`: deviations below it count as that much
  // (but 0), so that features that hardly vary here say little of prompts where
  // they do.
  Standardised(const Problem& problem, std::span<const uint32_t> fitted,
               double least = 0);
  std::span<const float> of(size_t sample) const {
    return {values_.data() + sample * count_, count_};
  }
  // A raw feature's weight is that of the standardised one times inverse(i);
  // the bias takes minus mean(i) times that.
  float mean(size_t i) const { return mean_[i]; }
  float inverse(size_t i) const { return inverse_[i]; }

 private:
  size_t count_;
  std::vector<float> mean_, inverse_, values_;
};

struct Penalties {
  double grams = 1, dense = 1;  // on the squares of weights, halved
  double bias = 1e-6;           // all but free
};

class LinearHeads {
 public:
  // REQUIRES: both outlive the object. `edges`: whether the n-grams among the
  // first and last words count, too.
  LinearHeads(const Problem& problem, const Standardised& dense, size_t heads,
              bool edges, Penalties penalties);

  size_t heads() const { return heads_; }
  // Heads, rounded up to an even number: what scores and their gradients take.
  size_t stride() const { return stride_; }
  // Of the variables: a row for each n-gram row, each dense feature, the bias.
  size_t size() const { return (rows_ + dense_count_ + 1) * stride_; }

  // Scores of a sample, `familiar` times its n-gram part. REQUIRES: room for
  // stride() values in `out`, and in `of_scores` below, there 0 after heads().
  void scores(std::span<const double> x, const Sample& sample, float familiar,
              double* out) const;
  // Adds what d(loss)/d(scores) makes of the variables' gradient.
  void add_gradient(const double* of_scores, const Sample& sample,
                    float familiar, std::span<double> gradient) const;
  // Adds `curvature` of each score, as the variables see it.
  void add_curvature(double curvature, const Sample& sample, float familiar,
                     std::span<double> diagonal) const;
  // The penalty's value; adds its gradient.
  double penalise(std::span<const double> x, std::span<double> gradient) const;

  // What the variables stand for.
  double row_weight(std::span<const double> x, size_t row, size_t head) const;
  double dense_weight(std::span<const double> x, size_t i, size_t head) const;
  double bias(std::span<const double> x, size_t head) const;
  // Takes a dense feature out of a head for good.
  void forbid_dense(size_t i);

 private:
  template <class Visit>
  void visit(const Sample& sample, float familiar, const Visit& visit) const;

  const Problem& problem_;
  const Standardised& dense_;
  size_t heads_, stride_, rows_, dense_count_;
  bool edges_;
  double gram_scale_, dense_scale_;  // weight = variable * scale
  double bias_penalty_;
  std::vector<bool> forbidden_;
};

}  // namespace llmroute::learning
