#include "store/sqlite_library.h"

#include <dlfcn.h>

#include <string>

namespace llmroute::store {
namespace {

constexpr int kStrictTables = 3037000;  // the first version that has them

base::Error missing(const std::string& why) {
  return {base::ErrorKind::kIo,
          "ledger: cannot open libsqlite3 (" + why +
              "): install it, on Debian and Ubuntu with: apt install "
              "libsqlite3-0"};
}

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

bool find_all(void* library, SqliteLibrary& sqlite) {
  return find(library, "sqlite3_libversion_number", sqlite.libversion_number) &&
         find(library, "sqlite3_config", sqlite.config) &&
         find(library, "sqlite3_open_v2", sqlite.open_v2) &&
         find(library, "sqlite3_close_v2", sqlite.close_v2) &&
         find(library, "sqlite3_errmsg", sqlite.errmsg) &&
         find(library, "sqlite3_extended_errcode", sqlite.extended_errcode) &&
         find(library, "sqlite3_busy_timeout", sqlite.busy_timeout) &&
         find(library, "sqlite3_db_config", sqlite.db_config) &&
         find(library, "sqlite3_wal_hook", sqlite.wal_hook) &&
         find(library, "sqlite3_wal_checkpoint_v2", sqlite.wal_checkpoint_v2) &&
         find(library, "sqlite3_exec", sqlite.exec) &&
         find(library, "sqlite3_prepare_v2", sqlite.prepare_v2) &&
         find(library, "sqlite3_step", sqlite.step) &&
         find(library, "sqlite3_reset", sqlite.reset) &&
         find(library, "sqlite3_clear_bindings", sqlite.clear_bindings) &&
         find(library, "sqlite3_finalize", sqlite.finalize) &&
         find(library, "sqlite3_changes", sqlite.changes) &&
         find(library, "sqlite3_db_handle", sqlite.db_handle) &&
         find(library, "sqlite3_bind_int64", sqlite.bind_int64) &&
         find(library, "sqlite3_bind_double", sqlite.bind_double) &&
         find(library, "sqlite3_bind_text64", sqlite.bind_text64) &&
         find(library, "sqlite3_bind_blob64", sqlite.bind_blob64) &&
         find(library, "sqlite3_bind_null", sqlite.bind_null) &&
         find(library, "sqlite3_column_type", sqlite.column_type) &&
         find(library, "sqlite3_column_int64", sqlite.column_int64) &&
         find(library, "sqlite3_column_double", sqlite.column_double) &&
         find(library, "sqlite3_column_text", sqlite.column_text) &&
         find(library, "sqlite3_column_bytes", sqlite.column_bytes);
}

base::Result<SqliteLibrary> open() {
  void* library = dlopen("libsqlite3.so.0", RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = dlerror();
    return missing(why != nullptr ? why : "not found");
  }
  SqliteLibrary sqlite;
  if (!find_all(library, sqlite) ||
      sqlite.libversion_number() < kStrictTables) {
    return missing("it is older than 3.37");
  }
  // Nobody asks for them, and each allocation would lock and count.
  sqlite.config(SQLITE_CONFIG_MEMSTATUS, 0);
  return sqlite;
}

}  // namespace

base::Result<const SqliteLibrary*> sqlite_library() {
  static const base::Result<SqliteLibrary> library = open();
  if (!library) return library.error();
  return &library.value();
}

}  // namespace llmroute::store
