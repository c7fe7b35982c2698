// Completion scripts, made from the tables. Each finds the command among the
// words before the cursor (none means run), offers its options and operands,
// and asks `llmroute __complete KIND PREFIX` for names of the configuration.
#pragma once

#include <string>
#include <string_view>

#include "cli/tables.h"

namespace llmroute::cli {

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

// KIND of `__complete`, or empty for what is not asked there.
std::string_view complete_kind(Source source);

// Names of all commands, separated by `separator`.
std::string command_names(std::string_view separator);

// In single quotes of a POSIX shell; fish needs its own.
std::string shell_quoted(std::string_view text);

}  // namespace llmroute::cli
