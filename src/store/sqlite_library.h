// SQLite, opened when a ledger is first used. Linked in, it would cost every
// start some 0.08 ms, also of commands that use no ledger.
#pragma once

#include <sqlite3.h>

#include "base/result.h"

namespace llmroute::store {

// The functions used, found by name. They live as long as the process.
struct SqliteLibrary {
  decltype(&sqlite3_libversion_number) libversion_number = nullptr;
  decltype(&sqlite3_open_v2) open_v2 = nullptr;
  decltype(&sqlite3_config) config = nullptr;
  decltype(&sqlite3_close_v2) close_v2 = nullptr;
  decltype(&sqlite3_errmsg) errmsg = nullptr;
  decltype(&sqlite3_extended_errcode) extended_errcode = nullptr;
  decltype(&sqlite3_busy_timeout) busy_timeout = nullptr;
  decltype(&sqlite3_db_config) db_config = nullptr;
  decltype(&sqlite3_wal_hook) wal_hook = nullptr;
  decltype(&sqlite3_wal_checkpoint_v2) wal_checkpoint_v2 = nullptr;
  decltype(&sqlite3_exec) exec = nullptr;
  decltype(&sqlite3_prepare_v2) prepare_v2 = nullptr;
  decltype(&sqlite3_step) step = nullptr;
  decltype(&sqlite3_reset) reset = nullptr;
  decltype(&sqlite3_clear_bindings) clear_bindings = nullptr;
  decltype(&sqlite3_finalize) finalize = nullptr;
  decltype(&sqlite3_changes) changes = nullptr;
  decltype(&sqlite3_db_handle) db_handle = nullptr;
  decltype(&sqlite3_bind_int64) bind_int64 = nullptr;
  decltype(&sqlite3_bind_double) bind_double = nullptr;
  decltype(&sqlite3_bind_text64) bind_text64 = nullptr;
  decltype(&sqlite3_bind_blob64) bind_blob64 = nullptr;
  decltype(&sqlite3_bind_null) bind_null = nullptr;
  decltype(&sqlite3_column_type) column_type = nullptr;
  decltype(&sqlite3_column_int64) column_int64 = nullptr;
  decltype(&sqlite3_column_double) column_double = nullptr;
  decltype(&sqlite3_column_text) column_text = nullptr;
  decltype(&sqlite3_column_bytes) column_bytes = nullptr;
};

// Opens it once. Thread-safe. Missing, or too old for the ledger's tables: kIo,
// naming the package to install.
base::Result<const SqliteLibrary*> sqlite_library();

}  // namespace llmroute::store
