// The documents a terminal shows: -h, --help and the version.
#pragma once

#include <string>
#include <vector>

#include "cli/tables.h"

namespace llmroute::cli {

// -h: examples, then the most used options; one screen, 80 columns. `program`:
// of llmroute itself, with the list of commands, else of that command alone.
std::string short_help(Command command, bool program);

// --help: description, examples, every option, and of the program variables and
// what exit statuses mean, of a command those it can end with.
std::string full_help(Command command, bool program);

// `llmroute 0.1.0` alone on the first line, then how it was built.
std::string version_text(std::string_view model_id,
                         std::string_view model_sha256);

// "-p, --prompt TEXT", "    --json", "    --color[=WHEN]".
std::string option_term(const OptionRow& row);

// "llmroute explain [OPTION]... [PROMPT...]".
std::string synopsis(const CommandRow& row);

// Everything a document says of an option: help, detail, its variable, that it
// may be repeated.
std::string option_text(const OptionRow& row);
std::string variable_text(const VariableRow& row);

// The exit statuses that a command can end with, without deaths by a signal.
std::vector<int> statuses_of(Command command);

inline constexpr std::string_view kProgramSummary =
    "answers a prompt with the model that is worth it";

}  // namespace llmroute::cli
