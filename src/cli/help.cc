#include "cli/help.h"

#include <fmt/core.h>

#include <vector>

#include "base/text.h"
#include "cli/layout.h"
#include "core/exit_status.h"

namespace llmroute::cli {
namespace {

constexpr size_t kTermIndent = 2;
constexpr size_t kTextColumn = 30;

std::string usage_lines(const CommandRow& row, bool program) {
  if (!program) return "usage: " + synopsis(row) + "\n";
  return "usage: llmroute [OPTION]... [PROMPT]\n"
         "       llmroute COMMAND [OPTION]... [ARGUMENT]...\n";
}

std::string example_lines(const CommandRow& row, size_t most) {
  std::string out;
  for (const Example& example : row.examples) {
    if (example.command.empty() || most-- == 0) break;
    out += fmt::format("  {}\n", example.command);
  }
  return out;
}

std::string example_texts(const CommandRow& row) {
  std::string out;
  for (const Example& example : row.examples) {
    if (example.command.empty()) break;
    out += fmt::format("  {}\n{}", example.command,
                       paragraphs(example.purpose, 6));
  }
  return out;
}

std::string command_lines() {
  std::string out = "Commands\n";
  for (const CommandRow& row : commands()) {
    out += definition(row.name, row.summary, kTermIndent, 14);
  }
  return out;
}

// Those that do no work share a line.
std::string brief_command_lines() {
  std::string out = "Commands\n";
  std::string others;
  for (const CommandRow& row : commands()) {
    if (row.command < Command::kCompletion) {
      out += definition(row.name, row.summary, kTermIndent, 14);
    } else {
      others += fmt::format("{}{}", others.empty() ? "  " : ", ", row.name);
    }
  }
  return out + others + "\n";
}

std::string most_used_lines(Command command) {
  std::string out = fmt::format("Options of {0} (llmroute {0} -h has more)\n",
                                command_row(command).name);
  for (const OptionRow& row : options()) {
    if (!row.most_used || !row.applies_to(command)) continue;
    out +=
        definition(option_term(row), plain(row.help), kTermIndent, kTextColumn);
  }
  return out;
}

std::string option_lines(Command command, bool only_common) {
  std::string out;
  for (const Group group : kGroups) {
    std::string lines;
    for (const OptionRow& row : options()) {
      if (row.group != group || !row.applies_to(command)) continue;
      if (only_common && !row.common) continue;
      lines += definition(option_term(row),
                          only_common ? plain(row.help) : option_text(row),
                          kTermIndent, kTextColumn);
    }
    if (lines.empty()) continue;
    out += fmt::format("{}{}\n{}", only_common ? "" : "\n", group_name(group),
                       lines);
  }
  return out;
}

std::string variable_lines() {
  std::string out = "\nEnvironment\n";
  for (const VariableRow& row : variables()) {
    const std::string term = row.metavar.empty()
                                 ? std::string(row.name)
                                 : fmt::format("{}={}", row.name, row.metavar);
    out += definition(term, variable_text(row), kTermIndent, kTextColumn);
  }
  return out;
}

std::string status_list(Command command) {
  std::vector<std::string> names;
  for (const int number : statuses_of(command)) {
    const auto status = static_cast<core::ExitStatus>(number);
    names.push_back(
        fmt::format("{} {}", number, core::exit_status_name(status)));
  }
  return "\nExit status (llmroute --help says what each means)\n" +
         paragraphs(base::join(names, ", ") +
                        "; 129, 130, 141, 143: death by a signal",
                    kTermIndent);
}

std::string status_table() {
  std::string out = "\nExit status\n";
  for (const core::ExitStatusRow& row : core::exit_status_table()) {
    out += definition(
        fmt::format("{:>3}  {}", static_cast<int>(row.status), row.name),
        row.meaning, kTermIndent, kTextColumn);
  }
  return out;
}

}  // namespace

std::vector<int> statuses_of(Command command) {
  switch (command) {
    case Command::kRun:
      return {0, 1, 3, 4, 64, 65, 66, 69, 70, 71, 73, 74, 75, 76, 77, 78};
    case Command::kBatch:
      return {0, 1, 4, 64, 65, 66, 69, 70, 71, 73, 74, 75, 77, 78};
    case Command::kExplain:
      return {0, 1, 4, 64, 65, 66, 69, 70, 71, 74, 77, 78};
    case Command::kBench:
      return {0, 1, 64, 65, 66, 70, 71, 73, 74, 77, 78};
    case Command::kTrain:
      return {0, 1, 64, 65, 66, 70, 71, 73, 74, 75, 77, 78};
    case Command::kUsage:
      return {0, 1, 64, 66, 70, 71, 74, 75, 77, 78};
    case Command::kReplay:
      return {0, 1, 64, 65, 66, 70, 71, 74, 75, 77, 78};
    case Command::kModels:
      return {0, 1, 64, 70, 71, 74, 77, 78};
    case Command::kFeedback:
      return {0, 64, 66, 70, 71, 74, 75, 77};
    case Command::kConfig:
      return {0, 1, 64, 70, 71, 73, 74, 77, 78};
    case Command::kCompletion:
    case Command::kHelp:
    case Command::kVersion:
      break;
  }
  return {0, 64, 70, 71, 74};
}

std::string synopsis(const CommandRow& row) {
  return fmt::format("llmroute {} [OPTION]...{}{}", row.name,
                     row.arguments.empty() ? "" : " ", row.arguments);
}

std::string option_term(const OptionRow& row) {
  std::string term =
      row.letter != 0 ? std::string{'-', row.letter} : std::string("   ");
  if (!row.name.empty()) {
    term += row.letter != 0 ? ", --" : " --";
    term += row.name;
  }
  if (row.kind == Kind::kOptionalValue) {
    term += fmt::format("[={}]", row.metavar);
  } else if (row.takes_value()) {
    term += fmt::format(" {}", row.metavar);
  }
  return term;
}

std::string option_text(const OptionRow& row) {
  std::string text(row.help);
  if (text[0] >= 'a' && text[0] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  }
  text += '.';
  if (!row.detail.empty()) text += fmt::format(" {}", row.detail);
  if (row.kind == Kind::kRepeatable) text += " May be repeated.";
  for (const VariableRow& variable : variables()) {
    if (row.name.empty() || variable.option != row.name) continue;
    text += fmt::format(" Variable: {}.", variable.name);
  }
  return text;
}

std::string variable_text(const VariableRow& row) {
  if (row.option.empty()) return std::string(row.help);
  return fmt::format("acts like `--{}`", row.option);
}

std::string short_help(Command command, bool program) {
  const CommandRow& row = command_row(command);
  std::string out = usage_lines(row, program) + "\n";
  if (program) {
    return out + example_lines(row, 1) + "\n" + brief_command_lines() +
           most_used_lines(command) +
           "more: llmroute help CMD, llmroute CMD -h\n";
  }
  out += example_lines(row, 2) + "\n" + option_lines(command, true);
  return out + fmt::format("more: llmroute help {}\n", row.name);
}

std::string full_help(Command command, bool program) {
  const CommandRow& row = command_row(command);
  std::string out =
      fmt::format("{} - {}\n\n",
                  program ? "llmroute" : fmt::format("llmroute {}", row.name),
                  program ? kProgramSummary : row.summary);
  out += usage_lines(row, program) + "\n";
  out += paragraphs(row.description, 0) + "\nExamples\n" + example_texts(row);
  if (program) out += "\n" + command_lines();
  out += option_lines(command, false);
  if (program) out += variable_lines();
  out += program ? status_table() : status_list(command);
  return out;
}

std::string version_text(std::string_view model_id,
                         std::string_view model_sha256) {
  return fmt::format(
      "llmroute {}\ncompiler: {} {}\nrouter model: {} (sha256 {})\n",
      LLMROUTE_VERSION,
#if defined(__clang__)
      "clang",
#else
      "gcc",
#endif
      __VERSION__, model_id, model_sha256);
}

}  // namespace llmroute::cli
