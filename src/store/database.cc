#include "store/database.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/files.h"
#include "store/sqlite_library.h"

namespace llmroute::store {
namespace {

using base::Result;
using base::Status;

// Of the log, before it is emptied.
constexpr int kFewPages = 128;
constexpr int kManyPages = 1024;

// REQUIRES: sqlite_library() was opened, as Database::open() does.
const SqliteLibrary& sqlite() {
  static const SqliteLibrary& library = **sqlite_library();
  return library;
}

std::string what_happened(int code, const char* message) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process keeps it locked";
    case SQLITE_NOTADB:
      return "it is not an SQLite database; --ledger can name another";
    case SQLITE_CORRUPT:
      return "it is damaged; `sqlite3 FILE .recover` reads what is left of it, "
             "and once it is moved away a new one is begun";
    default:
      return message;
  }
}

base::ErrorKind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return base::ErrorKind::kTryLater;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return base::ErrorKind::kData;
    default:
      return base::ErrorKind::kIo;
  }
}

base::Error failure(int code, const char* message, const std::string& path) {
  return {kind_of(code),
          fmt::format("ledger '{}': {}", path, what_happened(code, message))};
}

base::Error failure(sqlite3* database, const std::string& path) {
  return failure(sqlite().extended_errcode(database), sqlite().errmsg(database),
                 path);
}

// What is without memory is not bound as null, nor read as an empty text.
void require_memory(bool there) {
  if (!there) throw std::bad_alloc();
}

int bind_text(sqlite3_stmt* statement, int parameter, std::string_view text,
              sqlite3_destructor_type lifetime) {
  return sqlite().bind_text64(statement, parameter + 1, text.data(),
                              text.size(), lifetime, SQLITE_UTF8);
}

// Where nothing can be written beside it, nobody is at it, and all of it is in
// the file: as on a read-only disk. SQLite would want to make its log there.
bool cannot_change(const std::string& path) {
  struct stat log {};
  return ::access(base::parent_directory(path).c_str(), W_OK) != 0 &&
         !base::file_exists(path + "-shm") &&
         (::stat((path + "-wal").c_str(), &log) != 0 || log.st_size == 0);
}

// sqlite.org/uri.html
std::string immutable_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    const bool special = c == '?' || c == '#' || c == '%';
    uri += special ? fmt::format("%{:02x}", c) : std::string(1, c);
  }
  return uri + "?immutable=1";
}

bool checkpoint(sqlite3* database, int mode) {
  int pages = 0, done = 0;
  return sqlite().wal_checkpoint_v2(database, nullptr, mode, &pages, &done) ==
             SQLITE_OK &&
         pages == done;
}

}  // namespace

// What was emptied is not known to a process that opens the log later: it would
// read all of it again and add to its end. So it is cut, unless another process
// is at it, which is not waited for.
void Database::cut_log(sqlite3* database, LogState& log) {
  if (!checkpoint(database, SQLITE_CHECKPOINT_PASSIVE)) return;
  sqlite().busy_timeout(database, 0);
  if (checkpoint(database, SQLITE_CHECKPOINT_TRUNCATE)) log.longest = 0;
  sqlite().busy_timeout(database, log.busy_timeout);
}

int Database::after_commit(void* state, sqlite3* database, const char*,
                           int pages) {
  auto& log = *static_cast<LogState*>(state);
  log.longest = std::max(log.longest, pages);
  if (!log.much && pages >= kFewPages) cut_log(database, log);
  if (log.much && pages >= kManyPages) {
    checkpoint(database, SQLITE_CHECKPOINT_PASSIVE);
  }
  return SQLITE_OK;
}

IdleStatements::~IdleStatements() {
  for (const auto& [sql, statement] : places_) sqlite().finalize(statement);
}

void Statement::GiveBack::operator()(sqlite3_stmt* statement) const {
  if (*place != nullptr) {
    sqlite().finalize(statement);
    return;
  }
  sqlite().reset(statement);
  sqlite().clear_bindings(statement);
  *place = statement;
}

void Database::Close::operator()(sqlite3* database) const {
  sqlite().close_v2(database);
}

Statement& Statement::bound(int code) {
  require_memory(code != SQLITE_NOMEM);
  if (bind_error_ == SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::bind(int parameter, int64_t value) {
  return bound(sqlite().bind_int64(statement_.get(), parameter + 1, value));
}

Statement& Statement::bind(int parameter, double value) {
  return bound(sqlite().bind_double(statement_.get(), parameter + 1, value));
}

Statement& Statement::bind(int parameter, std::string_view text) {
  return bound(bind_text(statement_.get(), parameter, text, SQLITE_TRANSIENT));
}

Statement& Statement::bind_borrowed(int parameter, std::string_view text) {
  return bound(bind_text(statement_.get(), parameter, text, SQLITE_STATIC));
}

Statement& Statement::bind_borrowed_bytes(int parameter,
                                          std::string_view bytes) {
  return bound(sqlite().bind_blob64(statement_.get(), parameter + 1,
                                    bytes.data(), bytes.size(), SQLITE_STATIC));
}

Statement& Statement::bind_null(int parameter) {
  return bound(sqlite().bind_null(statement_.get(), parameter + 1));
}

Result<bool> Statement::step() {
  if (const int code = std::exchange(bind_error_, SQLITE_OK)) {
    reset();
    return failure(code, "a value cannot be bound", *path_);
  }
  const int code = sqlite().step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite3* database = sqlite().db_handle(statement_.get());
  base::Error error = failure(database, *path_);
  reset();
  return error;
}

Status Statement::run() {
  for (;;) {
    LLMROUTE_TRY(const bool more, step());
    if (!more) break;
  }
  reset();
  return {};
}

void Statement::reset() { sqlite().reset(statement_.get()); }

bool Statement::is_null(int column) const {
  return sqlite().column_type(statement_.get(), column) == SQLITE_NULL;
}

int64_t Statement::integer(int column) const {
  return sqlite().column_int64(statement_.get(), column);
}

double Statement::real(int column) const {
  return sqlite().column_double(statement_.get(), column);
}

std::string Statement::text(int column) const {
  if (is_null(column)) return {};
  const unsigned char* text = sqlite().column_text(statement_.get(), column);
  require_memory(text != nullptr);
  const int size = sqlite().column_bytes(statement_.get(), column);
  return {reinterpret_cast<const char*>(text), static_cast<size_t>(size)};
}

Status load_sqlite() {
  const auto library = sqlite_library();
  return library ? Status() : Status(library.error());
}

Result<Database> Database::open(const std::string& path,
                                const DatabaseOptions& options) {
  LLMROUTE_CHECK(load_sqlite());
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
  flags |= options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (options.create) flags |= SQLITE_OPEN_CREATE;
  const bool frozen = options.read_only && cannot_change(path);
  if (frozen) flags |= SQLITE_OPEN_URI;
  sqlite3* handle = nullptr;
  const int code = sqlite().open_v2(
      (frozen ? immutable_uri(path) : path).c_str(), &handle, flags, nullptr);
  Database database(handle, path);
  if (handle == nullptr) {
    return base::Error{base::ErrorKind::kOs, "out of memory for the ledger"};
  }
  if (code != SQLITE_OK) return failure(handle, path);
  LLMROUTE_CHECK(database.configure(options));
  return database;
}

Status Database::configure(const DatabaseOptions& options) {
  sqlite3* const db = database_.get();
  set_busy_timeout(options.busy_timeout);
  sqlite().db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite().db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite().db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite().db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  sqlite().db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite().db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite().wal_hook(db, after_commit, log_.get());
  LLMROUTE_CHECK(set_durability(options.durability));
  return execute("PRAGMA cell_size_check=ON");
}

Status Database::set_durability(Durability durability) {
  const bool full = durability == Durability::kFull;
  LLMROUTE_CHECK(
      execute(full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
  durability_ = durability;
  return {};
}

void Database::set_writes_much(bool much) {
  log_->much = much;
  if (!much && log_->longest >= kFewPages) cut_log(database_.get(), *log_);
}

void Database::set_busy_timeout(std::chrono::milliseconds timeout) {
  log_->busy_timeout = static_cast<int>(timeout.count());
  sqlite().busy_timeout(database_.get(), log_->busy_timeout);
}

Status Database::execute(const std::string& sql) {
  if (sqlite().exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) !=
      SQLITE_OK) {
    return failure(database_.get(), path());
  }
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt*& place = idle_->place_of(sql);
  sqlite3_stmt* statement = std::exchange(place, nullptr);
  if (statement == nullptr &&
      sqlite().prepare_v2(database_.get(), sql.data(),
                          static_cast<int>(sql.size()), &statement,
                          nullptr) != SQLITE_OK) {
    return failure(database_.get(), path());
  }
  return Statement(statement, place, path());
}

Result<std::optional<int64_t>> Database::integer(std::string_view sql) {
  LLMROUTE_TRY(Statement statement, prepare(sql));
  LLMROUTE_TRY(const bool found, statement.step());
  if (!found || statement.is_null(0)) return std::optional<int64_t>();
  return std::optional(statement.integer(0));
}

Result<std::optional<std::string>> Database::text(std::string_view sql) {
  LLMROUTE_TRY(Statement statement, prepare(sql));
  LLMROUTE_TRY(const bool found, statement.step());
  if (!found || statement.is_null(0)) return std::optional<std::string>();
  return std::optional(statement.text(0));
}

int64_t Database::changes() const { return sqlite().changes(database_.get()); }

Result<Transaction> Transaction::begin(Database& database) {
  LLMROUTE_CHECK(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  // Also where there is no memory to say what failed.
  sqlite().exec(database_->database_.get(), "ROLLBACK", nullptr, nullptr,
                nullptr);
}

Status Transaction::commit() {
  LLMROUTE_CHECK(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace llmroute::store
