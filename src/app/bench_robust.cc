#include "app/bench_robust.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "app/bench_rows.h"
#include "base/threads.h"
#include "learning/perturb.h"
#include "learning/random.h"

namespace llmroute::app {
namespace {

constexpr size_t kBatch = 1024;

struct Text {
  size_t place = 0;  // among the pair's rows
  std::string prompt, context;
};

class Robustness {
 public:
  explicit Robustness(const RobustInput& input)
      : input_(input), chosen_(pair_rows(input.table, input.pair)) {
    for (auto& scores : scores_) scores.resize(chosen_.size());
  }

  base::Result<learning::RobustReport> run() {
    uint32_t row = 0;
    size_t place = 0;
    for (const std::string& file : input_.rows.files) {
      LLMROUTE_CHECK(for_each_kept(
          file, input_.analyzer, input_.choice,
          [&](const learning::Row& read) -> base::Status {
            const uint32_t index = row++;
            if (index >= input_.rows.rows.size()) return changed(file);
            if (place == chosen_.size() ||
                input_.table.rows[chosen_[place]] != index) {
              return {};
            }
            if (input_.rows.rows[index].keys.wording != read.wording()) {
              return changed(file);
            }
            batch_.push_back({place++, read.prompt, read.context});
            if (batch_.size() == kBatch) score_batch();
            return {};
          }));
    }
    score_batch();
    if (place < chosen_.size()) return changed(input_.rows.files.back());
    return report();
  }

 private:
  static base::Error changed(const std::string& file) {
    return {base::ErrorKind::kData,
            file + ": changed while it was measured (--robust reads it twice)"};
  }

  void score_batch() {
    const auto threads = static_cast<size_t>(std::max(input_.threads, 1));
    const auto work = [&](size_t first) {
      for (size_t i = first; i < batch_.size(); i += threads) score(batch_[i]);
    };
    base::on_threads(threads, work);
    batch_.clear();
  }

  void score(const Text& text) {
    const size_t row = chosen_[text.place];
    for (size_t v = 0; v < learning::kPerturbations; ++v) {
      learning::Random random(learning::mix64(input_.seed ^ (text.place << 8)) +
                              v);
      const std::string prompt = learning::perturbed(text.prompt, v, random);
      float difficulty = 0;
      const std::vector<float> chances =
          input_.predictor.of_text(row, prompt, text.context, difficulty);
      scores_[v][text.place] = static_cast<float>(learning::pair_score(
          chances[input_.pair.strong], chances[input_.pair.weak], difficulty));
    }
  }

  double apgr(const std::vector<float>& scores) const {
    std::vector<size_t> all(scores.size());
    std::iota(all.begin(), all.end(), size_t{0});
    return apgr(scores, all);
  }

  // Of the rows at these places.
  double apgr(const std::vector<float>& scores,
              const std::vector<size_t>& places) const {
    std::vector<learning::PairRow> rows;
    for (const size_t i : places) {
      const learning::StudyTable& t = input_.table;
      rows.push_back(
          {static_cast<double>(scores[i]),
           static_cast<double>(t.quality[t.at(chosen_[i], input_.pair.strong)]),
           static_cast<double>(t.quality[t.at(chosen_[i], input_.pair.weak)])});
    }
    return learning::fine_metrics(rows).apgr;
  }

  learning::RobustReport report() const {
    std::vector<float> as_is;
    for (const size_t row : chosen_) {
      as_is.push_back(static_cast<float>(
          row_score(input_.rows, input_.table, input_.pair, row)));
    }
    std::vector<float> sorted = as_is;
    const auto middle =
        sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    const float threshold = *middle;
    learning::RobustReport report{chosen_.size(), apgr(as_is), 0, {}};
    constexpr size_t kKinds =
        learning::kPerturbations - learning::kPrefixCount + 1;
    for (size_t v = 0; v < learning::kPerturbations; ++v) {
      double same = 0;
      for (size_t i = 0; i < as_is.size(); ++i) {
        same += (as_is[i] >= threshold) == (scores_[v][i] >= threshold);
      }
      same /= static_cast<double>(as_is.size());
      // The injected prefixes are the last kind, as their mean.
      if (v < kKinds) report.variants.push_back({name_of(v), 0, 0});
      report.variants.back().unchanged += same;
      report.variants.back().apgr += apgr(scores_[v]);
    }
    report.variants.back().unchanged /= learning::kPrefixCount;
    report.variants.back().apgr /= learning::kPrefixCount;
    add_paraphrases(as_is, threshold, report);
    for (const learning::VariantReport& variant : report.variants) {
      report.unchanged += variant.unchanged;
    }
    report.unchanged /= static_cast<double>(report.variants.size());
    return report;
  }

  // Of rows that share a paraphrase, each is held against the first.
  void add_paraphrases(const std::vector<float>& as_is, float threshold,
                       learning::RobustReport& report) const {
    std::unordered_map<uint64_t, bool> first;  // whether it went to strong
    std::vector<size_t> others;                // by place
    double same = 0;
    for (size_t i = 0; i < as_is.size(); ++i) {
      const uint32_t row = input_.table.rows[chosen_[i]];
      const uint64_t key = input_.rows.rows[row].keys.paraphrase;
      if (key == 0) continue;
      const bool strong = as_is[i] >= threshold;
      const auto [place, is_new] = first.try_emplace(key, strong);
      if (is_new) continue;
      same += place->second == strong;
      others.push_back(i);
    }
    if (others.empty()) return;
    report.paraphrases = others.size();
    report.variants.push_back({"paraphrases of the data",
                               same / static_cast<double>(others.size()),
                               apgr(as_is, others)});
  }

  static std::string name_of(size_t variant) {
    const std::string name(learning::perturbation_name(variant));
    return variant + learning::kPrefixCount == learning::kPerturbations
               ? "20 injected prefixes"
               : name;
  }

  const RobustInput& input_;
  std::vector<size_t> chosen_;
  std::vector<float> scores_[learning::kPerturbations];
  std::vector<Text> batch_;
};

}  // namespace

base::Result<learning::RobustReport> measure_robustness(
    const RobustInput& input) {
  return Robustness(input).run();
}

}  // namespace llmroute::app
