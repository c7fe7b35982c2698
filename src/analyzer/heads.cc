#include "analyzer/heads.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace llmroute::analyzer {

double coverage_of(const Evidence& evidence) {
  if (evidence.grams == 0) return 0;
  return static_cast<double>(evidence.known) / evidence.grams;
}

double gram_norm(uint32_t count) {
  return count == 0 ? 0 : 1 / std::sqrt(static_cast<double>(count));
}

namespace {

using Four = float __attribute__((vector_size(16)));

Four load(const float* from) {
  Four four;
  std::memcpy(&four, from, sizeof four);
  return four;
}

// Bias and features that are not zero, which most are, times their rows; the
// heads stay in registers.
std::array<float, kHeadCount> dense_part(const Model& model,
                                         const DenseFeatures& features) {
  static_assert(kHeadCount == 16);
  uint32_t present[kDenseCount];
  size_t count = 0;
  const float* values = features.data();
  for (uint32_t i = 0; i < kDenseCount; ++i) {
    present[count] = i;
    count += std::bit_cast<uint32_t>(values[i]) != 0;
  }
  const float* bias = model.bias.data();
  Four a = load(bias), b = load(bias + 4), c = load(bias + 8),
       d = load(bias + 12);
  for (size_t i = 0; i < count; ++i) {
    const float value = values[present[i]];
    const float* row = (model.dense.data() + present[i])->data();
    a += value * load(row);
    b += value * load(row + 4);
    c += value * load(row + 8);
    d += value * load(row + 12);
  }
  std::array<float, kHeadCount> sums;
  std::memcpy(sums.data(), &a, sizeof a);
  std::memcpy(sums.data() + 4, &b, sizeof b);
  std::memcpy(sums.data() + 8, &c, sizeof c);
  std::memcpy(sums.data() + 12, &d, sizeof d);
  return sums;
}

}  // namespace

Scores head_scores(const Model& model, const Evidence& evidence) {
  Scores scores;
  const double norm = gram_norm(evidence.grams);
  const double edge_norm = gram_norm(evidence.edges);
  const std::array<float, kHeadCount> dense = dense_part(model, evidence.dense);
  for (size_t h = 0; h < kHeadCount; ++h) {
    const double edges = sees_edges(h) ? evidence.edge_sums[h] * edge_norm : 0;
    scores.grams[h] = (evidence.sums[h] * norm + edges) *
                      static_cast<double>(model.gram_scale[h]);
    scores.dense[h] = dense[h];
  }
  return scores;
}

OwnInputs own_inputs(const Scores& scores, const DenseFeatures& dense) {
  OwnInputs inputs{};
  for (size_t h = 0; h < kHeadCount; ++h) {
    inputs[h] = static_cast<float>(scores.grams[h]);
  }
  std::copy(dense.begin(), dense.end(), inputs.begin() + kHeadCount);
  return inputs;
}

core::PerDomain domain_probabilities(const Scores& scores) {
  core::PerDomain domain{};
  double best = -1e300;
  for (size_t d = 0; d < domain.size(); ++d) {
    domain[d] = scores.grams[d] + scores.dense[d];
    best = std::max(best, domain[d]);
  }
  double sum = 0;
  for (double& value : domain) sum += value = std::exp(value - best);
  for (double& value : domain) value /= sum;
  return domain;
}

double difficulty_of(const Model& model, const Scores& scores,
                     const core::PerDomain& domain, double coverage) {
  const double familiar = std::pow(coverage, model.shrink);
  const auto head = [&](size_t h) {
    return scores.dense[h] + familiar * scores.grams[h];
  };
  double difficulty = head(kDifficultyHead);
  for (size_t d = 0; d < domain.size(); ++d) {
    difficulty +=
        domain[d] * (model.base[d] + head(kFamilyHead + kFamilyOf[d]));
  }
  return difficulty;
}

namespace {

// 1 when one domain is certain, 0 when all are equally likely: one minus the
// normalised entropy.
double peakedness(const core::PerDomain& domain) {
  double entropy = 0;
  for (const double p : domain) entropy -= p > 0 ? p * std::log(p) : 0;
  return 1 - entropy / std::log(static_cast<double>(domain.size()));
}

// Difficulties beyond what training names are extrapolation.
constexpr double kEasiest = -7, kHardest = 4;
// Like the difficulty's n-grams, what was learned of single models counts as
// far as the prompt is of a kind that was seen.
void append_learned(const Model& model, const Evidence& evidence,
                    const Scores& scores, core::Analysis& analysis) {
  if (model.own.empty()) return;
  const OwnInputs inputs = own_inputs(scores, evidence.dense);
  const double familiar = std::pow(analysis.coverage, model.shrink);
  for (const OwnHead& head : model.own) {
    double sum = static_cast<double>(head.bias);
    for (size_t i = 0; i < inputs.size(); ++i) {
      sum += static_cast<double>(head.weight[i] * inputs[i]);
    }
    analysis.learned.push_back(
        {head.model.data(), familiar * std::clamp(sum, -kMostOwn, kMostOwn)});
  }
}

// Beyond what training saw, a prompt with much context would promise a book.
constexpr double kFewestTokens = 4, kMostTokens = 4000;

}  // namespace

core::Analysis judge(const Model& model, const Evidence& evidence) {
  core::Analysis analysis;
  const Scores scores = head_scores(model, evidence);
  analysis.domain = domain_probabilities(scores);
  analysis.coverage = coverage_of(evidence);
  analysis.difficulty = std::clamp(
      difficulty_of(model, scores, analysis.domain, analysis.coverage),
      kEasiest, kHardest);
  analysis.slope = model.slope;
  analysis.confidence =
      std::sqrt(analysis.coverage * peakedness(analysis.domain));
  append_learned(model, evidence, scores, analysis);
  const double length = scores.grams[kLengthHead] + scores.dense[kLengthHead];
  analysis.output_tokens =
      std::clamp(std::exp(std::min(length, 20.0)), kFewestTokens, kMostTokens);
  return analysis;
}

}  // namespace llmroute::analyzer
