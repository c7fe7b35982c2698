#include "learning/solver.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "learning/random.h"

namespace llmroute::learning {
namespace {

// One float per head; the loops become vector instructions.
struct Vector {
  alignas(64) std::array<float, kHeads> at{};

  Vector() = default;
  explicit Vector(const HeadWeights& from) : at(from) {}
  float& operator[](size_t h) { return at[h]; }
  float operator[](size_t h) const { return at[h]; }
  Vector& operator*=(float x) {
    for (float& value : at) value *= x;
    return *this;
  }
};

void add_scaled(Vector& to, const HeadWeights& row, float x) {
  for (size_t h = 0; h < kHeads; ++h) to.at[h] += x * row[h];
}

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

constexpr float kInitialSquare = 1e-4F;
constexpr float kAbilityRate = 0.02F;
constexpr double kDeparturePull = 0.02;
constexpr float kInterceptRate = 0.02F;
constexpr float kLengthPrior = 5.5F;  // e^5.5 = 245 tokens
constexpr float kDomainWeight = 1.0F;

class Solver {
 public:
  Solver(const Problem& problem, const SolverOptions& options)
      : problem_(problem), options_(options), layout_(problem.layout) {}

  Solution run() {
    prepare();
    std::vector<uint32_t> order(problem_.samples.size());
    std::iota(order.begin(), order.end(), 0U);
    Random random(options_.seed);
    const uint32_t alone = options_.initial ? 0 : options_.dense_epochs;
    const uint32_t all = alone + options_.epochs;
    for (uint32_t epoch = 0; epoch < all; ++epoch) {
      shuffle(order, random);
      with_grams_ = epoch >= alone;
      rate_ = 1 - 0.9F * static_cast<float>(epoch) / static_cast<float>(all);
      double loss = 0;
      for (const uint32_t i : order) loss += step(problem_.samples[i]);
      if (!options_.initial) decay();
      if (options_.progress) {
        options_.progress(epoch + 1, all,
                          loss / static_cast<double>(order.size()));
      }
    }
    return finish();
  }

 private:
  struct Forward {
    Vector grams{}, dense{};
    std::array<float, core::kDomainCount> domain{};  // probabilities
    std::array<float, core::kDomainCount> mix{};     // of them for difficulty
    float familiar = 0;
    float difficulty = 0;
  };

  void prepare() {
    solution_.rows.assign(size_t{1} << problem_.bucket_bits, HeadWeights{});
    solution_.dense.assign(problem_.dense_count, HeadWeights{});
    solution_.slope = options_.slope;
    solution_.intercept.assign(problem_.source_count, 0.0F);
    row_squares_.assign(solution_.rows.size(), initial_squares());
    dense_squares_.assign(problem_.dense_count, initial_squares());
    bias_squares_ = initial_squares();
    base_squares_.fill(kInitialSquare);
    dense_rates_.fill(options_.dense_rate);
    other_dense_rates_ = dense_rates_;
    std::fill_n(other_dense_rates_.begin(), core::kDomainCount, 0.0F);
    row_rates_.fill(options_.difficulty_rate);
    row_rates_[layout_.length] = options_.length_rate;
    for (size_t d = 0; d < core::kDomainCount; ++d) {
      row_rates_[d] = options_.domain_rate;
    }
    solution_.bias[layout_.length] = kLengthPrior;
    for (const auto& known : problem_.known_ability) {
      core::PerDomain unknown;
      unknown.fill(-0.8);
      solution_.ability.push_back(known.value_or(unknown));
      general_.push_back(unknown[0]);
    }
    weigh_domains();
    standardise();
    if (options_.initial) start_from(*options_.initial);
  }

  // The inverse of finish(): weights for raw features to standardised ones.
  void start_from(const Solution& initial) {
    solution_.rows = initial.rows;
    solution_.bias = initial.bias;
    solution_.base = initial.base;
    for (size_t i = 0; i < problem_.dense_count; ++i) {
      const float deviation = inverse_[i] == 0 ? 0 : 1 / inverse_[i];
      for (size_t h = 0; h < kHeads; ++h) {
        solution_.dense[i][h] = initial.dense[i][h] * deviation;
        solution_.bias[h] += initial.dense[i][h] * mean_[i];
      }
    }
  }

  static HeadWeights initial_squares() {
    HeadWeights squares;
    squares.fill(kInitialSquare);
    return squares;
  }

  // Rare domains count for more, by the square root of how rare they are.
  void weigh_domains() {
    std::array<float, core::kDomainCount> weight{};
    float all = 0;
    for (const Sample& sample : problem_.samples) {
      if (sample.domain < 0) continue;
      weight[static_cast<size_t>(sample.domain)] += sample.weight;
      all += sample.weight;
    }
    for (size_t d = 0; d < weight.size(); ++d) {
      const float even = all / static_cast<float>(weight.size());
      domain_weights_[d] =
          std::clamp(std::pow(even / (weight[d] + 1), options_.domain_balance),
                     0.5F, 4.0F);
    }
  }

  void standardise() {
    const size_t count = problem_.dense_count;
    mean_.assign(count, 0);
    inverse_.assign(count, 0);
    const double n = static_cast<double>(problem_.samples.size());
    for (size_t i = 0; i < count; ++i) {
      double sum = 0, squares = 0;
      for (const Sample& sample : problem_.samples) {
        const double x = static_cast<double>(dense_of(sample)[i]);
        sum += x;
        squares += x * x;
      }
      const double mean = sum / n;
      const double deviation = std::sqrt(squares / n - mean * mean);
      mean_[i] = static_cast<float>(mean);
      inverse_[i] = deviation > 1e-4 ? static_cast<float>(1 / deviation) : 0;
    }
  }

  const float* dense_of(const Sample& sample) const {
    return problem_.dense.data() + sample.dense * problem_.dense_count;
  }

  float standard(const float* dense, size_t i) const {
    return std::clamp((dense[i] - mean_[i]) * inverse_[i], -4.0F, 4.0F);
  }

  Forward forward(const Sample& sample) const {
    Forward f;
    f.dense = Vector(solution_.bias);
    const float* dense = dense_of(sample);
    for (size_t i = 0; i < problem_.dense_count; ++i) {
      add_scaled(f.dense, solution_.dense[i], standard(dense, i));
    }
    if (with_grams_) {
      add_rows(f.grams, sample.entry_begin, sample.edge_begin, sample.norm);
      add_rows(f.grams, sample.edge_begin, sample.entry_end, sample.edge_norm);
    }
    f.familiar = std::pow(sample.coverage, options_.shrink);
    softmax(f);
    mix_domains(sample, f);
    f.difficulty = difficulty(f);
    return f;
  }

  void add_rows(Vector& to, uint32_t begin, uint32_t end, float norm) const {
    for (uint32_t e = begin; e < end; ++e) {
      const Entry entry = problem_.entries[e];
      add_scaled(to, solution_.rows[entry.row],
                 norm * static_cast<float>(entry.count));
    }
  }

  static void softmax(Forward& f) {
    float best = -1e30F;
    for (size_t d = 0; d < f.domain.size(); ++d) {
      f.domain[d] = f.grams[d] + f.dense[d];
      best = std::max(best, f.domain[d]);
    }
    float sum = 0;
    for (float& p : f.domain) sum += p = std::exp(p - best);
    for (float& p : f.domain) p /= sum;
  }

  static void mix_domains(const Sample& sample, Forward& f) {
    f.mix = f.domain;
    if (sample.domain < 0) return;
    f.mix.fill(0);
    f.mix[static_cast<size_t>(sample.domain)] = 1;
  }

  float difficulty(const Forward& f) const {
    const auto head = [&](size_t h) {
      return f.dense[h] + f.familiar * f.grams[h];
    };
    float sum = head(layout_.difficulty);
    for (size_t d = 0; d < f.mix.size(); ++d) {
      sum += f.mix[d] *
             (solution_.base[d] + head(layout_.family + layout_.family_of[d]));
    }
    return sum;
  }

  double step(const Sample& sample) {
    const Forward f = forward(sample);
    Vector gradient{};
    double loss = domain_loss(sample, f, gradient);
    float slope_of_difficulty = 0;
    loss += outcome_loss(sample, f, slope_of_difficulty);
    loss += level_loss(sample, f, slope_of_difficulty);
    loss += length_loss(sample, f, gradient);
    gradient[layout_.difficulty] = slope_of_difficulty;
    for (size_t d = 0; d < f.mix.size(); ++d) {
      const float part = slope_of_difficulty * f.mix[d];
      gradient[layout_.family + layout_.family_of[d]] += part;
      adagrad(solution_.base[d], base_squares_[d], part, 0.5F);
    }
    update(sample, f, gradient);
    return loss;
  }

  double domain_loss(const Sample& sample, const Forward& f, Vector& gradient) {
    if (sample.domain < 0) return 0;
    const auto label = static_cast<size_t>(sample.domain);
    const float weight = kDomainWeight * sample.weight * domain_weights_[label];
    for (size_t d = 0; d < f.domain.size(); ++d) {
      gradient[d] = weight * (f.domain[d] - (d == label ? 1.0F : 0.0F));
    }
    return static_cast<double>(-weight * std::log(f.domain[label] + 1e-9F));
  }

  double outcome_loss(const Sample& sample, const Forward& f,
                      float& slope_out) {
    const uint32_t count = sample.outcome_end - sample.outcome_begin;
    if (count == 0) return 0;
    const float s = solution_.slope;
    float& intercept = solution_.intercept[sample.source];
    const float weight = sample.weight *
                         std::sqrt(static_cast<float>(std::min(count, 16U))) /
                         static_cast<float>(count);
    float sum = 0;
    double loss = 0;
    for (uint32_t o = sample.outcome_begin; o < sample.outcome_end; ++o) {
      const Outcome& outcome = problem_.outcomes[o];
      const float ability = ability_of(outcome.model, f);
      const float p = sigmoid(s * (ability - f.difficulty - intercept));
      const float error = outcome.score - p;
      sum += s * error;
      fit_ability(outcome.model, f, s * error);
      loss -=
          static_cast<double>(outcome.score * std::log(p + 1e-9F) +
                              (1 - outcome.score) * std::log(1 - p + 1e-9F));
    }
    slope_out += weight * sum;
    intercept -= rate_ * kInterceptRate *
                 (weight * sum + options_.intercept_pull * intercept);
    return static_cast<double>(weight) * loss;
  }

  float ability_of(uint32_t model, const Forward& f) const {
    const core::PerDomain& ability = solution_.ability[model];
    double sum = 0;
    for (size_t d = 0; d < ability.size(); ++d) {
      sum += static_cast<double>(f.mix[d]) * ability[d];
    }
    return static_cast<float>(sum);
  }

  // A model that is not known has a general ability and departures from it in
  // domains, which are pulled to zero.
  void fit_ability(uint32_t model, const Forward& f, float error) {
    if (problem_.known_ability[model]) return;
    core::PerDomain& ability = solution_.ability[model];
    double& general = general_[model];
    const double step = static_cast<double>(rate_ * kAbilityRate);
    const double before = general;
    general += step * (static_cast<double>(error) - 0.002 * (general + 0.8));
    for (size_t d = 0; d < ability.size(); ++d) {
      double departure = ability[d] - before;
      departure += step * (0.5 * static_cast<double>(error * f.mix[d]) -
                           kDeparturePull * departure);
      ability[d] = general + departure;
    }
  }

  double level_loss(const Sample& sample, const Forward& f, float& slope_out) {
    LevelBounds bounds{sample.difficulty, sample.difficulty};
    if (sample.difficulty == kNoDifficulty) {
      if (sample.level < 0) return 0;
      bounds = level_bounds(sample.level, sample.small_talk);
    }
    float off = 0;
    if (f.difficulty < bounds.low) off = f.difficulty - bounds.low;
    if (f.difficulty > bounds.high) off = f.difficulty - bounds.high;
    const float weight =
        options_.level_weight * sample.weight *
        (sample.difficulty == kNoDifficulty ? 1.0F : options_.number_weight);
    slope_out += weight * std::clamp(off, -2.0F, 2.0F);
    return static_cast<double>(0.5F * weight * off * off);
  }

  double length_loss(const Sample& sample, const Forward& f, Vector& gradient) {
    const size_t h = layout_.length;
    if (sample.log_tokens <= 0) return 0;
    const float weight = sample.weight;
    const float off = f.grams[h] + f.dense[h] - sample.log_tokens;
    gradient[h] = weight * std::clamp(off, -2.0F, 2.0F);
    return static_cast<double>(0.5F * weight * off * off);
  }

  void adagrad(float& weight, float& square, float gradient, float rate) const {
    square += gradient * gradient;
    weight -= rate_ * rate * gradient / std::sqrt(square);
  }

  void update(const Sample& sample, const Forward& f, const Vector& gradient) {
    apply(solution_.bias, bias_squares_, gradient, 1, dense_rates_);
    const float* dense = dense_of(sample);
    for (size_t i = 0; i < problem_.dense_count; ++i) {
      const float x = standard(dense, i);
      if (x != 0) {
        apply(solution_.dense[i], dense_squares_[i], gradient, x,
              problem_.tells_domain[i] ? dense_rates_ : other_dense_rates_);
      }
    }
    if (!with_grams_) return;
    Vector scaled = gradient;
    for (size_t h = layout_.difficulty;
         h < layout_.family + layout_.family_count; ++h) {
      scaled[h] *= f.familiar;
    }
    update_rows(scaled, sample.entry_begin, sample.edge_begin, sample.norm);
    update_rows(scaled, sample.edge_begin, sample.entry_end, sample.edge_norm);
  }

  void update_rows(const Vector& gradient, uint32_t begin, uint32_t end,
                   float norm) {
    for (uint32_t e = begin; e < end; ++e) {
      const Entry entry = problem_.entries[e];
      apply(solution_.rows[entry.row], row_squares_[entry.row], gradient,
            norm * static_cast<float>(entry.count), row_rates_);
    }
  }

  void apply(HeadWeights& weights, HeadWeights& squares, const Vector& gradient,
             float x, const HeadWeights& rates) const {
    for (size_t h = 0; h < kHeads; ++h) {
      const float g = gradient.at[h] * x;
      squares[h] += g * g;
      weights[h] -= rate_ * rates[h] * g / std::sqrt(squares[h]);
    }
  }

  void decay() {
    HeadWeights keep;
    keep.fill(1 - options_.domain_decay);
    for (size_t h = layout_.difficulty; h <= layout_.length; ++h) {
      keep[h] = 1 - options_.difficulty_decay;
    }
    if (with_grams_) {
      for (HeadWeights& row : solution_.rows) {
        for (size_t h = 0; h < kHeads; ++h) row[h] *= keep[h];
      }
    }
    for (HeadWeights& row : solution_.dense) {
      for (size_t h = layout_.difficulty; h < layout_.length; ++h) {
        row[h] *= 1 - options_.dense_decay;
      }
    }
  }

  // Folds the standardisation into the weights, so that raw features fit.
  Solution finish() {
    for (size_t i = 0; i < problem_.dense_count; ++i) {
      for (size_t h = 0; h < kHeads; ++h) {
        float& weight = solution_.dense[i][h];
        weight *= inverse_[i];
        solution_.bias[h] -= weight * mean_[i];
      }
    }
    return std::move(solution_);
  }

  const Problem& problem_;
  const SolverOptions& options_;
  const HeadLayout layout_;
  Solution solution_;
  std::vector<HeadWeights> row_squares_, dense_squares_;
  HeadWeights bias_squares_{}, dense_rates_{}, other_dense_rates_{},
      row_rates_{};
  std::array<float, core::kDomainCount> base_squares_{};
  std::vector<double> general_;  // ability of each model over all domains
  std::array<float, core::kDomainCount> domain_weights_{};
  std::vector<float> mean_, inverse_;
  bool with_grams_ = false;
  float rate_ = 1;
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
