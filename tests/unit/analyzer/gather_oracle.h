// What gather() must find, by the scanner that reads byte by byte: slow and
// obvious.
#pragma once

#include <set>

#include "analyzer/features.h"

namespace gather_oracle {

namespace analyzer = llmroute::analyzer;

class Sink {
 public:
  Sink(const analyzer::Model& model, analyzer::Evidence& evidence)
      : model_(model), evidence_(evidence) {}

  void gram(analyzer::GramKind kind, uint64_t hash, size_t, size_t) {
    const uint32_t id = analyzer::gram_id(hash);
    if (kind == analyzer::GramKind::kEdge) {
      ++evidence_.edges;
      add_row(id, evidence_.edge_sums);
    } else if (met_.insert(id).second) {
      ++evidence_.grams;
      evidence_.distinct_words += kind == analyzer::GramKind::kWord;
      add_row(id, evidence_.sums);
      const uint32_t bit = analyzer::seen_bit(hash, model_.seen_bits);
      evidence_.known += model_.seen[bit / 8] >> bit % 8 & 1U;
    }
  }

 private:
  void add_row(uint32_t id,
               std::array<int32_t, analyzer::kHeadCount>& sums) const {
    const uint32_t entry = analyzer::gram_entry(id, model_.bucket_bits);
    for (size_t h = 0; h < sums.size(); ++h) {
      const int weight = model_.rows[entry / 2].weight[h];
      sums[h] += entry % 2 == 0 ? weight : -weight;
    }
  }

  const analyzer::Model& model_;
  analyzer::Evidence& evidence_;
  std::set<uint32_t> met_;
};

inline analyzer::Evidence gather_slowly(const analyzer::Model& model,
                                        const analyzer::Window& window,
                                        analyzer::Surface& surface) {
  analyzer::Evidence evidence;
  Sink sink(model, evidence);
  analyzer::Scanner<Sink> scanner(sink, surface);
  for (size_t i = 0; i < window.pieces.size(); ++i) {
    if (window.pieces[i].empty()) continue;
    scanner.feed(window.pieces[i], i == analyzer::edge_piece(window));
  }
  evidence.dense =
      analyzer::dense_features(surface, window, evidence.distinct_words);
  return evidence;
}

// Whether `kernel` finds the same in this prompt, to the bit.
inline bool agrees(const analyzer::Kernel& kernel, const analyzer::Model& model,
                   std::string_view instruction, std::string_view context) {
  const analyzer::Window window = analyzer::choose_window(instruction, context);
  analyzer::Surface wanted, found;
  const analyzer::Evidence a = gather_slowly(model, window, wanted);
  const analyzer::Evidence b = analyzer::gather(kernel, model, window, found);
  return a == b && wanted == found;
}

}  // namespace gather_oracle
