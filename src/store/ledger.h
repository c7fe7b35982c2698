// The ledger: what was decided, what was called, what it cost. An SQLite file
// that all processes of a user share; schema.h describes its tables. No text of
// a prompt or an answer is in it. Confined to one thread.
//
// Errors: kTryLater if it stays locked, kIo if it cannot be read or written;
// then nothing of that call has been written.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/sha256.h"
#include "store/database.h"
#include "store/rows.h"

namespace llmroute::store {

// An attempt that has ended; borrowed.
struct Ended {
  const DecisionRow* decision = nullptr;
  const AttemptRow* attempt = nullptr;
  int64_t time = 0;  // of its end, ms
};

// Whoever learns from attempts that have ended: told of each once, within the
// transaction that records it, so that nothing is lost or learned twice.
class Learner {
 public:
  virtual ~Learner() = default;
  // All of a transaction, in order.
  virtual base::Status learn(Database& database,
                             std::span<const Ended> ended) = 0;
};

// Whom a verdict is on.
struct AnswerOf {
  int64_t time = 0;   // ms, of the decision
  std::string model;  // that answered; the first candidate if none did
};

class Ledger {
 public:
  // `path`: by ledger_path(). Created if nothing is there, unless it is only
  // read. A file that is damaged, of another program or of a newer version is
  // refused and left as it is.
  static base::Result<Ledger> open(const std::string& path,
                                   const DatabaseOptions& options);

  // It was created now, on a network file system.
  bool made_on_network() const { return made_on_network_; }

  // Identifies equal prompts without telling what they say: HMAC-SHA-256 with
  // this ledger's own random key, the first 128 bits in hexadecimal.
  base::Result<std::string> prompt_hash(std::string_view prompt);

  // A text that many decisions share, kept once under its hash. `text` is
  // called only if it is not there yet.
  base::Status keep(const std::string& hash, std::string_view kind,
                    const std::function<std::string()>& text);
  // kNoInput: it is not there.
  base::Result<std::string> snapshot(const std::string& hash);

  // Records a decision and attempts that have ended, each attempt once however
  // often it is told; one that was held is settled in the window of its hold.
  // `now`: ms since 1970. The decision's time becomes the ledger's.
  base::Status record(DecisionRow& decision,
                      std::span<const AttemptRow> attempts, int64_t now);

  // The same of many, in one transaction: all or none.
  base::Status record(std::span<Recorded> all, int64_t now);

  // The same as a part of the caller's transaction, for what happened at the
  // decision's own time, when the ledger could not be written.
  base::Status record_late(const DecisionRow& decision,
                           std::span<const AttemptRow> attempts);

  // The id that is meant by an id, by the beginning of one only, or by "last".
  // kNoInput: there is none, or more than one.
  // `last`: of which "last" is the newest.
  enum class Last { kDecision, kAnswer };
  base::Result<std::string> find_decision(std::string id,
                                          Last last = Last::kDecision);

  // REQUIRES: an id that find_decision() gave.
  base::Result<AnswerOf> answer_of(const std::string& decision);

  // 0 (bad) to 1 (good); replaces what was said before. kNoInput: no such
  // decision. The model that answered is judged by it.
  base::Status put_feedback(const std::string& decision, double score,
                            int64_t now);

  // The same by a check, of one attempt.
  base::Status put_verdict(const std::string& decision, int64_t number,
                           double score, int64_t now);

  // Borrowed; null: nothing is learned.
  void teach(Learner* learner) { learner_ = learner; }

  Database& database() { return database_; }

 private:
  explicit Ledger(Database database) : database_(std::move(database)) {}
  struct Sums;
  base::Status put(const DecisionRow& decision,
                   std::span<const AttemptRow> attempts, Sums& sums);
  base::Status settle(const DecisionRow& decision, const AttemptRow& attempt,
                      bool is_written, Sums& sums);
  base::Status finish(const Sums& sums);

  bool made_on_network_ = false;
  Database database_;
  std::optional<base::HmacSha256> prompt_key_;  // once it was read
  Learner* learner_ = nullptr;
};

}  // namespace llmroute::store
