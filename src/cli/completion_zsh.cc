#include <fmt/core.h>

#include "cli/completions.h"
#include "cli/layout.h"

namespace llmroute::cli {
namespace {

constexpr std::string_view kStart = R"sh(#compdef llmroute

# Completions of llmroute for zsh.

_llmroute_names() {
  local -a names
  names=(${(f)"$($program __complete $1 "$PREFIX" 2>/dev/null)"})
  compadd -a names
}

)sh";

constexpr std::string_view kEnd = R"sh(
_llmroute() {
  local program=${words[1]} command= word
  local -a options
  for word in "${words[2,CURRENT-1][@]}"; do
    if (( ${_llmroute_commands[(I)$word:*]} )); then
      command=$word
      break
    fi
  done
  _llmroute_options "$command"
  _arguments -s -S : "${options[@]}" '*: : _llmroute_operand "$command"'
}

_llmroute "$@"
)sh";

// In the brackets of an _arguments spec.
std::string description(std::string_view text) {
  std::string out;
  for (const char c : plain(text)) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string value_action(const OptionRow& row) {
  if (!row.choices.empty()) return fmt::format("({})", row.choices);
  if (row.source == Source::kFile) return "_files";
  const std::string_view kind = complete_kind(row.source);
  return kind.empty() ? " " : fmt::format(" _llmroute_names {}", kind);
}

std::string spec(const OptionRow& row, std::string_view spelling,
                 std::string_view exclusion) {
  std::string out(row.kind == Kind::kRepeatable ? "*" : exclusion);
  out += spelling;
  const bool is_long = spelling.starts_with("--");
  if (row.takes_value()) out += is_long ? "=" : "+";
  if (row.kind == Kind::kOptionalValue) out += "=-";
  out += fmt::format("[{}]", description(row.help));
  if (row.kind != Kind::kSwitch) {
    out += fmt::format("{}{}:{}", row.kind == Kind::kOptionalValue ? "::" : ":",
                       description(row.metavar), value_action(row));
  }
  return shell_quoted(out);
}

std::string option_specs(Command command) {
  std::string out;
  for (const OptionRow& row : options()) {
    if (!row.applies_to(command)) continue;
    const std::string letter =
        row.letter != 0 ? std::string{'-', row.letter} : std::string();
    const std::string name =
        row.name.empty() ? std::string() : "--" + std::string(row.name);
    const std::string both = letter.empty() || name.empty()
                                 ? ""
                                 : fmt::format("({} {})", letter, name);
    for (const std::string& spelling : {letter, name}) {
      if (spelling.empty()) continue;
      out += fmt::format("        {}\n", spec(row, spelling, both));
    }
  }
  return out;
}

std::string option_cases() {
  std::string out;
  for (const CommandRow& row : commands()) {
    out += fmt::format("    {})\n      options=(\n{}      )\n      ;;\n",
                       row.command == Command::kRun ? "'' | run" : row.name,
                       option_specs(row.command));
  }
  return out;
}

std::string operand_cases() {
  std::string out = "    '') _describe command _llmroute_commands ;;\n";
  for (const CommandRow& row : commands()) {
    if (!row.operand_words.empty()) {
      out +=
          fmt::format("    {}) compadd {} ;;\n", row.name, row.operand_words);
    } else if (row.operand_source == Source::kFile) {
      out += fmt::format("    {}) _files ;;\n", row.name);
    } else if (row.operand_source != Source::kNothing) {
      out += fmt::format("    {}) _llmroute_names {} ;;\n", row.name,
                         complete_kind(row.operand_source));
    }
  }
  return out;
}

}  // namespace

std::string zsh_completion() {
  std::string out(kStart);
  out += "typeset -ga _llmroute_commands=(\n";
  for (const CommandRow& row : commands()) {
    out += fmt::format(
        "  {}\n", shell_quoted(fmt::format("{}:{}", row.name, row.summary)));
  }
  out += ")\n\n# Fills `options` of the caller.\n";
  out += fmt::format("_llmroute_options() {{\n  case $1 in\n{}  esac\n}}\n\n",
                     option_cases());
  out += fmt::format("_llmroute_operand() {{\n  case $1 in\n{}  esac\n}}\n",
                     operand_cases());
  return out + std::string(kEnd);
}

}  // namespace llmroute::cli
