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

constexpr double kStep = 0.5;  // of a direction's loading by the one before

using Models = std::span<const uint32_t>;

// The logit of each model's mean score on the samples, by model number; that of
// one half without outcomes.
std::vector<double> abilities(const Problem& problem,
                              std::span<const uint32_t> samples) {
  constexpr double kLeast = 1e-3;
  std::vector<double> score, count;
  for (const uint32_t s : samples) {
    const Sample& sample = problem.samples[s];
    for (uint32_t o = sample.outcome_begin; o < sample.outcome_end; ++o) {
      const Outcome& outcome = problem.outcomes[o];
      const size_t size = std::max<size_t>(score.size(), outcome.model + 1);
      score.resize(size);
      count.resize(size);
      score[outcome.model] += static_cast<double>(outcome.score);
      count[outcome.model] += 1;
    }
  }
  for (size_t m = 0; m < score.size(); ++m) {
    const double mean = count[m] == 0 ? 0.5 : score[m] / count[m];
    const double p = std::clamp(mean, kLeast, 1 - kLeast);
    score[m] = std::log(p / (1 - p));
  }
  return score;
}

// Per model of `models` its loading on each direction.
class Loadings {
 public:
  // Standardised over the models `fitted`.
  Loadings(const std::vector<double>& ability, Models fitted,
           const OutcomeHeadsOptions& options)
      : ability_(ability), options_(options) {
    const auto count = static_cast<double>(fitted.size());
    for (const uint32_t m : fitted) centre_ += of(m) / count;
    double square = 0;
    for (const uint32_t m : fitted) {
      square += (of(m) - centre_) * (of(m) - centre_) / count;
    }
    constexpr double kLeast = 0.3;  // models all alike say nothing
    spread_ = std::sqrt(square) + kLeast;
  }

  std::vector<double> of_model(uint32_t model) const {
    std::vector<double> loadings;
    double loading = std::sqrt(options_.sharing);
    for (uint32_t k = 0; k < options_.directions; ++k) {
      loadings.push_back(loading);
      loading *= kStep * (of(model) - centre_) / spread_;
    }
    return loadings;
  }

 private:
  double of(uint32_t model) const {
    return model < ability_.size() ? ability_[model] : 0;
  }

  const std::vector<double>& ability_;
  const OutcomeHeadsOptions& options_;
  double centre_ = 0, spread_ = 1;
};

// Variables: the heads of the directions, then, unless unseen, model m's own,
// then the biases of the models.
class Fit {
 public:
  Fit(const Problem& problem, std::span<const uint32_t> samples, Models models,
      const Loadings& loadings, const OutcomeHeadsOptions& options)
      : problem_(problem),
        samples_(samples),
        options_(options),
        shared_(options.directions),
        dense_(problem, samples),
        heads_(problem, dense_, shared_ + (options.unseen ? 0 : models.size()),
               false, penalties(options, samples.size())) {
    for (uint32_t m = 0; m < models.size(); ++m) {
      place_.resize(std::max<size_t>(place_.size(), models[m] + 1), kNone);
      place_[models[m]] = m;
      loadings_.push_back(loadings.of_model(models[m]));
    }
  }

  void run() {
    x_.resize(heads_.size() + loadings_.size());
    PartialSums sums(x_.size());
    const Objective objective = [&](std::span<const double> x,
                                    std::span<double> gradient) {
      const double value =
          sums(samples_.size(), options_.threads, gradient,
               [&](size_t begin, size_t end, std::span<double> sum) {
                 return add(begin, end, x, sum);
               });
      return value + penalise(x, gradient);
    };
    MinimiseOptions options;
    options.iterations = options_.iterations;
    options.gain = 1e-7;
    options.memory = 30;
    const std::vector<double> curvature = curvatures();
    options.curvature = curvature;
    minimise(objective, x_, options);
  }

  // What the model `m` of those fitted, or one of these loadings that was not,
  // makes of the heads, each of which `of_head` tells.
  template <class OfHead>
  double combined(const std::vector<double>& loadings, size_t m,
                  const OfHead& of_head) const {
    double sum = options_.unseen ? 0 : of_head(shared_ + m);
    for (size_t k = 0; k < shared_; ++k) sum += loadings[k] * of_head(k);
    return sum;
  }
  double row_weight(size_t row, const std::vector<double>& loadings,
                    size_t m) const {
    return combined(loadings, m, [&](size_t head) {
      return heads_.row_weight(x_, row, head);
    });
  }
  // Of a raw feature.
  double dense_weight(size_t i, const std::vector<double>& loadings,
                      size_t m) const {
    return static_cast<double>(dense_.inverse(i)) *
           combined(loadings, m, [&](size_t head) {
             return heads_.dense_weight(x_, i, head);
           });
  }
  double bias(const std::vector<double>& loadings, size_t m) const {
    double bias = (options_.unseen ? 0 : x_[heads_.size() + m]) +
                  combined(loadings, m,
                           [&](size_t head) { return heads_.bias(x_, head); });
    for (size_t i = 0; i < problem_.dense_count; ++i) {
      bias -=
          dense_weight(i, loadings, m) * static_cast<double>(dense_.mean(i));
    }
    return bias;
  }

 private:
  static Penalties penalties(const OutcomeHeadsOptions& options, size_t rows) {
    const double harder = std::clamp(1e4 / static_cast<double>(rows), 1.0, 8.0);
    Penalties all;
    all.grams = harder * options.gram_penalty;
    all.dense = harder * options.dense_penalty;
    return all;
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
        const size_t bias = heads_.size() + m;
        const std::vector<double>& loadings = loadings_[m];
        const double z = x[bias] + combined(loadings, m, [&](size_t head) {
                           return scores[head];
                         });
        const auto score = static_cast<double>(problem_.outcomes[o].score);
        value += logistic_loss(z, score);
        const double off = sigmoid(z) - score;
        gradient[bias] += off;
        if (!options_.unseen) of_scores[shared_ + m] += off;
        for (size_t k = 0; k < shared_; ++k) of_scores[k] += loadings[k] * off;
      }
      heads_.add_gradient(of_scores.data(), sample, 1, gradient);
    }
    return value;
  }

  double penalise(std::span<const double> x, std::span<double> gradient) const {
    constexpr double kBiasPenalty = 0.01;
    double sum = heads_.penalise(x, gradient);
    for (size_t i = heads_.size(); i < x.size(); ++i) {
      sum += kBiasPenalty * x[i] * x[i] / 2;
      gradient[i] += kBiasPenalty * x[i];
    }
    return sum;
  }

  std::vector<double> curvatures() const {
    constexpr double kOfOutcome = 0.15;  // p (1 - p), on average
    std::vector<double> diagonal(x_.size(), 1.0);
    for (const uint32_t s : samples_) {
      const Sample& sample = problem_.samples[s];
      heads_.add_curvature(kOfOutcome, sample, 1,
                           std::span(diagonal).first(heads_.size()));
      for (size_t m = heads_.size(); m < x_.size(); ++m) {
        diagonal[m] += kOfOutcome;
      }
    }
    return diagonal;
  }

  uint32_t place(const Outcome& outcome) const {
    return outcome.model < place_.size() ? place_[outcome.model] : kNone;
  }

  const Problem& problem_;
  std::span<const uint32_t> samples_;
  const OutcomeHeadsOptions& options_;
  const size_t shared_;
  const Standardised dense_;
  const LinearHeads heads_;
  std::vector<std::vector<double>> loadings_;
  std::vector<uint32_t> place_;  // of a model among those fitted
  std::vector<double> x_;
};

// The models with outcomes on the samples that are not among `models`.
std::vector<uint32_t> others(const Problem& problem,
                             std::span<const uint32_t> samples, Models models) {
  std::vector<uint32_t> all;
  for (const uint32_t s : samples) {
    const Sample& sample = problem.samples[s];
    for (uint32_t o = sample.outcome_begin; o < sample.outcome_end; ++o) {
      all.push_back(problem.outcomes[o].model);
    }
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  std::erase_if(all, [&](uint32_t m) {
    return std::find(models.begin(), models.end(), m) != models.end();
  });
  return all;
}

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
  std::vector<uint32_t> fitted(models.begin(), models.end());
  if (options.unseen) fitted = others(problem, samples, models);
  const std::vector<double> ability = abilities(problem, samples);
  const Loadings loadings(ability, fitted, options);
  Fit fit(problem, samples, fitted, loadings, options);
  fit.run();
  OutcomeHeads heads;
  heads.models_ = models.size();
  heads.row_count_ = size_t{1} << problem.bucket_bits;
  heads.rows_.resize(heads.row_count_ * models.size());
  heads.dense_.resize(problem.dense_count * models.size());
  for (size_t m = 0; m < models.size(); ++m) {
    const std::vector<double> own = loadings.of_model(models[m]);
    for (size_t row = 0; row < heads.row_count_; ++row) {
      heads.rows_[row * models.size() + m] =
          static_cast<float>(fit.row_weight(row, own, m));
    }
    for (size_t i = 0; i < problem.dense_count; ++i) {
      heads.dense_[i * models.size() + m] =
          static_cast<float>(fit.dense_weight(i, own, m));
    }
    heads.bias_.push_back(fit.bias(own, m));
  }
  if (options.unseen) heads.match_means(problem, samples, ability, models);
  return heads;
}

// Biases at which the mean chance is the mean score.
void OutcomeHeads::match_means(const Problem& problem,
                               std::span<const uint32_t> samples,
                               const std::vector<double>& ability,
                               std::span<const uint32_t> models) {
  std::vector<std::vector<double>> logits(models_);
  for (const uint32_t s : samples) {
    const std::vector<double> z = this->logits(features_of(problem, s));
    for (size_t m = 0; m < models_; ++m) logits[m].push_back(z[m]);
  }
  for (size_t m = 0; m < models_; ++m) {
    const double mean =
        models[m] < ability.size() ? sigmoid(ability[models[m]]) : 0.5;
    double low = -30, high = 30;
    while (high - low > 1e-9) {
      const double middle = (low + high) / 2;
      double sum = 0;
      for (const double z : logits[m]) sum += sigmoid(z + middle) - mean;
      (sum > 0 ? high : low) = middle;
    }
    bias_[m] += low;
  }
}

std::vector<double> OutcomeHeads::chances(
    const PromptFeatures& features) const {
  std::vector<double> z = logits(features);
  for (double& value : z) value = sigmoid(value);
  return z;
}

std::vector<double> OutcomeHeads::logits(const PromptFeatures& features) const {
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
  return z;
}

}  // namespace llmroute::learning
