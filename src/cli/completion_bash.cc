#include <fmt/core.h>

#include <set>

#include "cli/completions.h"

namespace llmroute::cli {
namespace {

// The end of the script. Bash splits words at `=` and `:`, so the word under
// the cursor is taken from the line, and what Bash has split off in front of it
// is cut from the replies.
constexpr std::string_view kEnd = R"sh(
_llmroute_reply() {
  COMPREPLY=($(compgen -W "$1" -- "$current"))
}

_llmroute_names() {
  _llmroute_reply "$("${COMP_WORDS[0]}" __complete "$1" "$current" 2>/dev/null)"
}

_llmroute_files() {
  local IFS=$'\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$current"))
}

_llmroute_trim() {
  local head=${current%"${current##*:}"} i
  [[ $COMP_WORDBREAKS == *:* && -n $head ]] || return 0
  for i in "${!COMPREPLY[@]}"; do
    COMPREPLY[i]=${COMPREPLY[i]#"$head"}
  done
}

_llmroute() {
  local line=${COMP_LINE:0:COMP_POINT} command= option current word
  current=${line##*[[:space:]]}
  if [[ $current == --*=* ]]; then
    option=${current%%=*}=
    current=${current#*=}
  else
    option=${line%"$current"}
    option=${option%"${option##*[![:space:]]}"}
    option=${option##*[[:space:]]}
  fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    _llmroute_is_command "$word" && command=$word && break
  done
  COMPREPLY=()
  if ! _llmroute_value "$option"; then
    if [[ $current == -* ]]; then
      _llmroute_reply "$(_llmroute_options "$command")"
    else
      _llmroute_operand "$command"
    fi
  fi
  _llmroute_trim
}

complete -F _llmroute llmroute
)sh";

// "-m|--model", with whatever stands between.
std::string spellings(const OptionRow& row, std::string_view separator) {
  std::string out;
  if (row.letter != 0) out = std::string{'-', row.letter};
  if (row.name.empty()) return out;
  if (!out.empty()) out += separator;
  return out + "--" + std::string(row.name);
}

std::string value_action(const OptionRow& row) {
  if (!row.choices.empty()) {
    return fmt::format("_llmroute_reply {}", shell_quoted(row.choices));
  }
  if (row.source == Source::kFile) return "_llmroute_files";
  const std::string_view kind = complete_kind(row.source);
  return kind.empty() ? ":" : fmt::format("_llmroute_names {}", kind);
}

// Rows that share a name share what completes them.
std::string value_cases() {
  std::string out;
  std::set<std::string_view> seen;
  for (const OptionRow& row : options()) {
    if (row.kind == Kind::kSwitch || !seen.insert(row.name).second) continue;
    // A value that may be left out never stands in a word of its own.
    std::string pattern = fmt::format("--{}=", row.name);
    if (row.takes_value()) pattern += " | " + spellings(row, " | ");
    out += fmt::format("    {}) {} ;;\n", pattern, value_action(row));
  }
  return out;
}

std::string option_cases() {
  std::string out;
  for (const CommandRow& command : commands()) {
    std::string words;
    for (const OptionRow& row : options()) {
      if (!row.applies_to(command.command)) continue;
      if (!words.empty()) words += ' ';
      words += spellings(row, " ");
    }
    out += fmt::format(
        "    {}) echo {} ;;\n",
        command.command == Command::kRun ? "'' | run" : command.name,
        shell_quoted(words));
  }
  return out;
}

std::string operand_cases() {
  std::string out =
      fmt::format("    '') _llmroute_reply '{}' ;;\n", command_names(" "));
  for (const CommandRow& row : commands()) {
    if (!row.operand_words.empty()) {
      out += fmt::format("    {}) _llmroute_reply '{}' ;;\n", row.name,
                         row.operand_words);
    } else if (row.operand_source == Source::kFile) {
      out += fmt::format("    {}) _llmroute_files ;;\n", row.name);
    } else if (row.operand_source != Source::kNothing) {
      out += fmt::format("    {}) _llmroute_names {} ;;\n", row.name,
                         complete_kind(row.operand_source));
    }
  }
  return out;
}

}  // namespace

std::string bash_completion() {
  std::string out = "# Completions of llmroute for bash.\n\n";
  out += fmt::format(
      "_llmroute_is_command() {{\n  case $1 in\n    {}) return 0 ;;\n"
      "  esac\n  return 1\n}}\n\n",
      command_names(" | "));
  out += fmt::format(
      "# False for an option without a value.\n_llmroute_value() {{\n"
      "  case $1 in\n{}    *) return 1 ;;\n  esac\n}}\n\n",
      value_cases());
  out += fmt::format("_llmroute_options() {{\n  case $1 in\n{}  esac\n}}\n\n",
                     option_cases());
  out += fmt::format("_llmroute_operand() {{\n  case $1 in\n{}  esac\n}}\n",
                     operand_cases());
  return out + std::string(kEnd);
}

}  // namespace llmroute::cli
