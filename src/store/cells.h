// Cells: verdicts on models by kind of prompt, kept up to date as verdicts are
// given. Within the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/verdicts.h"
#include "store/database.h"

namespace llmroute::store {

struct CellRow {
  std::string domain;  // by name
  int level = 0;       // core::Cell
  std::string model;
  int64_t count = 0;  // verdicts ever given
  core::Verdicts verdicts;
};

base::Result<std::vector<CellRow>> read_cells(Database& database);

// Who is judged by a verdict, and in which cell.
struct JudgedCell {
  std::string domain;
  int level = 0;
  std::string model;
};
// Of a decision: the model that answered. kNoInput: there is no such decision;
// nothing: nobody answered, or the prompt was not analysed.
base::Result<std::optional<JudgedCell>> judged_answer(
    Database& database, const std::string& decision);
// Of one attempt. kNoInput: there is no such attempt.
base::Result<std::optional<JudgedCell>> judged_attempt(
    Database& database, const std::string& decision, int64_t number);

// Adds a verdict, which is stored already. `again`: it replaces one that was
// added before; then the whole cell is added up again.
base::Status learn_verdict(Database& database, const JudgedCell& judged,
                           double score, bool again);

}  // namespace llmroute::store
