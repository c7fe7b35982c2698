// RouterBench's wide table: a row per prompt, columns
//
//   sample_id, prompt, eval_name, MODEL..., MODEL|model_response...,
//   MODEL|total_cost...
//
// where the column named after a model holds its score. Models are those with a
// column of either kind; in a table without such columns, every name that is
// none of ours. "context", "group", "paraphrase" and "domain" are read too, and
// of "dataset", "source" and "eval_name" the first that says something in a
// row; "language" is known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "learning/rows.h"

namespace llmroute::learning {

// What each column of a header is. Immutable.
class WideColumns {
 public:
  explicit WideColumns(const std::vector<std::string>& names);

  // Whether a column of this name makes a table of models.
  static bool is_marked(std::string_view name);

  bool has_prompt() const { return has_prompt_; }
  size_t models() const { return models_; }
  // A column of scores or costs that another one is, too.
  std::optional<std::string> repeated() const;
  std::vector<bool> wanted() const;
  // A score or a cost.
  bool of_model(size_t column) const;
  // Those that may name a row's dataset, the one that counts most first.
  const std::vector<size_t>& datasets() const { return datasets_; }
  // Puts a cell into the row; empty ones are skipped, and those of datasets().
  // A score that is neither a number from 0 to 1 nor true or false, a cost that
  // is none: kData.
  base::Status set(size_t column, std::string_view text, Row& row) const;
  base::Status set(size_t column, double number, Row& row) const;

 private:
  enum class Role : uint8_t {
    kNone,
    kPrompt,
    kContext,
    kDataset,
    kGroup,
    kParaphrase,
    kDomain,
    kScore,
    kCost
  };
  struct Column {
    std::string model;  // of scores and costs
    Role role = Role::kNone;
  };
  static Role role_of(std::string_view name);

  std::vector<Column> columns_;
  std::vector<size_t> datasets_;
  bool has_prompt_ = false;
  size_t models_ = 0;
};

}  // namespace llmroute::learning
