#include "analyzer/features.h"

#include <bitset>

namespace llmroute::analyzer {
namespace {

class ListSink {
 public:
  explicit ListSink(TrainingFeatures& features) : features_(features) {}
  void gram(GramKind kind, uint64_t hash, size_t, size_t) {
    const auto id = static_cast<uint16_t>(gram_id(hash));
    if (kind == GramKind::kEdge) {
      features_.edges.push_back(id);
    } else if (!met_[id]) {
      met_[id] = true;
      features_.grams.push_back(id);
      features_.words.push_back(hash);
      distinct_words_ += kind == GramKind::kWord;
    }
  }
  uint32_t distinct_words() const { return distinct_words_; }

 private:
  TrainingFeatures& features_;
  uint32_t distinct_words_ = 0;
  std::bitset<1 << kIdBits> met_;
};

}  // namespace

void extract(std::string_view instruction, std::string_view context,
             TrainingFeatures& features) {
  features.grams.clear();
  features.edges.clear();
  features.words.clear();
  const Window window = choose_window(instruction, context);
  Surface surface;
  ListSink sink(features);
  Scanner<ListSink> scanner(sink, surface);
  const size_t edges = edge_piece(window);
  for (size_t i = 0; i < window.pieces.size(); ++i) {
    if (!window.pieces[i].empty()) scanner.feed(window.pieces[i], i == edges);
  }
  features.dense = dense_features(surface, window, sink.distinct_words());
}

}  // namespace llmroute::analyzer
