#include "core/exit_status.h"

#include <algorithm>
#include <array>

namespace llmroute::core {
namespace {

constexpr ExitStatusRow kTable[] = {
    {ExitStatus::kOk, "ok", "done; of a prompt, with a complete answer",
     "go on"},
    {ExitStatus::kNegative, "negative",
     "ran fine and the answer is no: an assertion was not met, a check "
     "rejected the answer, some records failed",
     "inspect"},
    {ExitStatus::kIncomplete, "incomplete",
     "output began and then broke; or the answer was empty, filtered, refused, "
     "or cut by a token limit you did not set",
     "discard, or accept the part"},
    {ExitStatus::kBudget, "budget",
     "a cost ceiling is too low: nothing was sent, or a batch stopped before "
     "what it does not pay for",
     "raise the ceiling"},
    {ExitStatus::kUsage, "usage", "bad command line", "fix it"},
    {ExitStatus::kData, "data",
     "bad input: not UTF-8, too large, too long for every model, or refused by "
     "the provider as malformed; or an answer that does not fit --schema",
     "fix the input"},
    {ExitStatus::kNoInput, "no input",
     "empty input, or something asked for that is not there: a file, an id, a "
     "snapshot",
     "give it"},
    {ExitStatus::kUnavailable, "unavailable",
     "no model fits the constraints, the provider does not know the model, or "
     "an exec command is missing",
     "change model or constraint"},
    {ExitStatus::kSoftware, "software", "a bug in llmroute", "report it"},
    {ExitStatus::kOs, "os", "out of memory, descriptors or processes",
     "raise limits"},
    {ExitStatus::kCannotCreate, "cannot create",
     "an output or temporary file cannot be created", "fix the path"},
    {ExitStatus::kIo, "i/o", "a write, fsync or rename failed",
     "free space, run again"},
    {ExitStatus::kTryLater, "try later",
     "rate limit, overload, network or time-out after retries and fallbacks; "
     "nothing was printed",
     "retry"},
    {ExitStatus::kProtocol, "protocol",
     "the provider's reply made no sense; nothing was printed", "report it"},
    {ExitStatus::kNoPermission, "no permission",
     "a key is missing, refused or unfunded; a certificate is not trusted; a "
     "file's mode or owner is unsafe",
     "fix the key or file"},
    {ExitStatus::kConfig, "config", "bad config or bad model file", "fix it"},
};

}  // namespace

std::span<const ExitStatusRow> exit_status_table() { return kTable; }

ExitStatus exit_status(base::ErrorKind kind) {
  using base::ErrorKind;
  switch (kind) {
    case ErrorKind::kNegative:
      return ExitStatus::kNegative;
    case ErrorKind::kIncomplete:
      return ExitStatus::kIncomplete;
    case ErrorKind::kBudget:
      return ExitStatus::kBudget;
    case ErrorKind::kUsage:
      return ExitStatus::kUsage;
    case ErrorKind::kData:
      return ExitStatus::kData;
    case ErrorKind::kNoInput:
      return ExitStatus::kNoInput;
    case ErrorKind::kUnavailable:
      return ExitStatus::kUnavailable;
    case ErrorKind::kSoftware:
      return ExitStatus::kSoftware;
    case ErrorKind::kOs:
      return ExitStatus::kOs;
    case ErrorKind::kCannotCreate:
      return ExitStatus::kCannotCreate;
    case ErrorKind::kIo:
      return ExitStatus::kIo;
    case ErrorKind::kTryLater:
      return ExitStatus::kTryLater;
    case ErrorKind::kProtocol:
      return ExitStatus::kProtocol;
    case ErrorKind::kNoPermission:
      return ExitStatus::kNoPermission;
    case ErrorKind::kConfig:
      return ExitStatus::kConfig;
  }
  return ExitStatus::kSoftware;
}

bool is_graver(ExitStatus one, ExitStatus than) {
  using enum ExitStatus;
  constexpr std::array<ExitStatus, 13> kOrder = {
      kSoftware, kOs,         kIo,       kCannotCreate, kNoPermission,
      kConfig,   kBudget,     kProtocol, kTryLater,     kUnavailable,
      kData,     kIncomplete, kNegative};
  return std::find(kOrder.begin(), kOrder.end(), one) <
         std::find(kOrder.begin(), kOrder.end(), than);
}

std::string_view exit_status_name(ExitStatus status) {
  for (const ExitStatusRow& row : kTable) {
    if (row.status == status) return row.name;
  }
  return "unknown";
}

std::string exit_status_code(ExitStatus status) {
  std::string code(exit_status_name(status));
  std::replace(code.begin(), code.end(), ' ', '_');
  std::erase(code, '/');
  return code;
}

}  // namespace llmroute::core
