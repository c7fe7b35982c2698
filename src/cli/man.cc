#include "cli/man.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "cli/help.h"
#include "cli/man_jsonl.h"
#include "cli/roff.h"
#include "config/schema.h"
#include "core/exit_status.h"

namespace llmroute::cli {
namespace {

struct FileRow {
  std::string_view path, meaning;
};

constexpr FileRow kFiles[] = {
    {"~/.config/llmroute/config.toml",
     "your configuration, under `XDG_CONFIG_HOME` if that is set; see "
     "`llmroute.toml(5)`"},
    {"/etc/xdg/llmroute/config.toml",
     "the system's, under each of `XDG_CONFIG_DIRS`; yours wins"},
    {"~/.local/state/llmroute/ledger.db",
     "the ledger, under `XDG_STATE_HOME` if that is set, unless `--ledger` or "
     "`LLMROUTE_LEDGER` names another"},
    {"~/.cache/llmroute",
     "what a local Ollama last served, under `XDG_CACHE_HOME` if that is set; "
     "may be deleted at any time"},
};

constexpr std::string_view kConfigExample =
    R"(profile = "balanced"

[providers.office]
protocol = "openai-chat"
base_url = "https://llm.example.com/v1"
key_env = "OFFICE_LLM_KEY"
tags = ["eu"]

[models.office-large]
provider = "office"
id = "large-2"
context_window = 128000
price = { input = 0.5, output = 1.5 }
ability = 2.0

[routes.translate]
models = ["office-large"]
prompt = "Translate to English:\n\n{input}"

[[rules]]
name = "secrets stay here"
pattern = "(?i)password|BEGIN [A-Z ]*PRIVATE KEY"
require = ["eu"])";

std::string heading(std::string_view title) {
  return fmt::format(".SH {}\n", title);
}

// The empty field is the date. Names are looked for and copied, so none is
// hyphenated or stretched: no `.TH` of ours comes without `.nh` and `.ad l`.
std::string page_start(std::string_view name, int section,
                       std::string_view summary) {
  std::string title(name);
  for (char& c : title) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return fmt::format(".TH {} {} \"\" \"llmroute {}\"\n.nh\n.ad l\n{}{} \\- {}",
                     title, section, LLMROUTE_VERSION, heading("NAME"),
                     roff_literal(name), roff(summary));
}

std::string option_term_roff(const OptionRow& row) {
  std::string term;
  if (row.letter != 0) term = roff_bold(std::string{'-', row.letter});
  if (!row.name.empty()) {
    if (!term.empty()) term += ", ";
    term += roff_bold(fmt::format("--{}", row.name));
  }
  if (row.kind == Kind::kOptionalValue) {
    term += fmt::format("[={}]", roff_italic(row.metavar));
  } else if (row.takes_value()) {
    term += " " + roff_italic(row.metavar);
  }
  return term;
}

std::string option_section(Command command) {
  std::string out = heading("OPTIONS");
  for (const Group group : kGroups) {
    std::string items;
    for (const OptionRow& row : options()) {
      if (row.group != group || !row.applies_to(command)) continue;
      items += roff_item(option_term_roff(row), option_text(row));
    }
    if (items.empty()) continue;
    out += fmt::format(".SS {}\n{}", group_name(group), items);
  }
  return out;
}

// Of a command those that it can end with.
std::string status_section(Command command, bool program) {
  std::string out = heading("EXIT STATUS");
  const std::vector<int> own = statuses_of(command);
  for (const core::ExitStatusRow& row : core::exit_status_table()) {
    const auto number = static_cast<int>(row.status);
    if (!program && std::find(own.begin(), own.end(), number) == own.end()) {
      continue;
    }
    out += roff_item(roff_bold(fmt::format("{}", number)),
                     fmt::format("{}: {}. What to do: {}.", row.name,
                                 row.meaning, row.advice));
  }
  return out + ".PP\n" +
         roff(
             "A number never changes its meaning. Death by a signal is seen "
             "by the shell as 129 (SIGHUP), 130 (SIGINT), 141 (SIGPIPE: the "
             "reader of standard output went away) or 143 (SIGTERM).");
}

// Of a command those that it heeds; nothing if there are none.
std::string variable_section(Command command, bool program) {
  std::string items;
  for (const VariableRow& row : variables()) {
    if (!program && !heeds(command, row)) continue;
    std::string term = roff_bold(row.name);
    if (!row.metavar.empty()) term += "=" + roff_italic(row.metavar);
    items += roff_item(term, variable_text(row));
  }
  if (items.empty()) return {};
  return heading("ENVIRONMENT") +
         roff(
             "An empty variable is as if it were not set. Options win over "
             "variables, variables over files.") +
         items;
}

std::string file_section() {
  std::string out = heading("FILES");
  for (const FileRow& row : kFiles) {
    out += roff_item(roff_italic(row.path), row.meaning);
  }
  return out;
}

std::string example_section(const CommandRow& row) {
  std::string out = heading("EXAMPLES");
  bool first = true;
  for (const Example& example : row.examples) {
    if (example.command.empty()) break;
    if (!first) out += ".PP\n";
    first = false;
    out += roff(example.purpose) + roff_block(example.command);
  }
  return out;
}

std::vector<std::string> page_names() {
  std::vector<std::string> names = {"llmroute(1)"};
  for (const CommandRow& row : commands()) {
    names.push_back(fmt::format("llmroute-{}(1)", row.name));
  }
  names.insert(names.end(), {"llmroute.toml(5)", "llmroute-jsonl(5)"});
  return names;
}

std::string see_also_section(std::string_view own) {
  std::string list;
  for (const std::string& name : page_names()) {
    if (name == own) continue;
    const size_t paren = name.find('(');
    if (!list.empty()) list += ",\n";
    list += roff_bold(name.substr(0, paren)) + name.substr(paren);
  }
  return heading("SEE ALSO") + list + "\n";
}

std::string command_synopsis(const CommandRow& row) {
  return fmt::format("{} [{}]...{}{}\n",
                     roff_bold(fmt::format("llmroute {}", row.name)),
                     roff_italic("OPTION"), row.arguments.empty() ? "" : " ",
                     roff_literal(row.arguments));
}

std::string synopsis_section(const CommandRow& row, bool program) {
  std::string out = heading("SYNOPSIS");
  if (!program) return out + command_synopsis(row);
  out += fmt::format("{} [{}]... [{}]\n.br\n", roff_bold("llmroute"),
                     roff_italic("OPTION"), roff_italic("PROMPT"));
  return out + fmt::format("{} {} [{}]... [{}]...\n", roff_bold("llmroute"),
                           roff_italic("COMMAND"), roff_italic("OPTION"),
                           roff_italic("ARGUMENT"));
}

std::string command_section() {
  std::string out = heading("COMMANDS");
  for (const CommandRow& row : commands()) {
    out += roff_item(roff_bold(row.name), row.summary);
  }
  return out;
}

std::string page_body(const CommandRow& row, bool program,
                      std::string_view own) {
  std::string out = synopsis_section(row, program) + heading("DESCRIPTION") +
                    roff_paragraphs(row.description);
  if (program) out += command_section();
  return out + option_section(row.command) +
         status_section(row.command, program) +
         variable_section(row.command, program) + file_section() +
         example_section(row) + see_also_section(own);
}

// A bound that is there only to be one is not worth a word.
std::string range_text(const config::KeyRow& row) {
  constexpr double kLarge = 10'000;
  if (row.min == row.max) return {};
  if (row.max <= kLarge) {
    return fmt::format(" from {} to {}", row.min, row.max);
  }
  return row.min > 0 ? fmt::format(", {} or more", row.min) : "";
}

std::string key_text(const config::KeyRow& row) {
  std::string text = fmt::format("{} It is {}", row.doc, type_text(row.type));
  if (!row.choices.empty()) {
    std::string words;
    for (const std::string& word : config::choice_names(row.choices)) {
      words += fmt::format("{}`{}`", words.empty() ? "" : ", ", word);
    }
    text += fmt::format(", one of {}", words);
  }
  text += range_text(row) + ".";
  if (!row.fallback.empty()) {
    text += fmt::format(" Default: `{}`.", row.fallback);
  }
  return text;
}

std::string key_sections() {
  std::string out = heading("KEYS");
  for (const config::SectionRow& section : config::kSections) {
    out += fmt::format(".SS {}\n{}",
                       section.header.empty() ? "Top of the file"
                                              : roff_literal(section.header),
                       roff(section.doc));
    for (const config::KeyRow& row : config::section_keys(section.name)) {
      out += roff_item(roff_bold(row.key), key_text(row));
    }
  }
  return out;
}

}  // namespace

std::string program_page() {
  return page_start("llmroute", 1, kProgramSummary) +
         page_body(command_row(Command::kRun), true, "llmroute(1)");
}

std::string command_page(const CommandRow& row) {
  const std::string name = fmt::format("llmroute-{}", row.name);
  return page_start(name, 1, row.summary) + page_body(row, false, name + "(1)");
}

std::string config_page() {
  return page_start("llmroute.toml", 5, "configuration of llmroute") +
         heading("SYNOPSIS") + roff_italic("~/.config/llmroute/config.toml") +
         "\n" + heading("DESCRIPTION") +
         roff_paragraphs(
             "A TOML file. None is needed: without one the models of every "
             "provider whose key is in the environment can be used.\n\n"
             "Files are read in this order; what comes later adds to what came "
             "before, and overrides it key by key:\n\n"
             "1. what is built in;\n\n"
             "2. the system's, llmroute/config.toml in each directory of "
             "`XDG_CONFIG_DIRS` (/etc/xdg), the last directory first;\n\n"
             "3. yours, ~/.config/llmroute/config.toml.\n\n"
             "The file of `--config`, or of `LLMROUTE_CONFIG` without that, is "
             "read in place of 2 and 3; `--no-config` reads none. Nothing "
             "is read from the current directory. A file names commands to "
             "run and hosts to send keys to, so it must be yours or root's "
             "and writable by no one else.\n\n"
             "An unknown key or a bad value is an error with file, line and "
             "the nearest name; `llmroute config check` looks without "
             "running anything.") +
         key_sections() + file_section() + heading("EXAMPLES") +
         "A provider of your own, a route and a rule:\n" +
         roff_block(kConfigExample) + see_also_section("llmroute.toml(5)");
}

std::string jsonl_page() {
  return page_start("llmroute-jsonl", 5,
                    "records, results and journal of llmroute batch") +
         heading("SYNOPSIS") + roff_bold("llmroute batch") + " [" +
         roff_italic("OPTION") + "]... " + roff_italic("IN.jsonl") + "\n" +
         jsonl_sections() + see_also_section("llmroute-jsonl(5)");
}

}  // namespace llmroute::cli
