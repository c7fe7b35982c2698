// SQLite, wrapped: only this file uses it. Prepared statements only; a
// file is opened so that nothing in it can act by itself (defensive, schema
// not trusted, no extensions). Confined to one thread.
//
// Errors: kTryLater if another process kept it locked for longer than the busy
// time-out, kData if the tables do not take a value, else kIo: damaged, no
// database, full disk, read-only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace llmroute::store {

// Prepared statements that nobody uses at present, by their text: to prepare
// one costs more than most take to run.
class IdleStatements {
 public:
  IdleStatements() = default;
  IdleStatements(const IdleStatements&) = delete;
  IdleStatements& operator=(const IdleStatements&) = delete;
  ~IdleStatements();

  // Its place stays where it is; null: all of them are in use.
  sqlite3_stmt*& place_of(std::string_view sql) {
    const auto known = places_.find(sql);
    return known != places_.end() ? known->second : places_[std::string(sql)];
  }

 private:
  struct Hash {
    using is_transparent = void;
    // Sizes tell most of them apart, and all of a text takes long.
    size_t operator()(std::string_view sql) const {
      return std::hash<std::string_view>()(sql.substr(0, 32)) + sql.size();
    }
  };
  std::unordered_map<std::string, sqlite3_stmt*, Hash, std::equal_to<>> places_;
};

// Parameters and columns count from 0. What cannot be bound is an error of the
// next step().
class Statement {
 public:
  Statement& bind(int parameter, int64_t value);
  Statement& bind(int parameter, double value);
  Statement& bind(int parameter, std::string_view text);  // copied
  // Not copied: it must stay as it is until run() has returned.
  Statement& bind_borrowed(int parameter, std::string_view text);
  Statement& bind_borrowed_bytes(int parameter, std::string_view bytes);
  Statement& bind_null(int parameter);

  // True: a row can be read; false: the end.
  base::Result<bool> step();
  // All steps of a statement without rows; then it can be run again, with the
  // same values where none is bound anew.
  base::Status run();
  void reset();

  // REQUIRES: step() was true. A value of another type is converted.
  bool is_null(int column) const;
  int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;  // or bytes

 private:
  friend class Database;
  struct GiveBack {
    sqlite3_stmt** place;
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(sqlite3_stmt* statement, sqlite3_stmt*& place,
            const std::string& path)
      : statement_(statement, GiveBack{&place}), path_(&path) {}

  Statement& bound(int code);

  std::unique_ptr<sqlite3_stmt, GiveBack> statement_;
  const std::string* path_;  // the database's
  int bind_error_ = 0;       // the first since the last step()
};

// Opens the library, which takes a while; the first Database does it otherwise.
// Thread-safe. Errors: those of Database::open().
base::Status load_sqlite();

// What survives a power loss: every commit, or all but the last ones. Either
// way the file stays whole, and nothing is lost when a process is killed.
enum class Durability { kNormal, kFull };

struct DatabaseOptions {
  bool read_only = false;
  bool create = false;  // an empty one, where no file is
  Durability durability = Durability::kNormal;
  std::chrono::milliseconds busy_timeout{5000};
};

class Database {
 public:
  // `path`: without links. Nothing of the file is read yet.
  static base::Result<Database> open(const std::string& path,
                                     const DatabaseOptions& options);

  // From now on.
  base::Status set_durability(Durability durability);
  Durability durability() const { return durability_; }
  // Whether much is written in a row from now on. The write-ahead log is
  // emptied into the file and cut when it is a little long, so that whoever
  // opens it next has little to read; in a row less often, and it is cut at the
  // end of the row, since to write its pages again is cheaper.
  void set_writes_much(bool much);
  // How long to wait from now on while others hold the lock.
  void set_busy_timeout(std::chrono::milliseconds timeout);

  // Statements that return nothing, separated by semicolons. Never made from
  // outside text.
  base::Status execute(const std::string& sql);
  // Must not outlive the database. Its text is one of a few.
  base::Result<Statement> prepare(std::string_view sql);
  // The only value of the only row, as an integer or as text; nothing if there
  // is no row or it is NULL.
  base::Result<std::optional<int64_t>> integer(std::string_view sql);
  base::Result<std::optional<std::string>> text(std::string_view sql);
  // Rows that the last INSERT, UPDATE or DELETE has written.
  int64_t changes() const;

  const std::string& path() const { return *path_; }

 private:
  friend class Transaction;
  struct Close {
    void operator()(sqlite3* database) const;
  };
  Database(sqlite3* database, const std::string& path)
      : database_(database),
        path_(std::make_unique<std::string>(path)),
        idle_(std::make_unique<IdleStatements>()),
        log_(std::make_unique<LogState>()) {}
  struct LogState {
    int busy_timeout = 0;  // milliseconds
    bool much = false;
    int longest = 0;  // pages, since it was cut
  };
  static int after_commit(void* log, sqlite3* database, const char*, int pages);
  static void cut_log(sqlite3* database, LogState& log);
  base::Status configure(const DatabaseOptions& options);

  std::unique_ptr<sqlite3, Close> database_;
  std::unique_ptr<std::string> path_;  // statements point to it
  std::unique_ptr<IdleStatements> idle_;
  std::unique_ptr<LogState> log_;  // SQLite points to it
  Durability durability_ = Durability::kNormal;
};

// Takes the write lock at once; undone unless committed. Waits for the lock as
// long as the busy time-out says.
class Transaction {
 public:
  static base::Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  base::Status commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}

  Database* database_;  // null: it is over
};

}  // namespace llmroute::store
