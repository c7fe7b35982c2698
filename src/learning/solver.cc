#include "learning/solver.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "learning/logistic.h"
#include "learning/minimise.h"
#include "learning/parallel.h"

namespace llmroute::learning {
namespace {

constexpr size_t kMany = 30'000;         // samples that are worth more time
constexpr double kLeastDeviation = 0.5;  // when an initial model is adapted
constexpr double kLengthPrior = 5.5;     // e^5.5 = 245 tokens
constexpr double kMeanAbility = -0.8;
constexpr double kAbilityPenalty = 0.1;
constexpr double kBasePenalty = 0.1;

// Value and derivative of x^2 / 2, growing linearly beyond 2.
double robust_square(double x, double& derivative) {
  derivative = std::clamp(x, -2.0, 2.0);
  return derivative * (x - derivative / 2);
}

using Mix = core::PerDomain;

// One problem: the sum of a loss over samples, given the scores of some heads
// and further variables.
class Fit {
 public:
  Fit(const Problem& problem, const SolverOptions& options, LinearHeads heads,
      size_t further)
      : problem_(problem),
        options_(options),
        heads_(std::move(heads)),
        x_(heads_.size() + further) {}

  const LinearHeads& heads() const { return heads_; }
  std::vector<double>& x() { return x_; }
  std::span<double> further() { return std::span(x_).subspan(heads_.size()); }

  // Curvature: double(size_t sample, std::span<double> of_further), about that
  // of the loss in a score.
  // Loss: double(size_t sample, const double* scores, double* of_scores,
  // std::span<const double> further, std::span<double> of_further).
  // Penalty: double(further, of_further).
  template <class Use, class Familiar, class Curvature, class Loss,
            class Penalty>
  bool run(std::string_view what, double gain, const Use& use,
           const Familiar& familiar, const Curvature& curvature,
           const Loss& loss, const Penalty& penalty) {
    std::vector<uint32_t> samples;
    for (uint32_t i = 0; i < problem_.samples.size(); ++i) {
      if (use(problem_.samples[i])) samples.push_back(i);
    }
    if (samples.empty()) return true;
    PartialSums sums(x_.size());
    const Objective objective = [&](std::span<const double> x,
                                    std::span<double> gradient) {
      double value =
          sums(samples.size(), options_.threads, gradient,
               [&](size_t begin, size_t end, std::span<double> sum) {
                 return add(samples, begin, end, x, sum, familiar, loss);
               });
      value += heads_.penalise(x, gradient);
      return value +
             penalty(x.subspan(heads_.size()), gradient.subspan(heads_.size()));
    };
    std::vector<double> diagonal(x_.size(), 1.0);
    const std::span<double> all(diagonal);
    for (const uint32_t i : samples) {
      const Sample& sample = problem_.samples[i];
      heads_.add_curvature(curvature(i, all.subspan(heads_.size())), sample,
                           familiar(sample), all.first(heads_.size()));
    }
    MinimiseOptions minimise_options;
    minimise_options.curvature = diagonal;
    minimise_options.iterations = options_.iterations;
    minimise_options.gain = gain;
    minimise_options.memory = problem_.samples.size() < kMany ? 8 : 30;
    if (options_.progress) {
      minimise_options.progress = [&](uint32_t iteration, double value) {
        options_.progress(what, iteration, value);
      };
    }
    return minimise(objective, x_, minimise_options).converged;
  }

 private:
  template <class Familiar, class Loss>
  double add(const std::vector<uint32_t>& samples, size_t begin, size_t end,
             std::span<const double> x, std::span<double> gradient,
             const Familiar& familiar, const Loss& loss) const {
    std::array<double, kHeads> scores{}, of_scores{};
    double value = 0;
    for (size_t s = begin; s < end; ++s) {
      const Sample& sample = problem_.samples[samples[s]];
      const float share = familiar(sample);
      heads_.scores(x, sample, share, scores.data());
      of_scores.fill(0);
      value += loss(samples[s], scores.data(), of_scores.data(),
                    x.subspan(heads_.size()), gradient.subspan(heads_.size()));
      heads_.add_gradient(of_scores.data(), sample, share, gradient);
    }
    return value;
  }

  const Problem& problem_;
  const SolverOptions& options_;
  LinearHeads heads_;
  std::vector<double> x_;
};

constexpr auto kNoPenalty = [](std::span<const double>, std::span<double>) {
  return 0.0;
};

std::vector<uint32_t> all_of(size_t count) {
  std::vector<uint32_t> all(count);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

class Solver {
 public:
  Solver(const Problem& problem, const SolverOptions& options)
      : problem_(problem),
        options_(options),
        layout_(problem.layout),
        dense_(problem, all_of(problem.samples.size()),
               options.initial == nullptr ? 0 : kLeastDeviation) {}

  Solution run() {
    prepare();
    fit_domains();
    fit_difficulty();
    fit_length();
    return std::move(solution_);
  }

 private:
  // Few rows leave an initial model much as it was.
  Penalties pulled(Penalties penalties) const {
    if (options_.initial == nullptr) return penalties;
    const auto rows = static_cast<double>(problem_.samples.size());
    const double harder = std::clamp(1e4 / rows, 1.0, 30.0);
    return {harder * penalties.grams, harder * penalties.dense,
            harder * penalties.dense};
  }

  double difficulty_gain() const {
    const auto rows = static_cast<double>(problem_.samples.size());
    const double fewer = std::max(static_cast<double>(kMany) / rows, 1.0);
    return std::min(options_.difficulty_gain * fewer * fewer * fewer, 1e-3);
  }

  void prepare() {
    if (options_.initial != nullptr) {
      solution_.rows = options_.initial->rows;
      solution_.dense = options_.initial->dense;
      solution_.bias = options_.initial->bias;
      solution_.base = options_.initial->base;
    } else {
      solution_.rows.assign(size_t{1} << problem_.bucket_bits, HeadWeights{});
      solution_.dense.assign(problem_.dense_count, HeadWeights{});
      solution_.bias[layout_.length] = static_cast<float>(kLengthPrior);
    }
    solution_.slope = options_.slope;
    solution_.intercept.assign(problem_.source_count, 0.0F);
    prior_.resize(problem_.samples.size());
    for (size_t i = 0; i < prior_.size(); ++i) prior_[i] = prior_scores(i);
  }

  // What the initial weights say of a sample, n-gram part by itself.
  struct Prior {
    std::array<float, kHeads> grams{}, dense{};
    float all(size_t h) const { return grams[h] + dense[h]; }
  };

  Prior prior_scores(size_t i) const {
    const Sample& sample = problem_.samples[i];
    Prior prior;
    prior.dense = solution_.bias;
    if (options_.initial == nullptr) return prior;
    const float* dense =
        problem_.dense.data() + sample.dense * problem_.dense_count;
    for (size_t f = 0; f < problem_.dense_count; ++f) {
      for (size_t h = 0; h < kHeads; ++h) {
        prior.dense[h] += dense[f] * solution_.dense[f][h];
      }
    }
    for (uint32_t e = sample.entry_begin; e < sample.entry_end; ++e) {
      const bool edge = e >= sample.edge_begin;
      const Entry entry = problem_.entries[e];
      const float factor = (edge ? sample.edge_norm : sample.norm) *
                           static_cast<float>(entry.count);
      for (size_t h = 0; h < kHeads; ++h) {
        if (edge && h >= layout_.difficulty && h != layout_.length) continue;
        prior.grams[h] += factor * solution_.rows[entry.row][h];
      }
    }
    return prior;
  }

  // Adds what was fitted to the solution, as weights of raw features.
  void take(const Fit& fit, std::span<const double> x, size_t first_head) {
    const LinearHeads& heads = fit.heads();
    for (size_t h = 0; h < heads.heads(); ++h) {
      const size_t to = first_head + h;
      for (size_t row = 0; row < solution_.rows.size(); ++row) {
        solution_.rows[row][to] +=
            static_cast<float>(heads.row_weight(x, row, h));
      }
      double bias = heads.bias(x, h);
      for (size_t i = 0; i < problem_.dense_count; ++i) {
        const double weight = heads.dense_weight(x, i, h) *
                              static_cast<double>(dense_.inverse(i));
        solution_.dense[i][to] += static_cast<float>(weight);
        bias -= weight * static_cast<double>(dense_.mean(i));
      }
      solution_.bias[to] += static_cast<float>(bias);
    }
  }

  // Rare domains count for more.
  std::array<double, core::kDomainCount> domain_weights() const {
    std::array<double, core::kDomainCount> weight{};
    double all = 0;
    for (const Sample& sample : problem_.samples) {
      if (sample.domain < 0) continue;
      const auto w = static_cast<double>(sample.weight);
      weight[static_cast<size_t>(sample.domain)] += w;
      all += w;
    }
    for (double& w : weight) {
      const double even = all / static_cast<double>(weight.size());
      w = std::clamp(std::pow(even / (w + 1), options_.domain_balance), 0.5,
                     4.0);
    }
    return weight;
  }

  static Mix softmax(const double* scores) {
    Mix p{};
    double best = scores[0], sum = 0;
    for (size_t d = 1; d < p.size(); ++d) best = std::max(best, scores[d]);
    for (size_t d = 0; d < p.size(); ++d) {
      sum += p[d] = std::exp(scores[d] - best);
    }
    for (double& value : p) value /= sum;
    return p;
  }

  void fit_domains() {
    LinearHeads heads(problem_, dense_, core::kDomainCount, true,
                      pulled(options_.domain));
    for (size_t i = 0; i < problem_.dense_count; ++i) {
      if (!problem_.tells_domain[i]) heads.forbid_dense(i);
    }
    Fit fit(problem_, options_, std::move(heads), 0);
    const auto weights = domain_weights();
    const auto with_prior = [&](size_t i, const double* scores) {
      std::array<double, core::kDomainCount> all{};
      for (size_t d = 0; d < all.size(); ++d) {
        all[d] = scores[d] + static_cast<double>(prior_[i].all(d));
      }
      return softmax(all.data());
    };
    solution_.converged &= fit.run(
        "domains", options_.domain_gain,
        [](const Sample& sample) { return sample.domain >= 0; },
        [](const Sample&) { return 1.0F; },
        [&](size_t i, std::span<double>) {
          const Sample& sample = problem_.samples[i];
          return static_cast<double>(sample.weight) / 8 *
                 weights[static_cast<size_t>(sample.domain)];
        },
        [&](size_t i, const double* scores, double* of_scores,
            std::span<const double>, std::span<double>) {
          const Sample& sample = problem_.samples[i];
          const auto label = static_cast<size_t>(sample.domain);
          const double weight =
              static_cast<double>(sample.weight) * weights[label];
          const Mix p = with_prior(i, scores);
          for (size_t d = 0; d < p.size(); ++d) {
            of_scores[d] = weight * (p[d] - (d == label ? 1.0 : 0.0));
          }
          return -weight * std::log(std::max(p[label], 1e-12));
        },
        kNoPenalty);
    take(fit, fit.x(), 0);
    mix_.resize(problem_.samples.size());
    std::array<double, kHeads> scores{};
    for (size_t i = 0; i < mix_.size(); ++i) {
      const Sample& sample = problem_.samples[i];
      if (sample.domain >= 0) {
        mix_[i][static_cast<size_t>(sample.domain)] = 1;
        continue;
      }
      fit.heads().scores(fit.x(), sample, 1, scores.data());
      mix_[i] = with_prior(i, scores.data());
    }
  }

  // The further variables of the difficulty: bases of domains, intercepts of
  // sources, and of each model a general ability and departures in domains.
  struct Places {
    size_t base = 0, intercept, ability, count;
    size_t ability_of(size_t model) const {
      return ability + model * (1 + core::kDomainCount);
    }
  };

  Places places() const {
    Places at{};
    at.intercept = core::kDomainCount;
    at.ability = at.intercept + problem_.source_count;
    at.count =
        at.ability + problem_.known_ability.size() * (1 + core::kDomainCount);
    return at;
  }

  float familiar(const Sample& sample) const {
    return std::pow(sample.coverage, options_.shrink);
  }

  double prior_difficulty(size_t i) const {
    const float share = familiar(problem_.samples[i]);
    const Prior& prior = prior_[i];
    const auto head = [&](size_t h) {
      return static_cast<double>(prior.dense[h] + share * prior.grams[h]);
    };
    double sum = head(layout_.difficulty);
    for (size_t d = 0; d < mix_[i].size(); ++d) {
      sum += mix_[i][d] * (static_cast<double>(solution_.base[d]) +
                           head(layout_.family + layout_.family_of[d]));
    }
    return sum;
  }

  void fit_difficulty() {
    const Places at = places();
    Fit fit(problem_, options_,
            LinearHeads(problem_, dense_, 1 + layout_.family_count, false,
                        pulled(options_.difficulty)),
            at.count);
    std::vector<double> prior(problem_.samples.size());
    for (size_t i = 0; i < prior.size(); ++i) prior[i] = prior_difficulty(i);
    const auto use = [](const Sample& sample) {
      return sample.outcome_end > sample.outcome_begin || sample.level >= 0 ||
             sample.difficulty != kNoDifficulty;
    };
    const auto loss = [&](size_t i, const double* scores, double* of_scores,
                          std::span<const double> further,
                          std::span<double> of_further) {
      const Mix& mix = mix_[i];
      double difficulty = prior[i] + scores[0];
      for (size_t d = 0; d < mix.size(); ++d) {
        difficulty +=
            mix[d] * (further[at.base + d] + scores[1 + layout_.family_of[d]]);
      }
      double slope = 0;  // d(loss)/d(difficulty)
      const double value =
          outcome_loss(i, difficulty, further, of_further, at, slope) +
          level_loss(problem_.samples[i], difficulty, slope);
      of_scores[0] = slope;
      for (size_t d = 0; d < mix.size(); ++d) {
        of_scores[1 + layout_.family_of[d]] += slope * mix[d];
        of_further[at.base + d] += slope * mix[d];
      }
      return value;
    };
    const auto penalty = [&](std::span<const double> further,
                             std::span<double> of_further) {
      return further_penalty(further, of_further, at);
    };
    solution_.converged &= fit.run(
        "difficulty", difficulty_gain(), use,
        [&](const Sample& sample) { return familiar(sample); },
        [&](size_t i, std::span<double> of_further) {
          return difficulty_curvature(i, of_further, at);
        },
        loss, penalty);
    take(fit, fit.x(), layout_.difficulty);
    take_further(fit.further(), at);
  }

  double ability(std::span<const double> further, const Places& at,
                 size_t model, const Mix& mix) const {
    if (const auto& known = problem_.known_ability[model]) {
      return core::mean_over(mix, *known);
    }
    const size_t place = at.ability_of(model);
    double sum = kMeanAbility + further[place];
    for (size_t d = 0; d < mix.size(); ++d) {
      sum += mix[d] * further[place + 1 + d];
    }
    return sum;
  }

  double outcome_loss(size_t i, double difficulty,
                      std::span<const double> further,
                      std::span<double> of_further, const Places& at,
                      double& slope_out) const {
    const Sample& sample = problem_.samples[i];
    const uint32_t count = sample.outcome_end - sample.outcome_begin;
    if (count == 0) return 0;
    const auto s = static_cast<double>(options_.slope);
    const size_t intercept = at.intercept + sample.source;
    const double weight = outcome_weight(sample);
    double value = 0, all = 0;
    for (uint32_t o = sample.outcome_begin; o < sample.outcome_end; ++o) {
      const Outcome& outcome = problem_.outcomes[o];
      const auto score = static_cast<double>(outcome.score);
      const double x = s * (ability(further, at, outcome.model, mix_[i]) -
                            difficulty - further[intercept]);
      value += weight * logistic_loss(x, score);
      const double of_ability = weight * s * (sigmoid(x) - score);
      all += of_ability;
      if (problem_.known_ability[outcome.model]) continue;
      const size_t place = at.ability_of(outcome.model);
      of_further[place] += of_ability;
      for (size_t d = 0; d < mix_[i].size(); ++d) {
        of_further[place + 1 + d] += of_ability * mix_[i][d];
      }
    }
    of_further[intercept] -= all;
    slope_out -= all;
    return value;
  }

  double outcome_weight(const Sample& sample) const {
    const uint32_t count = sample.outcome_end - sample.outcome_begin;
    return static_cast<double>(sample.weight) *
           std::sqrt(std::min(count, 16U)) / count;
  }

  double level_weight(const Sample& sample) const {
    return options_.level_weight * static_cast<double>(sample.weight) *
           static_cast<double>(sample.difficulty_weight);
  }

  double difficulty_curvature(size_t i, std::span<double> of_further,
                              const Places& at) const {
    constexpr double kOfOutcome = 0.15;  // p (1 - p), on average
    const Sample& sample = problem_.samples[i];
    const auto s = static_cast<double>(options_.slope);
    double all = sample.level >= 0 || sample.difficulty != kNoDifficulty
                     ? level_weight(sample)
                     : 0;
    for (uint32_t o = sample.outcome_begin; o < sample.outcome_end; ++o) {
      const double one = outcome_weight(sample) * s * s * kOfOutcome;
      all += one;
      const size_t place = at.ability_of(problem_.outcomes[o].model);
      of_further[place] += one;
      for (size_t d = 0; d < mix_[i].size(); ++d) {
        of_further[place + 1 + d] += one * mix_[i][d] * mix_[i][d];
      }
    }
    of_further[at.intercept + sample.source] += all;
    for (size_t d = 0; d < mix_[i].size(); ++d) {
      of_further[at.base + d] += all * mix_[i][d] * mix_[i][d];
    }
    return all;
  }

  double level_loss(const Sample& sample, double difficulty,
                    double& slope_out) const {
    const bool given = sample.difficulty != kNoDifficulty;
    if (!given && sample.level < 0) return 0;
    const LevelBounds bounds =
        given ? LevelBounds{sample.difficulty, sample.difficulty}
              : level_bounds(sample.level, sample.small_talk);
    const auto low = static_cast<double>(bounds.low);
    const auto high = static_cast<double>(bounds.high);
    const double off = difficulty - std::clamp(difficulty, low, high);
    const double weight = level_weight(sample);
    double derivative = 0;
    const double value = weight * robust_square(off, derivative);
    slope_out += weight * derivative;
    return value;
  }

  double further_penalty(std::span<const double> further,
                         std::span<double> of_further, const Places& at) const {
    double value = 0;
    const auto pull = [&](size_t i, double penalty) {
      value += penalty * further[i] * further[i] / 2;
      of_further[i] += penalty * further[i];
    };
    for (size_t d = 0; d < core::kDomainCount; ++d) {
      pull(at.base + d, kBasePenalty);
    }
    for (size_t s = 0; s < problem_.source_count; ++s) {
      pull(at.intercept + s, options_.intercept_penalty);
    }
    for (size_t m = 0; m < problem_.known_ability.size(); ++m) {
      pull(at.ability_of(m), kAbilityPenalty);
      for (size_t d = 0; d < core::kDomainCount; ++d) {
        pull(at.ability_of(m) + 1 + d, options_.departure_penalty);
      }
    }
    return value;
  }

  void take_further(std::span<const double> further, const Places& at) {
    for (size_t d = 0; d < core::kDomainCount; ++d) {
      solution_.base[d] += static_cast<float>(further[at.base + d]);
    }
    for (size_t s = 0; s < problem_.source_count; ++s) {
      solution_.intercept[s] = static_cast<float>(further[at.intercept + s]);
    }
    for (size_t m = 0; m < problem_.known_ability.size(); ++m) {
      core::PerDomain& to = solution_.ability.emplace_back();
      for (size_t d = 0; d < to.size(); ++d) {
        Mix only{};
        only[d] = 1;
        to[d] = ability(further, at, m, only);
      }
    }
  }

  void fit_length() {
    Fit fit(problem_, options_,
            LinearHeads(problem_, dense_, 1, true, pulled(options_.length)), 0);
    solution_.converged &= fit.run(
        "length", options_.length_gain,
        [](const Sample& sample) { return sample.log_tokens > 0; },
        [](const Sample&) { return 1.0F; },
        [&](size_t i, std::span<double>) {
          return static_cast<double>(problem_.samples[i].weight);
        },
        [&](size_t i, const double* scores, double* of_scores,
            std::span<const double>, std::span<double>) {
          const Sample& sample = problem_.samples[i];
          const auto weight = static_cast<double>(sample.weight);
          const double off =
              scores[0] + static_cast<double>(prior_[i].all(layout_.length)) -
              static_cast<double>(sample.log_tokens);
          const double value = weight * robust_square(off, of_scores[0]);
          of_scores[0] *= weight;
          return value;
        },
        kNoPenalty);
    take(fit, fit.x(), layout_.length);
  }

  const Problem& problem_;
  const SolverOptions& options_;
  const HeadLayout layout_;
  const Standardised dense_;
  Solution solution_;
  std::vector<Prior> prior_;  // per sample
  std::vector<Mix> mix_;      // per sample
};

}  // namespace

LevelBounds level_bounds(int level, bool small_talk) {
  if (small_talk) return {-8, -4};
  if (level == 0) return {-8, -3.5F};
  if (level == 1) return {-3.5F, 0};
  return {0, 8};
}

Solution solve(const Problem& problem, const SolverOptions& options) {
  return Solver(problem, options).run();
}

}  // namespace llmroute::learning
