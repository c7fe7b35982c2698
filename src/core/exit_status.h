// Exit statuses: one table, printed by the manual. A number is never reused and
// a meaning never changes. Numbers 64 to 78 follow BSD sysexits(3).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace llmroute::core {

enum class ExitStatus : int {
  kOk = 0,
  kNegative = 1,
  kIncomplete = 3,
  kBudget = 4,
  kUsage = 64,
  kData = 65,
  kNoInput = 66,
  kUnavailable = 69,
  kSoftware = 70,
  kOs = 71,
  kCannotCreate = 73,
  kIo = 74,
  kTryLater = 75,
  kProtocol = 76,
  kNoPermission = 77,
  kConfig = 78,
};

struct ExitStatusRow {
  ExitStatus status;
  std::string_view name;
  std::string_view meaning;
  std::string_view advice;  // what a script does next
};

// In numerical order.
std::span<const ExitStatusRow> exit_status_table();

ExitStatus exit_status(base::ErrorKind kind);
// Whether the first is told as a process's end if both apply.
bool is_graver(ExitStatus one, ExitStatus than);
std::string_view exit_status_name(ExitStatus status);
// The name as a word for JSON: "no input" -> "no_input", "i/o" -> "io".
std::string exit_status_code(ExitStatus status);

}  // namespace llmroute::core
