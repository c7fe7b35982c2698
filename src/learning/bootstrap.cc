#include "learning/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "learning/random.h"

namespace llmroute::learning {

Interval bootstrap_apgr(std::span<const PairRow> rows, int resamples) {
  Random random(1);
  std::vector<PairRow> sample(rows.size());
  std::vector<double> values;
  for (int i = 0; i < resamples; ++i) {
    double gap = 0;
    for (PairRow& row : sample) {
      row = rows[random.below(rows.size())];
      gap += row.strong - row.weak;
    }
    if (std::fabs(gap) < 1e-9) continue;
    values.push_back(fine_metrics(sample).apgr);
  }
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double q) {
    return values[static_cast<size_t>(q *
                                      static_cast<double>(values.size() - 1))];
  };
  return {at(0.025), at(0.975)};
}

}  // namespace llmroute::learning
