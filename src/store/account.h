// The writing of rows: each of these is a part of somebody's transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/database.h"
#include "store/rows.h"

namespace llmroute::store {

// Ledger time never runs backwards: `now` (ms), or that of the newest decision.
base::Result<int64_t> ledger_time(Database& database, int64_t now);

// Writes it, or what has become known of it since; its time stays. Whether it
// was not there before: then `only`, if not null, is written with it, the first
// of its attempts, which has ended.
base::Result<bool> put_decision(Database& database, const DecisionRow& decision,
                                const AttemptRow* only = nullptr);

// The tags of a decision, "team=search".
base::Result<std::vector<std::string>> tags_of(Database& database,
                                               const DecisionRow& decision);

// An attempt's row as it stands in the ledger.
struct KeptAttempt {
  AttemptRow row;
  int64_t time = 0;
  std::string owner;   // while it is held
  std::string scopes;  // a JSON array of names
};
base::Result<std::optional<KeptAttempt>> find_attempt(
    Database& database, const std::string& decision, int64_t number);
// REQUIRES: it was not written with its decision.
base::Status put_attempt(Database& database, const std::string& decision,
                         const KeptAttempt& attempt);

// Every scope in which an attempt of that time counts, as a JSON array.
base::Result<std::string> scopes_of(Database& database,
                                    const DecisionRow& decision, int64_t time);

// Of the decision of that id, what daily sums and scopes go by.
base::Result<DecisionRow> grouping_of(Database& database,
                                      const std::string& id);

}  // namespace llmroute::store
