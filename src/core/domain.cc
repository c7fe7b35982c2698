#include "core/domain.h"

#include <algorithm>

namespace llmroute::core {

size_t largest(const PerDomain& values) {
  return static_cast<size_t>(std::max_element(values.begin(), values.end()) -
                             values.begin());
}

double mean_over(const PerDomain& shares, const PerDomain& values) {
  double mean = 0;
  for (size_t d = 0; d < shares.size(); ++d) mean += shares[d] * values[d];
  return mean;
}

std::optional<size_t> domain_index(std::string_view name) {
  const auto* found = std::find(kDomainNames.begin(), kDomainNames.end(), name);
  if (found == kDomainNames.end()) return std::nullopt;
  return static_cast<size_t>(found - kDomainNames.begin());
}

}  // namespace llmroute::core
