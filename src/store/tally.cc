#include "store/tally.h"

#include "store/columns.h"
#include "store/scopes.h"

namespace llmroute::store {
namespace {

using base::Status;

// A sum beyond would be no integer: it is this much then. A tenth of it leaves
// room to add up days.
constexpr std::string_view kAtMost = ",1000000000000000000)";

std::string daily_upsert() {
  std::string marks = "?,?,?,?,?,?", updates;
  Spend none;
  each_spend_column(none, [&](std::string_view name, int64_t) {
    marks += ",?";
    if (!updates.empty()) updates += ',';
    updates.append(name).append("=min(").append(name);
    updates.append("+excluded.").append(name).append(kAtMost);
  });
  return "INSERT INTO daily VALUES(" + marks + ") ON CONFLICT DO UPDATE SET " +
         updates;
}

// Counters are created where they are missing. What is settled has been spent,
// and counts; what cannot be held is refused.
constexpr std::string_view kAddToScopes =
    "INSERT INTO scopes(name, settled_pico, held_pico)"
    " SELECT value, ?1, ?2 FROM json_each(?3) WHERE true"
    " ON CONFLICT(name) DO UPDATE SET"
    " settled_pico=min(settled_pico+excluded.settled_pico,"
    "9223372036854775807), held_pico=held_pico+excluded.held_pico";

}  // namespace

void Tally::add_money(const std::string& scopes, int64_t settled,
                      int64_t held) {
  Money& money = money_[scopes];
  money.settled = saturating_add(money.settled, settled);
  money.held = saturating_add(money.held, held);
}

Status Tally::add_money(Database& database, const DecisionRow& decision,
                        int64_t time, int64_t settled, int64_t held) {
  if (scopes_.empty() || tags_ != decision.tags || run_ != decision.run ||
      time_ != time) {
    LLMROUTE_TRY(scopes_, scopes_of(database, decision, time));
    tags_ = decision.tags;
    run_ = decision.run;
    time_ = time;
  }
  add_money(scopes_, settled, held);
  return {};
}

Spend& Tally::sum_of(const DecisionRow& decision, const AttemptRow& row,
                     int64_t time) {
  if (last_ != nullptr && last_time_ == time) {
    const auto& [day, model, provider, route, profile, tags] = last_->first;
    if (model == row.model && provider == row.provider &&
        route == decision.route && profile == decision.profile &&
        tags == decision.tags) {
      return last_->second;
    }
  }
  Group group{day_of(time),   row.model,        row.provider,
              decision.route, decision.profile, decision.tags};
  last_ = &*spend_.try_emplace(std::move(group)).first;
  last_time_ = time;
  return last_->second;
}

void Tally::add_attempt(const DecisionRow& decision, const AttemptRow& attempt,
                        int64_t time, int sign) {
  add(sum_of(decision, attempt, time), spend_of(attempt), sign);
}

Status Tally::write(Database& database) const {
  LLMROUTE_TRY(Statement add_to_scopes, database.prepare(kAddToScopes));
  for (const auto& [scopes, money] : money_) {
    add_to_scopes.bind(0, money.settled).bind(1, money.held).bind(2, scopes);
    LLMROUTE_CHECK(add_to_scopes.run());
  }
  static const std::string sql = daily_upsert();
  LLMROUTE_TRY(Statement add_to_daily, database.prepare(sql));
  for (const auto& [group, spend] : spend_) {
    Binder bind(add_to_daily);
    for (const std::string& key : group) bind("", key);
    each_spend_column(spend, bind);
    LLMROUTE_CHECK(add_to_daily.run());
  }
  return {};
}

}  // namespace llmroute::store
