// A row of training or evaluation data: a prompt and what is known of it. One
// JSON object a line:
//
//   {"prompt": "...", "scores": {"model": 0..1, ...}}      outcomes of models
//   {"prompt": "...", "domain": "code", "difficulty": "hard"}         labels
//
// "difficulty" is a level (simple, medium, hard: see level_bounds) or a number
// on the scale of abilities, at which a model of that ability succeeds every
// other time; "difficulty_weight" (1; at most 1,000) says how much surer a
// number is than a judgement. Further keys read where they exist: "dataset" or
// "source" (rows of one kind are balanced against other kinds), "tokens"
// {model: [in, out]}, "out_chars" {model: n}, "cost" {model: dollars},
// "suspect" (rows marked so are left out of outcomes) "weak" (count
// for less) and "h2h" (scores are shares of comparisons won: not used as
// outcomes), "paraphrase" (the same in rows that word one question otherwise).
// With "compose": n the prompt is a template that is filled n times:
// "{text}" by prompts of other rows, "{code}" by such of domain code,
// "{question}" by short questions. A row without "scores" may be of a wide
// table (learning/wide_table.h), "model|total_cost" and all. Other keys are
// ignored.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "core/domain.h"
#include "learning/identities.h"

namespace llmroute::learning {

enum class Level { kSimple, kMedium, kHard };

inline constexpr double kMostWeight = 1000;

struct Row {
  std::string prompt;
  std::string context;  // that stands before the prompt, as standard input does
  std::string source;   // the dataset's or source's name up to a '/'
  std::string group;    // in full, or the row's "group"
  std::string paraphrase;  // the same of rows that word one question otherwise
  std::string raw_domain;  // as written; "" if none
  std::optional<size_t> domain;  // index into core::kDomainNames
  std::optional<Level> level;
  std::optional<double> difficulty;  // on the scale of abilities
  double difficulty_weight = 1;      // at most kMostWeight
  int64_t compose = 0;  // how many prompts to make from this template
  std::vector<std::pair<std::string, double>> scores;  // model, 0..1
  std::vector<std::pair<std::string, double>> costs;   // model, dollars
  std::optional<double> answer_tokens;                 // mean over models
  std::optional<double> answer_ratio;
  bool suspect = false;
  bool weak = false;
  bool preference = false;  // scores say who won, not who was right

  // The same for rows that word the same: blanks and the case of ASCII letters
  // do not count, nor does a context of blanks.
  uint64_t wording() const;
  // What decides a row's part or fold, with the rows beside it (identities_of).
  PromptKeys keys() const;
  // That can be measured, or fitted to.
  bool has_outcomes() const {
    return !scores.empty() && !suspect && !preference;
  }
};

// The same for the same text on every machine (64-bit FNV-1a).
uint64_t prompt_hash(std::string_view text);
// Of rows (identities.h).
std::vector<uint64_t> identities_of(std::span<const Row> rows);

// Not an object, no string "prompt", a score that is not a number from 0 to 1,
// a cost that is none, a model given twice, an unknown difficulty, a key of
// ours with a value of another kind (null is as good as none): kData, saying
// what. `file_name`
// names the source of rows that don't.
class RowParser {
 public:
  RowParser();
  RowParser(RowParser&&) noexcept;
  ~RowParser();
  base::Result<Row> parse(std::string_view line, std::string_view file_name);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Source and group from the names of the dataset, the group ("" if none) and
// the file.
void set_source(std::string_view dataset, std::string_view group,
                std::string_view file_name, Row& row);

// The analyzer's domain for a data set's: its own names, and the finer ones of
// published data ("science" is knowledge, "roleplay" writing). Nothing for
// kinds that are no task domain ("safety", "mixed").
std::optional<size_t> domain_of(std::string_view raw);

}  // namespace llmroute::learning
