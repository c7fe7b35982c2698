// Rows of training files -> what the solver is given and what is held out.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyzer/analyzer.h"
#include "app/sample_features.h"
#include "base/result.h"
#include "learning/abilities.h"
#include "learning/problem.h"
#include "learning/rows.h"

namespace llmroute::app {

enum class Part { kTrain, kCalibrate, kTest };

// Of each row, by learning::identities_of() over all of them, so that copies of
// a prompt, in whatever case and with whatever blanks, and its paraphrases fall
// into one part: eight tenths, one tenth, one tenth. Rows of other files may
// join what these do not; without paraphrase keys a row's part is its own.
// A prompt of which a row is `trained` on already is not measured: it goes from
// the test part to the training part. Asks once of each row.
std::vector<Part> parts_of(
    std::span<const learning::Row> rows,
    const std::function<bool(const learning::Row&)>& trained);

// Where a file comes from, for the card.
struct FileNote {
  std::string licence, origin;
};

// What a model file keeps of a prompt it was trained on, by its wording (of
// files that earlier versions trained: by its bytes). One prompt in 35,000
// looks like one of 60,000 by chance.
bool trained_on(const analyzer::Analyzer& analyzer, const learning::Row& row);

struct TrainingSet {
  learning::Problem problem;         // of the training part
  std::vector<std::string> models;   // by index of Outcome::model
  std::vector<std::string> sources;  // by index of Sample::source
  size_t assumed_abilities = 0;      // of the known ones, by own_heads.h
  size_t copies = 0;              // samples that are changed copies of others
  size_t trained_before = 0;      // rows that TrainingSetOptions::trained has
  std::vector<uint8_t> seen;      // words and pairs, 2^seen_bits bits
  std::vector<uint32_t> trained;  // fingerprints of prompts, ascending
  std::vector<learning::Row> calibrate, test;
  std::vector<std::pair<std::string, size_t>> rows_of_file;
  std::map<std::string, FileNote> notes;  // by file name, for the card
  std::unordered_map<std::string, size_t> index_of_model;
  // Of a model by name, new ones appended.
  size_t model_index(const std::string& name);
};

struct TrainingSetOptions {
  uint32_t bucket_bits = kBucketBits;
  uint32_t seen_bits = 20;
  int threads = 1;      // for features; the result does not depend on it
  bool augment = true;  // add changed copies of prompts (learning/augment.h)
  uint64_t seed = 1;    // of copies and of what templates are filled with
  learning::Abilities abilities;  // of models known beforehand
  // Of a model that is trained further. What it was fitted to is not held out.
  std::span<const uint8_t> seen;
  std::span<const uint32_t> trained;
  // Told how many rows have been read so far; may be empty.
  std::function<void(size_t rows)> progress;
  // Sources whose rows are left out; globs.
  std::vector<std::string> without;
};

// Reads every file: rows as RowReader reads them; a file whose name ends in
// ".json" is an abilities file (learning/abilities.h), one in ".tsv" says where
// the others come from: name, licence and origin, separated by tabs. Errors:
// kNoInput; kData naming file and line; kData if there is nothing to train on.
base::Result<TrainingSet> read_training_set(
    const std::vector<std::string>& files, const TrainingSetOptions& options);

}  // namespace llmroute::app
