#include "learning/outcome_heads.h"

#include <algorithm>
#include <cmath>

#include "learning/linear_heads.h"
#include "learning/logistic.h"
#include "learning/minimise.h"
#include "learning/parallel.h"

namespace llmroute::learning {
namespace {

constexpr uint32_t kNone = ~0U;

// Variables: head 0 is common, head 1 + m is model m's own.
class Fit {
 public:
  Fit(const Problem& problem, std::span<const uint32_t> samples,
      std::span<const uint32_t> models, const OutcomeHeadsOptions& options)
      : problem_(problem),
        samples_(samples),
        options_(options),
        dense_(problem),
        heads_(problem, dense_, 1 + models.size(), false,
               penalties(options, samples.size())),
        common_(std::sqrt(options.sharing)) {
    for (uint32_t m = 0; m < models.size(); ++m) {
      place_.resize(std::max<size_t>(place_.size(), models[m] + 1), kNone);
      place_[models[m]] = m;
    }
  }

  void run() {
    x_.resize(heads_.size());
    PartialSums sums(x_.size());
    const Objective objective = [&](std::span<const double> x,
                                    std::span<double> gradient) {
      const double value =
          sums(samples_.size(), options_.threads, gradient,
               [&](size_t begin, size_t end, std::span<double> sum) {
                 return add(begin, end, x, sum);
               });
      return value + heads_.penalise(x, gradient);
    };
    MinimiseOptions options;
    options.iterations = options_.iterations;
    options.gain = 1e-7;
    const std::vector<double> curvature = curvatures();
    options.curvature = curvature;
    minimise(objective, x_, options);
  }

  double row_weight(size_t row, size_t m) const {
    return common_ * heads_.row_weight(x_, row, 0) +
           heads_.row_weight(x_, row, 1 + m);
  }
  // Of a raw feature.
  double dense_weight(size_t i, size_t m) const {
    return (common_ * heads_.dense_weight(x_, i, 0) +
            heads_.dense_weight(x_, i, 1 + m)) *
           static_cast<double>(dense_.inverse(i));
  }
  double bias(size_t m) const {
    const std::span<const double> x(x_);
    double bias = common_ * heads_.bias(x, 0) + heads_.bias(x, 1 + m);
    for (size_t i = 0; i < problem_.dense_count; ++i) {
      bias -= dense_weight(i, m) * static_cast<double>(dense_.mean(i));
    }
    return bias;
  }

 private:
  static Penalties penalties(const OutcomeHeadsOptions& options, size_t rows) {
    const double harder = std::clamp(1e4 / static_cast<double>(rows), 1.0, 8.0);
    return {harder * options.gram_penalty, harder * options.dense_penalty};
  }

  double add(size_t begin, size_t end, std::span<const double> x,
             std::span<double> gradient) const {
    std::vector<double> scores(heads_.stride()), of_scores(heads_.stride());
    double value = 0;
    for (size_t s = begin; s < end; ++s) {
      const Sample& sample = problem_.samples[samples_[s]];
      heads_.scores(x, sample, 1, scores.data());
      std::fill(of_scores.begin(), of_scores.end(), 0.0);
      for (uint32_t o = sample.outcome_begin; o < sample.outcome_end; ++o) {
        const uint32_t m = place(problem_.outcomes[o]);
        if (m == kNone) continue;
        const double z = common_ * scores[0] + scores[1 + m];
        const auto score = static_cast<double>(problem_.outcomes[o].score);
        value += logistic_loss(z, score);
        const double off = sigmoid(z) - score;
        of_scores[1 + m] += off;
        of_scores[0] += common_ * off;
      }
      heads_.add_gradient(of_scores.data(), sample, 1, gradient);
    }
    return value;
  }

  std::vector<double> curvatures() const {
    constexpr double kOfOutcome = 0.15;  // p (1 - p), on average
    std::vector<double> diagonal(x_.size(), 1.0);
    for (const uint32_t s : samples_) {
      const Sample& sample = problem_.samples[s];
      heads_.add_curvature(kOfOutcome, sample, 1, diagonal);
    }
    return diagonal;
  }

  uint32_t place(const Outcome& outcome) const {
    return outcome.model < place_.size() ? place_[outcome.model] : kNone;
  }

  const Problem& problem_;
  std::span<const uint32_t> samples_;
  const OutcomeHeadsOptions& options_;
  const Standardised dense_;
  const LinearHeads heads_;
  const double common_;
  std::vector<uint32_t> place_;  // of a model among the heads
  std::vector<double> x_;
};

}  // namespace

PromptFeatures features_of(const Problem& problem, uint32_t sample) {
  const Sample& s = problem.samples[sample];
  return {std::span(problem.entries)
              .subspan(s.entry_begin, s.edge_begin - s.entry_begin),
          s.norm,
          std::span(problem.dense)
              .subspan(s.dense * problem.dense_count, problem.dense_count)};
}

OutcomeHeads OutcomeHeads::fit(const Problem& problem,
                               std::span<const uint32_t> samples,
                               std::span<const uint32_t> models,
                               const OutcomeHeadsOptions& options) {
  Fit fit(problem, samples, models, options);
  fit.run();
  OutcomeHeads heads;
  heads.models_ = models.size();
  heads.row_count_ = size_t{1} << problem.bucket_bits;
  for (size_t row = 0; row < heads.row_count_; ++row) {
    for (size_t m = 0; m < models.size(); ++m) {
      heads.rows_.push_back(static_cast<float>(fit.row_weight(row, m)));
    }
  }
  for (size_t i = 0; i < problem.dense_count; ++i) {
    for (size_t m = 0; m < models.size(); ++m) {
      heads.dense_.push_back(static_cast<float>(fit.dense_weight(i, m)));
    }
  }
  for (size_t m = 0; m < models.size(); ++m) {
    heads.bias_.push_back(fit.bias(m));
  }
  return heads;
}

std::vector<double> OutcomeHeads::chances(
    const PromptFeatures& features) const {
  std::vector<double> z = bias_;
  const auto add = [&](const float* weights, double factor) {
    for (size_t m = 0; m < models_; ++m) {
      z[m] += factor * static_cast<double>(weights[m]);
    }
  };
  for (const Entry entry : features.grams) {
    add(rows_.data() + entry.row * models_,
        static_cast<double>(features.norm) * entry.count);
  }
  for (size_t i = 0; i < features.dense.size(); ++i) {
    add(dense_.data() + i * models_, static_cast<double>(features.dense[i]));
  }
  for (double& value : z) value = sigmoid(value);
  return z;
}

}  // namespace llmroute::learning
