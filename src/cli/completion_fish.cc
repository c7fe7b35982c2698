#include <fmt/core.h>

#include "cli/completions.h"
#include "cli/layout.h"

namespace llmroute::cli {
namespace {

constexpr std::string_view kStart = R"sh(# Completions of llmroute for fish.

# The command among the words before the cursor, if one is there.
function __llmroute_command
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        if contains -- $word {}
            echo $word
            return
        end
    end
    return 1
end

# Whether the command is one of the arguments; none is run.
function __llmroute_in
    set -l command (__llmroute_command)
    test -n "$command"; or set command run
    contains -- $command $argv
end

function __llmroute_names
    set -l words (commandline -opc)
    set -l token (commandline -ct | string replace -r '^(--[a-z-]+=|-[a-z])' '')
    $words[1] __complete $argv[1] "$token" 2>/dev/null
end

complete -c llmroute -f
)sh";

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string owners(const OptionRow& row) {
  std::string names;
  for (const CommandRow& command : commands()) {
    if (!row.applies_to(command.command)) continue;
    names += fmt::format(" {}", command.name);
  }
  return names;
}

std::string value_arguments(const OptionRow& row) {
  const bool optional = row.kind == Kind::kOptionalValue;
  if (row.kind == Kind::kSwitch) return {};
  if (!row.choices.empty()) {
    return fmt::format(" {}-a {}", optional ? "-f " : "-x ",
                       quoted(row.choices));
  }
  if (row.source == Source::kFile) return " -r -F";
  const std::string_view kind = complete_kind(row.source);
  return kind.empty() ? " -x"
                      : fmt::format(" -x -a '(__llmroute_names {})'", kind);
}

std::string option_line(const OptionRow& row) {
  std::string out =
      fmt::format("complete -c llmroute -n '__llmroute_in{}'", owners(row));
  if (row.letter != 0) out += fmt::format(" -s {}", row.letter);
  if (!row.name.empty()) out += fmt::format(" -l {}", row.name);
  out += value_arguments(row);
  return out + fmt::format(" -d {}\n", quoted(plain(row.help)));
}

std::string command_line(const CommandRow& row) {
  return fmt::format(
      "complete -c llmroute -n 'not __llmroute_command >/dev/null' "
      "-a {} -d {}\n",
      row.name, quoted(row.summary));
}

std::string operand_line(const CommandRow& row) {
  std::string what;
  if (!row.operand_words.empty()) {
    what = fmt::format("-a {}", quoted(row.operand_words));
  } else if (row.operand_source == Source::kFile) {
    what = "-F";
  } else if (row.operand_source != Source::kNothing) {
    what = fmt::format("-a '(__llmroute_names {})'",
                       complete_kind(row.operand_source));
  } else {
    return {};
  }
  return fmt::format("complete -c llmroute -n '__llmroute_in {}' {}\n",
                     row.name, what);
}

}  // namespace

std::string fish_completion() {
  std::string out(kStart);
  out.replace(out.find("{}"), 2, command_names(" "));
  for (const CommandRow& row : commands()) out += command_line(row);
  for (const CommandRow& row : commands()) out += operand_line(row);
  for (const OptionRow& row : options()) out += option_line(row);
  return out;
}

}  // namespace llmroute::cli
