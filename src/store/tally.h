// What a transaction adds to counters: added up first, so that each counter is
// written once, however many attempts count in it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "base/result.h"
#include "store/account.h"
#include "store/database.h"
#include "store/rows.h"
#include "store/spend.h"

namespace llmroute::store {

class Tally {
 public:
  // Money in scopes, a JSON array of names; either amount may be negative.
  void add_money(const std::string& scopes, int64_t settled, int64_t held);
  // The same in every scope of the decision at that time.
  base::Status add_money(Database& database, const DecisionRow& decision,
                         int64_t time, int64_t settled, int64_t held);

  // To the daily sums: an attempt that has ended, or with sign -1 one less.
  void add_attempt(const DecisionRow& decision, const AttemptRow& attempt,
                   int64_t time, int sign);

  // As a part of the caller's transaction.
  base::Status write(Database& database) const;

 private:
  struct Money {
    int64_t settled = 0, held = 0;
  };
  // Day, model, provider, route, profile, tags.
  using Group = std::array<std::string, 6>;
  Spend& sum_of(const DecisionRow& decision, const AttemptRow& attempt,
                int64_t time);

  std::map<std::string, Money> money_;
  std::map<Group, Spend> spend_;
  // What the last attempt counted in, which the next mostly does as well.
  std::pair<const Group, Spend>* last_ = nullptr;  // in spend_
  int64_t last_time_ = 0;
  // The scopes of the last decision, the same.
  std::string tags_, scopes_;
  Text run_;
  int64_t time_ = 0;
};

}  // namespace llmroute::store
