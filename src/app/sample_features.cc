#include "app/sample_features.h"

#include <algorithm>
#include <vector>

#include "analyzer/heads.h"
#include "analyzer/model.h"

namespace llmroute::app {
namespace {

// Ids of one row and sign become one entry.
void append_entries(std::vector<uint16_t>& ids, learning::Problem& problem) {
  std::sort(ids.begin(), ids.end());
  const auto entry_of = [&](uint16_t id) {
    return analyzer::gram_entry(id, problem.bucket_bits);
  };
  for (size_t i = 0; i < ids.size();) {
    const uint32_t signed_row = entry_of(ids[i]);
    int count = 0;
    for (; i < ids.size() && entry_of(ids[i]) == signed_row; ++i) ++count;
    learning::Entry entry{};
    entry.row = (signed_row >> 1) & 0xffffff;
    entry.count = static_cast<int8_t>((signed_row & 1) != 0 ? -count : count);
    problem.entries.push_back(entry);
  }
}

float norm_of(const std::vector<uint16_t>& ids) {
  return static_cast<float>(
      analyzer::gram_norm(static_cast<uint32_t>(ids.size())));
}

}  // namespace

learning::Sample append_features(analyzer::TrainingFeatures& features,
                                 learning::Problem& problem) {
  learning::Sample sample;
  sample.entry_begin = static_cast<uint32_t>(problem.entries.size());
  append_entries(features.grams, problem);
  sample.edge_begin = static_cast<uint32_t>(problem.entries.size());
  append_entries(features.edges, problem);
  sample.entry_end = static_cast<uint32_t>(problem.entries.size());
  sample.norm = norm_of(features.grams);
  sample.edge_norm = norm_of(features.edges);
  sample.dense = static_cast<uint32_t>(problem.samples.size());
  problem.dense.insert(problem.dense.end(), features.dense.begin(),
                       features.dense.end());
  return sample;
}

}  // namespace llmroute::app
