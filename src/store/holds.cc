#include "store/holds.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "core/money.h"
#include "store/account.h"
#include "store/columns.h"
#include "store/owner.h"
#include "store/spend.h"
#include "store/tally.h"

namespace llmroute::store {
namespace {

using base::Result;
using base::Status;
using core::Money;

// Nothing fits under it any more, whatever the worst case.
base::Error used_up(const Ceiling& ceiling, Money settled, int64_t time) {
  const std::string anew = starts_anew(ceiling.window, time);
  return {base::ErrorKind::kBudget,
          fmt::format("{} = {} is used up: {} is spent; nothing was sent{}",
                      ceiling_name(ceiling), core::display_usd(ceiling.limit),
                      core::display_usd(settled),
                      anew.empty() ? "" : " (it starts anew " + anew + ")")};
}

Status check(Database& database, const DecisionRow& decision,
             const Ceiling& ceiling, Money worst, int64_t time) {
  LLMROUTE_TRY(
      const ScopeSums sums,
      scope_sums(database, scope_name(ceiling.window, ceiling.tag, time,
                                      decision.run.value_or(""))));
  const Money settled{sums.settled_pico};
  const Money held{sums.held_pico};
  if (settled + held + worst <= ceiling.limit) return {};
  if (settled >= ceiling.limit) return used_up(ceiling, settled, time);
  return base::Error{
      base::ErrorKind::kBudget,
      fmt::format("the worst case of {} does not fit under {} = {}: {} is "
                  "spent, {} is held; nothing was sent (--max-tokens "
                  "lowers the worst case)",
                  core::display_usd(worst), ceiling_name(ceiling),
                  core::display_usd(ceiling.limit), core::display_usd(settled),
                  core::display_usd(held))};
}

// Of the last requests, this one among them.
Status check_hedges(Database& database, const DecisionRow& decision) {
  LLMROUTE_TRY(
      Statement statement,
      database.prepare("SELECT count(DISTINCT decision) FROM attempts_apart "
                       "WHERE hedge=1 AND "
                       "decision IN (SELECT id FROM decisions WHERE id<>? "
                       "ORDER BY id DESC LIMIT ?)"));
  statement.bind(0, decision.id).bind(1, int64_t{kRequests - 1});
  LLMROUTE_TRY(const bool counted, statement.step());
  if (!counted || statement.integer(0) < kHedges) return {};
  return base::Error{base::ErrorKind::kBudget,
                     fmt::format("{} of the last {} requests were asked twice "
                                 "already",
                                 kHedges, kRequests)};
}

struct Held {
  std::string decision;
  int64_t number = 0;
};

Result<std::vector<Held>> held_by_the_dead(Database& database) {
  LLMROUTE_TRY(
      Statement statement,
      database.prepare("SELECT decision, number, owner FROM "
                       "attempts_apart WHERE state='held' ORDER BY owner"));
  std::vector<Held> found;
  std::string owner = "nobody";
  bool dead = false;
  for (;;) {
    LLMROUTE_TRY(const bool more, statement.step());
    if (!more) return found;
    if (const std::string its = statement.text(2); its != owner) {
      owner = its;
      dead = !may_be_alive(owner);
    }
    if (dead) found.push_back({statement.text(0), statement.integer(1)});
  }
}

Status orphan(Database& database, const Held& held) {
  LLMROUTE_TRY(auto kept, find_attempt(database, held.decision, held.number));
  if (!kept || kept->row.state != "held") return {};
  LLMROUTE_TRY(const DecisionRow decision,
               grouping_of(database, held.decision));
  kept->row.state = kept->row.charged_as = "orphan";
  kept->owner.clear();
  const int64_t worst = kept->row.charged_pico;
  LLMROUTE_CHECK(put_attempt(database, held.decision, *kept));
  Tally tally;
  tally.add_money(kept->scopes, worst, -worst);
  tally.add_attempt(decision, kept->row, kept->time, 1);
  return tally.write(database);
}

}  // namespace

Status hold(Ledger& ledger, DecisionRow& decision, const AttemptRow& attempt,
            std::span<const Ceiling> ceilings, int64_t now) {
  Database& database = ledger.database();
  const Money worst{*attempt.worst_pico};
  LLMROUTE_TRY(Transaction transaction, Transaction::begin(database));
  LLMROUTE_TRY(const int64_t time, ledger_time(database, now));
  for (const Ceiling& ceiling : ceilings) {
    LLMROUTE_CHECK(check(database, decision, ceiling, worst, time));
  }
  if (attempt.hedge) LLMROUTE_CHECK(check_hedges(database, decision));
  decision.time = time;
  LLMROUTE_CHECK(put_decision(database, decision));
  KeptAttempt held{attempt, time, this_process(), ""};
  held.row.state = held.row.charged_as = "held";
  held.row.charged_pico = worst.pico;
  held.row.cost_pico.reset();
  LLMROUTE_TRY(held.scopes, scopes_of(database, decision, time));
  LLMROUTE_CHECK(put_attempt(database, decision.id, held));
  Tally tally;
  tally.add_money(held.scopes, 0, worst.pico);
  LLMROUTE_CHECK(tally.write(database));
  return transaction.commit();
}

Result<int64_t> settle_orphans(Ledger& ledger) {
  Database& database = ledger.database();
  LLMROUTE_TRY(const std::vector<Held> dead, held_by_the_dead(database));
  if (dead.empty()) return int64_t{0};
  LLMROUTE_TRY(Transaction transaction, Transaction::begin(database));
  for (const Held& held : dead) LLMROUTE_CHECK(orphan(database, held));
  LLMROUTE_CHECK(transaction.commit());
  return static_cast<int64_t>(dead.size());
}

}  // namespace llmroute::store
