#include "learning/study_split.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "learning/random.h"

namespace llmroute::learning {
namespace {

base::Error seen(const std::string& first, const std::string& second,
                 size_t count) {
  return {base::ErrorKind::kData,
          fmt::format("{}: its prompt is also at {}, so a row to measure would "
                      "be trained on ({} such rows)",
                      first, second, count)};
}

// Rows by their wording and by what paraphrases share. Of two sets of rows that
// have a prompt in common, by whatever rows between, two share one of both.
class KnownPrompts {
 public:
  void add(const StudyRow& row, uint32_t index) {
    rows_.try_emplace(row.keys.wording, index);
    if (row.keys.paraphrase != 0) rows_.try_emplace(row.keys.paraphrase, index);
  }
  // The first that words the same, or a paraphrase.
  std::optional<uint32_t> find(const StudyRow& row) const {
    for (const uint64_t key : {row.keys.wording, row.keys.paraphrase}) {
      const auto place = rows_.find(key);
      if (place != rows_.end()) return place->second;
    }
    return std::nullopt;
  }

 private:
  std::unordered_map<uint64_t, uint32_t> rows_;
};

// Groups to folds: the largest first, each to the smallest fold.
std::map<uint32_t, uint32_t> assign_groups(
    const std::map<uint32_t, size_t>& sizes, uint32_t folds) {
  std::vector<std::pair<size_t, uint32_t>> groups;
  for (const auto& [group, size] : sizes) groups.emplace_back(size, group);
  std::stable_sort(groups.begin(), groups.end(),
                   [](auto& a, auto& b) { return a.first > b.first; });
  std::vector<size_t> filled(folds);
  std::map<uint32_t, uint32_t> fold_of;
  for (const auto& [size, group] : groups) {
    const auto least = std::min_element(filled.begin(), filled.end());
    *least += size;
    fold_of[group] = static_cast<uint32_t>(least - filled.begin());
  }
  return fold_of;
}

}  // namespace

std::string place_of(const StudyRows& rows, const StudyRow& row) {
  return fmt::format("{}:{}", rows.files[row.file], row.line);
}

base::Result<StudySplit> split_by_prompt(const StudyTable& table,
                                         uint32_t folds) {
  constexpr uint64_t kOwn = 0xf01d;  // apart from part_of
  StudySplit split;
  split.folds = folds;
  split.description = fmt::format("fitted in {} folds by prompt", folds);
  bool many = false;
  for (const uint64_t prompt : table.prompts) {
    split.fold.push_back(static_cast<uint32_t>(mix64(prompt ^ kOwn) % folds));
    many = many || split.fold.back() != split.fold.front();
  }
  if (many) return split;
  return base::Error{
      base::ErrorKind::kData,
      fmt::format("{}: too few different prompts for folds: all would be in "
                  "one, and nothing fitted",
                  table.name)};
}

base::Result<StudySplit> split_by_group(const StudyRows& rows,
                                        const StudyTable& table,
                                        uint32_t folds) {
  std::map<uint32_t, size_t> sizes;
  for (const uint32_t row : table.rows) ++sizes[rows.rows[row].dataset];
  if (sizes.size() < 2) {
    return base::Error{
        base::ErrorKind::kData,
        fmt::format("{}: --groups needs rows of two groups or datasets",
                    table.name)};
  }
  StudySplit split;
  split.folds = static_cast<uint32_t>(std::min<size_t>(folds, sizes.size()));
  split.description = fmt::format(
      "fitted without the groups it is measured on, {} groups in {} folds",
      sizes.size(), split.folds);
  const auto fold_of = assign_groups(sizes, split.folds);
  std::vector<KnownPrompts> known(split.folds);
  std::pair<uint32_t, uint32_t> met;
  size_t count = 0;
  for (const uint32_t index : table.rows) {
    const StudyRow& row = rows.rows[index];
    const uint32_t own = fold_of.at(row.dataset);
    for (uint32_t fold = 0; fold < split.folds; ++fold) {
      const auto other = fold == own ? std::nullopt : known[fold].find(row);
      if (other && count++ == 0) met = {index, *other};
    }
    known[own].add(row, index);
    split.fold.push_back(own);
  }
  if (count > 0) {
    return seen(place_of(rows, rows.rows[met.first]),
                place_of(rows, rows.rows[met.second]), count);
  }
  return split;
}

base::Status check_apart(const StudyRows& rows, const StudyTable& table,
                         const StudyRows& training) {
  KnownPrompts trained;
  for (uint32_t i = 0; i < training.rows.size(); ++i) {
    trained.add(training.rows[i], i);
  }
  const StudyRow *row = nullptr, *other = nullptr;
  size_t count = 0;
  for (const uint32_t index : table.rows) {
    const auto met = trained.find(rows.rows[index]);
    if (!met || count++ > 0) continue;
    row = &rows.rows[index];
    other = &training.rows[*met];
  }
  if (count == 0) return {};
  return seen(place_of(rows, *row), place_of(training, *other), count);
}

}  // namespace llmroute::learning
