#include "analyzer/features.h"

#include <algorithm>
#include <unordered_map>

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
        shift_(63 - model.bucket_bits),
        seen_bits_(model.seen_bits),
        evidence_(evidence) {}

  void word_begin() {
    if (used_ > kCapacity - kGramsPerWord) flush();
  }

  void gram(GramKind kind, uint64_t hash, size_t, size_t) {
    const auto entry = static_cast<uint32_t>(hash >> shift_);
    if (kind == GramKind::kEdge) {
      edges_[edge_count_++] = entry;
      return;
    }
    entries_[used_++] = entry;
    if (kind != GramKind::kBytes) look_up(hash);
  }

  // REQUIRES: at most one text was fed with edges.
  void finish() {
    flush();
    add_block(edges_, edge_count_, evidence_.edge_sums);
  }

 private:
  static constexpr size_t kCapacity = 512;
  static constexpr size_t kBlock = 256;

  void look_up(uint64_t hash) {
    const uint32_t bit = seen_bit(hash, seen_bits_);
    ++evidence_.asked;
    evidence_.known += (seen_[bit >> 3] >> (bit & 7)) & 1u;
  }

  void flush() {
    for (size_t at = 0; at < used_; at += kBlock) {
      add_block(entries_ + at, std::min(used_ - at, kBlock), evidence_.sums);
    }
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
  uint32_t entries_[kCapacity];
  uint32_t edges_[kMostEdges];
};

class ListSink {
 public:
  ListSink(uint32_t bucket_bits, TrainingFeatures& features)
      : bucket_bits_(bucket_bits), features_(features) {}
  void word_begin() {}
  void gram(GramKind kind, uint64_t hash, size_t, size_t) {
    const uint32_t entry = gram_entry(hash, bucket_bits_);
    if (kind == GramKind::kEdge) {
      features_.edges.push_back(entry);
      return;
    }
    features_.entries.push_back(entry);
    if (kind != GramKind::kBytes) features_.words.push_back(hash);
  }

 private:
  uint32_t bucket_bits_;
  TrainingFeatures& features_;
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
  evidence.grams = surface.grams;
  evidence.edges = surface.edges;
  evidence.dense = dense_features(surface, sizes);
  return evidence;
}

void extract(std::string_view instruction, std::string_view context,
             uint32_t bucket_bits, TrainingFeatures& features) {
  features.entries.clear();
  features.edges.clear();
  features.words.clear();
  const Window window = choose_window(instruction, context);
  Surface surface;
  ListSink sink(bucket_bits, features);
  scan_window(window, sink, surface);
  features.dense = dense_features(surface, {instruction.size() + context.size(),
                                            context.size(), window.bytes});
}

}  // namespace llmroute::analyzer
