#include "learning/linear_heads.h"

#include <algorithm>
#include <cmath>

namespace llmroute::learning {
namespace {

// Two at a time; REQUIRES: an even count.
void add_scaled(double* to, double factor, const double* what, size_t count) {
  using Two = double __attribute__((vector_size(16), aligned(8), may_alias));
  for (size_t h = 0; h < count; h += 2) {
    *reinterpret_cast<Two*>(to + h) +=
        factor * *reinterpret_cast<const Two*>(what + h);
  }
}

}  // namespace

Standardised::Standardised(const Problem& problem,
                           std::span<const uint32_t> fitted, double least)
    : count_(problem.dense_count), mean_(count_), inverse_(count_) {
  const double n = static_cast<double>(fitted.size());
  std::vector<double> sum(count_), squares(count_);
  for (const uint32_t s : fitted) {
    const float* raw = problem.dense.data() + problem.samples[s].dense * count_;
    for (size_t i = 0; i < count_; ++i) {
      const auto x = static_cast<double>(raw[i]);
      sum[i] += x;
      squares[i] += x * x;
    }
  }
  for (size_t i = 0; i < count_; ++i) {
    const double mean = sum[i] / n;
    const double deviation =
        std::sqrt(std::max(squares[i] / n - mean * mean, 0.0));
    mean_[i] = static_cast<float>(mean);
    inverse_[i] = deviation > 1e-4
                      ? static_cast<float>(1 / std::max(deviation, least))
                      : 0;
  }
  values_.reserve(problem.samples.size() * count_);
  for (const Sample& sample : problem.samples) {
    const float* raw = problem.dense.data() + sample.dense * count_;
    for (size_t i = 0; i < count_; ++i) {
      values_.push_back((raw[i] - mean_[i]) * inverse_[i]);
    }
  }
}

LinearHeads::LinearHeads(const Problem& problem, const Standardised& dense,
                         size_t heads, bool edges, Penalties penalties)
    : problem_(problem),
      dense_(dense),
      heads_(heads),
      stride_((heads + 1) & ~size_t{1}),
      rows_(size_t{1} << problem.bucket_bits),
      dense_count_(problem.dense_count),
      edges_(edges),
      gram_scale_(1 / std::sqrt(penalties.grams)),
      dense_scale_(1 / std::sqrt(penalties.dense)),
      bias_penalty_(penalties.bias),
      forbidden_(dense_count_) {}

void LinearHeads::forbid_dense(size_t i) { forbidden_[i] = true; }

// Every row of variables that the sample touches, with its factor.
template <class Visit>
void LinearHeads::visit(const Sample& sample, float familiar,
                        const Visit& visit) const {
  const auto rows = [&](uint32_t begin, uint32_t end, double norm) {
    for (uint32_t e = begin; e < end; ++e) {
      const Entry entry = problem_.entries[e];
      visit(entry.row * stride_, norm * entry.count);
    }
  };
  const double scale = gram_scale_ * static_cast<double>(familiar);
  if (scale != 0) {
    rows(sample.entry_begin, sample.edge_begin,
         scale * static_cast<double>(sample.norm));
    if (edges_) {
      rows(sample.edge_begin, sample.entry_end,
           scale * static_cast<double>(sample.edge_norm));
    }
  }
  const std::span<const float> dense = dense_.of(sample.dense);
  for (size_t i = 0; i < dense_count_; ++i) {
    if (dense[i] == 0 || forbidden_[i]) continue;
    visit((rows_ + i) * stride_, dense_scale_ * static_cast<double>(dense[i]));
  }
  visit((rows_ + dense_count_) * stride_, 1.0);
}

void LinearHeads::scores(std::span<const double> x, const Sample& sample,
                         float familiar, double* out) const {
  std::fill_n(out, stride_, 0.0);
  visit(sample, familiar, [&](size_t at, double factor) {
    add_scaled(out, factor, x.data() + at, stride_);
  });
}

void LinearHeads::add_gradient(const double* of_scores, const Sample& sample,
                               float familiar,
                               std::span<double> gradient) const {
  visit(sample, familiar, [&](size_t at, double factor) {
    add_scaled(gradient.data() + at, factor, of_scores, stride_);
  });
}

void LinearHeads::add_curvature(double curvature, const Sample& sample,
                                float familiar,
                                std::span<double> diagonal) const {
  visit(sample, familiar, [&](size_t at, double factor) {
    double* sums = diagonal.data() + at;
    for (size_t h = 0; h < heads_; ++h) sums[h] += factor * factor * curvature;
  });
}

double LinearHeads::penalise(std::span<const double> x,
                             std::span<double> gradient) const {
  const size_t free = (rows_ + dense_count_) * stride_;
  double sum = 0;
  for (size_t i = 0; i < size(); ++i) {
    const double penalty = i < free ? 1 : bias_penalty_;
    sum += penalty * x[i] * x[i] / 2;
    gradient[i] += penalty * x[i];
  }
  return sum;
}

double LinearHeads::row_weight(std::span<const double> x, size_t row,
                               size_t head) const {
  return x[row * stride_ + head] * gram_scale_;
}

double LinearHeads::dense_weight(std::span<const double> x, size_t i,
                                 size_t head) const {
  return x[(rows_ + i) * stride_ + head] * dense_scale_;
}

double LinearHeads::bias(std::span<const double> x, size_t head) const {
  return x[(rows_ + dense_count_) * stride_ + head];
}

}  // namespace llmroute::learning
