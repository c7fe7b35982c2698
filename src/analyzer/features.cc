#include "analyzer/features.h"

#include <bitset>

namespace llmroute::analyzer {
namespace {

using Half = int16_t __attribute__((vector_size(16)));
using Bytes8 = int8_t __attribute__((vector_size(8)));

// Collects the rows of a prompt in a small buffer and sums them in 16-bit
// lanes, 256 at a time: 256 * 127 just fits.
class SumSink {
 public:
  explicit SumSink(const Model& model, Evidence& evidence)
      : rows_(model.rows.data()),
        seen_(model.seen.data()),
        shift_(kMostBucketBits - model.bucket_bits),
        seen_bits_(model.seen_bits),
        evidence_(evidence) {}

  void gram(GramKind kind, uint64_t hash, size_t, size_t) {
    const uint32_t id = gram_id(hash);
    if (kind == GramKind::kEdge) {
      edges_[edge_count_++] = id >> shift_;
      return;
    }
    // Without a branch: whether an n-gram is new cannot be predicted.
    uint64_t& bits = met_[id >> 6];
    const uint32_t is_new = 1 & ~static_cast<uint32_t>(bits >> (id & 63));
    bits |= uint64_t{1} << (id & 63);
    const uint32_t bit = seen_bit(hash, seen_bits_);
    known_ += is_new & (seen_[bit >> 3] >> (bit & 7));
    entries_[used_] = id >> shift_;
    used_ += is_new;
    if (used_ == kBlock) flush();
  }

  void finish() {
    flush();
    evidence_.known = known_;
    add_block(edges_, edge_count_, evidence_.edge_sums);
    evidence_.edges = static_cast<uint32_t>(edge_count_);
  }

 private:
  static constexpr size_t kBlock = 256;

  void flush() {
    add_block(entries_, used_, evidence_.sums);
    evidence_.grams += static_cast<uint32_t>(used_);
    used_ = 0;
  }

  // REQUIRES: count <= kBlock.
  void add_block(const uint32_t* entries, size_t count,
                 std::array<int32_t, kHeadCount>& sums) const {
    Half low{}, high{};
    for (size_t i = 0; i < count; ++i) {
      const uint32_t entry = entries[i];
      const int8_t* row = rows_[entry >> 1].weight.data();
      Bytes8 first, second;
      __builtin_memcpy(&first, row, 8);
      __builtin_memcpy(&second, row + 8, 8);
      const auto sign = static_cast<int16_t>(-static_cast<int32_t>(entry & 1));
      low += (__builtin_convertvector(first, Half) ^ sign) - sign;
      high += (__builtin_convertvector(second, Half) ^ sign) - sign;
    }
    for (size_t h = 0; h < 8; ++h) {
      sums[h] += low[h];
      sums[h + 8] += high[h];
    }
  }

  const GramRow* rows_;
  const uint8_t* seen_;
  size_t shift_;  // not 32 bits wide: entries of that type would alias it
  uint32_t seen_bits_;
  Evidence& evidence_;
  size_t used_ = 0;
  size_t edge_count_ = 0;
  uint32_t known_ = 0;
  uint32_t entries_[kBlock];
  uint32_t edges_[kMostEdges];
  std::array<uint64_t, (1 << kIdBits) / 64> met_{};  // ids
};

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
    }
  }

 private:
  TrainingFeatures& features_;
  std::bitset<1 << kIdBits> met_;
};

template <class Sink>
void scan_window(const Window& window, Sink& sink, Surface& surface) {
  Scanner<Sink> scanner(sink, surface);
  const size_t edges = edge_piece(window);
  for (size_t i = 0; i < window.pieces.size(); ++i) {
    if (!window.pieces[i].empty()) scanner.feed(window.pieces[i], i == edges);
  }
}

}  // namespace

Evidence gather(const Model& model, const Window& window,
                const TextSizes& sizes, Surface& surface) {
  Evidence evidence;
  SumSink sink(model, evidence);
  scan_window(window, sink, surface);
  sink.finish();
  evidence.dense = dense_features(surface, sizes);
  return evidence;
}

void extract(std::string_view instruction, std::string_view context,
             TrainingFeatures& features) {
  features.grams.clear();
  features.edges.clear();
  features.words.clear();
  const Window window = choose_window(instruction, context);
  Surface surface;
  ListSink sink(features);
  scan_window(window, sink, surface);
  features.dense = dense_features(surface, {instruction.size() + context.size(),
                                            context.size(), window.bytes});
}

}  // namespace llmroute::analyzer
