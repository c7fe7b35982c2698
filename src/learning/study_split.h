// Which rows of a study a fitted router may have learned from: those of the
// other folds, of the other groups, or of other files. What is measured has not
// been seen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "learning/study_rows.h"
#include "learning/study_table.h"

namespace llmroute::learning {

struct StudySplit {
  std::vector<uint32_t> fold;  // per row of the study
  uint32_t folds = 1;
  std::string description;  // "fitted in 5 folds by prompt"
};

// By StudyTable::prompts: copies of a prompt, in whatever case and with
// whatever blanks, fall into one fold, and so do its paraphrases. Errors: kData
// if all rows fall into one.
base::Result<StudySplit> split_by_prompt(const StudyTable& table,
                                         uint32_t folds);

// Whole groups, at most `folds` of about equal size. Errors: kData if there is
// one group only, or if a prompt, or paraphrases of one, are in two folds.
base::Result<StudySplit> split_by_group(const StudyRows& rows,
                                        const StudyTable& table,
                                        uint32_t folds);

// "rows.jsonl:12".
std::string place_of(const StudyRows& rows, const StudyRow& row);

// kData if a prompt of the study, or a paraphrase of one, is among those of the
// training files.
base::Status check_apart(const StudyRows& rows, const StudyTable& table,
                         const StudyRows& training);

}  // namespace llmroute::learning
