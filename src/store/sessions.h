// Sessions: which model answered a sequence of requests last, so that the next
// can go to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "store/database.h"

namespace llmroute::store {

struct SessionRow {
  std::string name;
  int64_t time = 0;  // ms, of the last answer
  std::string model;
  int64_t tokens = 0;  // of its input
};

base::Result<std::optional<SessionRow>> find_session(Database& database,
                                                     const std::string& name);
base::Status put_session(Database& database, const SessionRow& row);

}  // namespace llmroute::store
