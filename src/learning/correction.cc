#include "learning/correction.h"

#include <cmath>

#include "learning/logistic.h"
#include "learning/minimise.h"

namespace llmroute::learning {
namespace {

struct Scale {
  std::vector<double> mean, inverse;  // inverse deviation, 0 if constant
};

Scale scale_of(std::span<const CorrectionRow> rows) {
  const size_t count = rows.front().inputs.size();
  const auto n = static_cast<double>(rows.size());
  Scale scale{std::vector<double>(count), std::vector<double>(count)};
  for (size_t i = 0; i < count; ++i) {
    double sum = 0, squares = 0;
    for (const CorrectionRow& row : rows) {
      const auto x = static_cast<double>(row.inputs[i]);
      sum += x;
      squares += x * x;
    }
    scale.mean[i] = sum / n;
    const double variance = squares / n - scale.mean[i] * scale.mean[i];
    scale.inverse[i] = variance > 1e-8 ? 1 / std::sqrt(variance) : 0;
  }
  return scale;
}

}  // namespace

Correction fit_correction(std::span<const CorrectionRow> rows, double penalty) {
  constexpr double kBiasPenalty = 1;
  const size_t count = rows.front().inputs.size();
  const Scale scale = scale_of(rows);
  const auto standard = [&](const CorrectionRow& row, size_t i) {
    return (static_cast<double>(row.inputs[i]) - scale.mean[i]) *
           scale.inverse[i];
  };
  const Objective objective = [&](std::span<const double> x,
                                  std::span<double> gradient) {
    double value = 0;
    for (size_t i = 0; i <= count; ++i) {
      const double pull = i < count ? penalty : kBiasPenalty;
      value += pull * x[i] * x[i] / 2;
      gradient[i] = pull * x[i];
    }
    for (const CorrectionRow& row : rows) {
      double z = x[count];
      for (size_t i = 0; i < count; ++i) z += x[i] * standard(row, i);
      z = row.offset + row.share * z;
      value += logistic_loss(z, row.score);
      const double off = row.share * (sigmoid(z) - row.score);
      for (size_t i = 0; i < count; ++i) gradient[i] += off * standard(row, i);
      gradient[count] += off;
    }
    return value;
  };
  std::vector<double> x(count + 1);
  minimise(objective, x, {});
  Correction correction{x[count], std::vector<double>(count)};
  for (size_t i = 0; i < count; ++i) {
    correction.weights[i] = x[i] * scale.inverse[i];
    correction.bias -= correction.weights[i] * scale.mean[i];
  }
  return correction;
}

}  // namespace llmroute::learning
