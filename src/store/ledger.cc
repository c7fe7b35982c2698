#include "store/ledger.h"

#include <fmt/format.h>

#include <vector>

#include "base/sha256.h"
#include "store/account.h"
#include "store/cells.h"
#include "store/ledger_file.h"
#include "store/schema.h"
#include "store/tally.h"

namespace llmroute::store {

using base::Result;
using base::Status;

namespace {

base::Error no_such(const std::string& id) {
  return {base::ErrorKind::kNoInput,
          fmt::format("the ledger has no decision '{}'", id)};
}

}  // namespace

Result<Ledger> Ledger::open(const std::string& path,
                            const DatabaseOptions& options) {
  bool made_on_network = false;
  if (!options.read_only) {
    LLMROUTE_TRY(made_on_network, create_ledger(path));
  }
  LLMROUTE_CHECK(check_whole(path));
  LLMROUTE_TRY(Database database, Database::open(path, options));
  LLMROUTE_CHECK(check_schema(database));
  Ledger ledger(std::move(database));
  ledger.made_on_network_ = made_on_network;
  return ledger;
}

Result<std::string> Ledger::prompt_hash(std::string_view prompt) {
  if (!prompt_key_) {
    LLMROUTE_TRY(
        const auto key,
        database_.text("SELECT value FROM meta WHERE name='prompt_key'"));
    prompt_key_.emplace(key.value_or(""));
  }
  const auto digest = prompt_key_->of(prompt);
  return base::hex({digest.data(), 16});
}

Status Ledger::keep(const std::string& hash, std::string_view kind,
                    const std::function<std::string()>& text) {
  LLMROUTE_TRY(Statement find,
               database_.prepare("SELECT 1 FROM snapshots WHERE hash=?"));
  LLMROUTE_TRY(const bool found, find.bind(0, hash).step());
  if (found) return {};
  find.reset();
  LLMROUTE_TRY(
      Statement put,
      database_.prepare("INSERT OR IGNORE INTO snapshots VALUES(?,?,?)"));
  return put.bind(0, hash).bind(1, kind).bind(2, text()).run();
}

Result<std::string> Ledger::snapshot(const std::string& hash) {
  LLMROUTE_TRY(Statement find,
               database_.prepare("SELECT text FROM snapshots WHERE hash=?"));
  LLMROUTE_TRY(const bool found, find.bind(0, hash).step());
  if (found) return find.text(0);
  return base::Error{base::ErrorKind::kNoInput,
                     fmt::format("the ledger has no snapshot '{}'", hash)};
}

// Of one transaction.
struct Ledger::Sums {
  Tally tally;
  std::vector<Ended> ended;
};

Status Ledger::settle(const DecisionRow& decision, const AttemptRow& attempt,
                      bool is_written, Sums& sums) {
  int64_t time = decision.time;
  std::optional<KeptAttempt> kept;
  if (!is_written) {
    LLMROUTE_TRY(kept, find_attempt(database_, decision.id, attempt.number));
  }
  if (kept) {
    const bool orphan = kept->row.state == "orphan";
    if (kept->row.state != "held" && !orphan) return {};
    time = kept->time;
    const int64_t was = kept->row.charged_pico;
    sums.tally.add_money(kept->scopes,
                         attempt.charged_pico - (orphan ? was : 0),
                         orphan ? 0 : -was);
    if (orphan) sums.tally.add_attempt(decision, kept->row, time, -1);
  } else {
    LLMROUTE_CHECK(sums.tally.add_money(database_, decision, time,
                                        attempt.charged_pico, 0));
  }
  sums.tally.add_attempt(decision, attempt, time, 1);
  sums.ended.push_back({&decision, &attempt, decision.time});
  if (is_written) return {};
  return put_attempt(database_, decision.id, {attempt, time, "", ""});
}

Status Ledger::put(const DecisionRow& decision,
                   std::span<const AttemptRow> attempts, Sums& sums) {
  const bool alone = attempts.size() == 1 && attempts.front().number == 1;
  LLMROUTE_TRY(
      const bool is_new,
      put_decision(database_, decision, alone ? &attempts.front() : nullptr));
  for (const AttemptRow& attempt : attempts) {
    LLMROUTE_CHECK(settle(decision, attempt, is_new && alone, sums));
  }
  return {};
}

Status Ledger::finish(const Sums& sums) {
  LLMROUTE_CHECK(sums.tally.write(database_));
  if (learner_ == nullptr || sums.ended.empty()) return {};
  return learner_->learn(database_, sums.ended);
}

Status Ledger::record(DecisionRow& decision,
                      std::span<const AttemptRow> attempts, int64_t now) {
  LLMROUTE_TRY(Transaction transaction, Transaction::begin(database_));
  LLMROUTE_TRY(decision.time, ledger_time(database_, now));
  LLMROUTE_CHECK(record_late(decision, attempts));
  return transaction.commit();
}

Status Ledger::record(std::span<Recorded> all, int64_t now) {
  LLMROUTE_TRY(Transaction transaction, Transaction::begin(database_));
  LLMROUTE_TRY(const int64_t time, ledger_time(database_, now));
  Sums sums;
  for (Recorded& one : all) {
    one.decision.time = time;
    LLMROUTE_CHECK(put(one.decision, one.attempts, sums));
  }
  LLMROUTE_CHECK(finish(sums));
  return transaction.commit();
}

Status Ledger::record_late(const DecisionRow& decision,
                           std::span<const AttemptRow> attempts) {
  Sums sums;
  LLMROUTE_CHECK(put(decision, attempts, sums));
  return finish(sums);
}

Result<std::string> Ledger::find_decision(std::string id, Last which) {
  const bool last = id == "last";
  for (char& c : id) {
    if (!last && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  constexpr std::string_view kNewest =
      "SELECT id FROM decisions ORDER BY id DESC LIMIT 1";
  constexpr std::string_view kNewestAnswered =
      "SELECT id FROM decisions WHERE EXISTS(SELECT 1 FROM attempts WHERE "
      "decision=id AND state='answered') ORDER BY id DESC LIMIT 1";
  constexpr std::string_view kById =
      "SELECT id FROM decisions WHERE id>=?1 AND substr(id,1,length(?1))=?1 "
      "LIMIT 2";
  LLMROUTE_TRY(Statement statement,
               database_.prepare(!last                      ? kById
                                 : which == Last::kDecision ? kNewest
                                                            : kNewestAnswered));
  if (!last) statement.bind(0, id);
  LLMROUTE_TRY(const bool found, statement.step());
  if (!found || id.empty()) return no_such(id);
  std::string first = statement.text(0);
  if (last || first == id) return first;
  LLMROUTE_TRY(const bool second, statement.step());
  if (!second) return first;
  return base::Error{
      base::ErrorKind::kNoInput,
      fmt::format("more than one decision begins with '{}'", id)};
}

Result<AnswerOf> Ledger::answer_of(const std::string& decision) {
  LLMROUTE_TRY(Statement find,
               database_.prepare(
                   "SELECT time, ifnull((SELECT model FROM attempts WHERE "
                   "decision=?1 AND state='answered' ORDER BY number DESC), "
                   "model) FROM decisions WHERE id=?1"));
  LLMROUTE_TRY(const bool found, find.bind(0, decision).step());
  if (!found) return no_such(decision);
  return AnswerOf{find.integer(0), find.text(1)};
}

Status Ledger::put_feedback(const std::string& decision, double score,
                            int64_t now) {
  LLMROUTE_TRY(Transaction transaction, Transaction::begin(database_));
  LLMROUTE_TRY(const auto judged, judged_answer(database_, decision));
  LLMROUTE_TRY(Statement find,
               database_.prepare("SELECT 1 FROM decisions WHERE id=?"));
  LLMROUTE_TRY(const bool found, find.bind(0, decision).step());
  if (!found) return no_such(decision);
  LLMROUTE_TRY(Statement earlier,
               database_.prepare("SELECT 1 FROM feedback WHERE decision=?"));
  LLMROUTE_TRY(const bool again, earlier.bind(0, decision).step());
  earlier.reset();
  LLMROUTE_TRY(
      Statement put,
      database_.prepare("INSERT OR REPLACE INTO feedback VALUES(?,?,?)"));
  LLMROUTE_TRY(const int64_t time, ledger_time(database_, now));
  LLMROUTE_CHECK(put.bind(0, decision).bind(1, time).bind(2, score).run());
  if (judged) LLMROUTE_CHECK(learn_verdict(database_, *judged, score, again));
  return transaction.commit();
}

Status Ledger::put_verdict(const std::string& decision, int64_t number,
                           double score, int64_t now) {
  LLMROUTE_TRY(Transaction transaction, Transaction::begin(database_));
  LLMROUTE_TRY(const auto judged, judged_attempt(database_, decision, number));
  LLMROUTE_TRY(Statement find,
               database_.prepare(
                   "SELECT 1 FROM verdicts WHERE decision=? AND number=?"));
  LLMROUTE_TRY(const bool again, find.bind(0, decision).bind(1, number).step());
  find.reset();
  LLMROUTE_TRY(
      Statement put,
      database_.prepare("INSERT OR REPLACE INTO verdicts VALUES(?,?,?,?)"));
  LLMROUTE_TRY(const int64_t time, ledger_time(database_, now));
  put.bind(0, decision).bind(1, number).bind(2, time).bind(3, score);
  LLMROUTE_CHECK(put.run());
  if (judged) LLMROUTE_CHECK(learn_verdict(database_, *judged, score, again));
  return transaction.commit();
}

}  // namespace llmroute::store
