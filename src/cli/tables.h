// The tables everything about the command line comes from: commands, options
// and environment variables, a row each. Parser, -h, --help, manual pages and
// completions read them; nothing is written twice. Exit statuses are in
// core/exit_status.h, config keys in config/schema.h.
//
// Texts are plain: a `word` in backquotes is something to type (bold in the
// manual), everything else is prose. No text ends a first line with a full stop
// but `detail`, which holds whole sentences.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace llmroute::cli {

struct Settings;

enum class Command : uint8_t {
  kRun,
  kExplain,
  kBatch,
  kBench,
  kTrain,
  kModels,
  kUsage,
  kFeedback,
  kReplay,
  kConfig,
  kCompletion,
  kHelp,
  kVersion,
};

// A set of commands, one bit each.
using CommandSet = uint32_t;
constexpr CommandSet in(Command command) {
  return CommandSet{1} << static_cast<uint32_t>(command);
}

// Where the completions of a value come from, besides `choices`.
enum class Source : uint8_t {
  kNothing,
  kFile,
  kModels,
  kRoutes,
  kProfiles,
  kTiers,
};

struct Example {
  std::string_view command;
  std::string_view purpose;
};

struct CommandRow {
  Command command;
  std::string_view name;
  std::string_view summary;      // one line
  std::string_view arguments;    // of the synopsis, after the options
  std::string_view description;  // paragraphs, separated by a blank line
  Example examples[4] = {};      // ends at the first empty command
  size_t min_operands = 0;
  size_t max_operands = SIZE_MAX;
  // What completes an operand: blank-separated words, or empty.
  std::string_view operand_words = {};
  Source operand_source = Source::kNothing;
};

// In the order of the manual.
enum class Group : uint8_t {
  kInput,
  kRouting,
  kRequest,
  kOutput,
  kLimits,
  kConfig,
  kHelp,
};
inline constexpr Group kGroups[] = {
    Group::kInput,  Group::kRouting, Group::kRequest, Group::kOutput,
    Group::kLimits, Group::kConfig,  Group::kHelp};
std::string_view group_name(Group group);

enum class Kind : uint8_t {
  kSwitch,         // takes no value
  kValue,          // takes one value; a later one wins
  kRepeatable,     // takes one value; each adds to those before
  kOptionalValue,  // --name alone, or --name=VALUE in the same word
};

struct OptionRow {
  std::string_view name = {};  // long form without dashes; may be empty
  char letter = 0;             // short form; may be 0
  std::string_view metavar = {};
  Group group = Group::kHelp;
  CommandSet commands = 0;
  Kind kind = Kind::kSwitch;
  bool common = false;            // -h of the command shows it
  bool most_used = false;         // so does -h of the program
  std::string_view help = {};     // one line
  std::string_view detail = {};   // sentences
  std::string_view choices = {};  // blank-separated; the only values allowed
  Source source = Source::kNothing;
  // Checks the value and records it; a switch gets "". Its error names neither
  // option nor value: the caller knows whether they came from a word or a
  // variable. Null for what is answered before anything is recorded (-h, -V).
  base::Status (*apply)(Settings&, std::string_view value) = nullptr;

  bool takes_value() const {
    return kind == Kind::kValue || kind == Kind::kRepeatable;
  }
  bool applies_to(Command command) const {
    return (commands & in(command)) != 0;
  }
  // "--name", or "-x" where there is no long form.
  std::string spelling() const;
};

struct VariableRow {
  std::string_view name;
  std::string_view metavar = {};
  std::string_view help = {};    // one line
  std::string_view option = {};  // acts like this option (long form)
  CommandSet commands = 0;       // that heed it; else those of the option
  // For a variable without an option; null for one read elsewhere.
  base::Status (*apply)(Settings&, std::string_view value) = nullptr;
};

std::span<const CommandRow> commands();
std::span<const OptionRow> options();
std::span<const VariableRow> variables();

bool heeds(Command command, const VariableRow& variable);

const CommandRow& command_row(Command command);
const CommandRow* find_command(std::string_view name);
// The row of that long name for that command, or null.
const OptionRow* find_option(std::string_view name, Command command);

}  // namespace llmroute::cli
