// Words -> Args: which command, which options, which operands, as typed.
// Nothing is opened, no environment is read.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/tables.h"

namespace llmroute::cli {

struct GivenOption {
  const OptionRow* row = nullptr;
  std::string value;  // empty for a switch
};

struct Args {
  Command command = Command::kRun;
  bool named = false;                 // the command stood there
  std::vector<GivenOption> options;   // in the order typed
  std::vector<std::string> operands;  // without the command's name
  // The first thing wrong, kUsage. The rest is still filled as far as it was
  // understood, so that help works whatever else is wrong.
  std::optional<base::Error> error;

  bool has(std::string_view name) const;
};

// `words` are those after the program's name. Options may stand before or after
// the command and its operands; after `--` every word is an operand. The first
// operand names the command. One that does not is the prompt of `run` if it
// contains white space or stands after `--`, else it is an error.
Args parse(std::span<const std::string> words);

// "unknown command 'explian' (did you mean explain?). To send it as ...".
// `more`: words follow it.
base::Error unknown_command(std::string_view word, bool more);
// Of `help WORD`.
base::Error no_help(std::string_view word);

}  // namespace llmroute::cli
