// CLI11 splits words into options and values; the rules it does not know are
// here. Each was seen to go wrong with CLI11 2.1.2 left to itself:
//   - a mistyped subcommand becomes an operand, so commands are found here;
//   - `--name=` with nothing after it takes the next word as its value;
//   - a repeatable option splits a value "[a,b]";
//   - an option with an optional value takes the next word, hence a flag.
// Only the options that occur are registered: start-up stays cheap.
#include "cli/parse.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "base/names.h"
#include "base/text.h"

namespace llmroute::cli {
namespace {

constexpr std::string_view kMark = "--";

bool is_option_word(std::string_view word) {
  return word.size() > 1 && word[0] == '-';
}

// Any row of that spelling: rows that share one agree in all the parser needs.
const OptionRow* row_of_name(std::string_view name) {
  for (const OptionRow& row : options()) {
    if (!name.empty() && row.name == name) return &row;
  }
  return nullptr;
}

const OptionRow* row_of_letter(char letter) {
  for (const OptionRow& row : options()) {
    if (row.letter == letter) return &row;
  }
  return nullptr;
}

// The row a row's meaning is looked up by, for one command.
const OptionRow* row_for(const OptionRow& row, Command command) {
  for (const OptionRow& other : options()) {
    if (other.name == row.name && other.letter == row.letter &&
        other.applies_to(command)) {
      return &other;
    }
  }
  return nullptr;
}

base::Error usage(std::string message) {
  return {base::ErrorKind::kUsage, std::move(message)};
}

void keep_first(std::optional<base::Error>& error, base::Error next) {
  if (!error) error = std::move(next);
}

// What the words before `--` name, and those words as CLI11 must see them.
struct Scan {
  std::vector<std::string> words;
  std::vector<const OptionRow*> rows;  // each once
  std::optional<base::Error> error;

  void see(const OptionRow* row) {
    if (row != nullptr &&
        std::find(rows.begin(), rows.end(), row) == rows.end())
      rows.push_back(row);
  }
};

// `--name`, `--name=value`. The option whose value is the next word, or null.
const OptionRow* scan_long(Scan& scan, const std::string& word) {
  const size_t equals = word.find('=');
  const std::string name = word.substr(2, equals - 2);
  const OptionRow* row = row_of_name(name);
  const bool has_value = equals != std::string::npos;
  if (row != nullptr && row->kind == Kind::kSwitch && has_value) {
    keep_first(scan.error, usage(row->spelling() + " takes no value"));
    return nullptr;
  }
  scan.see(row);
  const bool takes_value = row != nullptr && row->takes_value();
  if (takes_value && equals == word.size() - 1) {
    scan.words.push_back("--" + name);
    scan.words.emplace_back();
    return nullptr;
  }
  scan.words.push_back(word);
  return takes_value && !has_value ? row : nullptr;
}

// `-x`, `-xyz`, `-xvalue`. The option whose value is the next word, or null.
const OptionRow* scan_short(Scan& scan, const std::string& word) {
  scan.words.push_back(word);
  for (size_t at = 1; at < word.size(); ++at) {
    const OptionRow* row = row_of_letter(word[at]);
    if (row == nullptr) return nullptr;
    scan.see(row);
    if (row->takes_value()) return at + 1 == word.size() ? row : nullptr;
  }
  return nullptr;
}

Scan scan_words(std::span<const std::string> words) {
  Scan scan;
  size_t at = 0;
  for (; at < words.size() && words[at] != kMark; ++at) {
    const std::string& word = words[at];
    const OptionRow* waiting = nullptr;
    if (word.starts_with(kMark)) {
      waiting = scan_long(scan, word);
    } else if (is_option_word(word)) {
      waiting = scan_short(scan, word);
    } else {
      scan.words.push_back(word);
    }
    if (waiting == nullptr) continue;
    if (at + 1 == words.size()) {
      keep_first(scan.error,
                 usage(fmt::format("{} needs a value ({})", waiting->spelling(),
                                   waiting->metavar)));
      scan.words.pop_back();
    } else {
      scan.words.push_back(words[++at]);
    }
  }
  scan.words.insert(scan.words.end(),
                    words.begin() + static_cast<std::ptrdiff_t>(at),
                    words.end());
  return scan;
}

std::string cli11_name(const OptionRow& row) {
  std::string name;
  if (row.letter != 0) name = std::string{'-', row.letter};
  if (row.name.empty()) return name;
  if (!name.empty()) name += ',';
  name += "--" + std::string(row.name);
  if (row.kind == Kind::kOptionalValue) name += "{always}";
  return name;
}

CLI::Option* add_to(CLI::App& app, const OptionRow& row) {
  if (row.takes_value()) {
    return app.add_option(cli11_name(row))
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
  }
  CLI::Option* flag = app.add_flag(cli11_name(row))->take_all();
  if (row.kind == Kind::kSwitch) flag->disable_flag_override();
  return flag;
}

// What CLI11 made of the words: options in order, and everything else.
struct Split {
  std::vector<GivenOption> options;
  std::vector<std::string> rest;
};

Split split(Scan scan) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::map<const CLI::Option*, const OptionRow*> registered;
  for (const OptionRow* row : scan.rows) registered[add_to(app, *row)] = row;
  std::reverse(scan.words.begin(), scan.words.end());  // as CLI11 wants them
  app.parse(std::move(scan.words));
  Split result;
  std::map<const CLI::Option*, size_t> taken;
  for (const CLI::Option* option : app.parse_order()) {
    const OptionRow* row = registered.at(option);
    const std::string& value = option->results().at(taken[option]++);
    result.options.push_back(
        {row, row->kind == Kind::kSwitch ? std::string() : value});
  }
  result.rest = app.remaining();
  return result;
}

// The option with the most words if all of them are among those of `word`:
// --max-tokens for --max-output-tokens.
std::optional<std::string> shorter_option(
    std::string_view word, const std::vector<std::string>& names) {
  const std::vector<std::string> given = base::split(word, '-');
  const auto is_given = [&](const std::string& part) {
    return std::ranges::find(given, part) != given.end();
  };
  size_t most = 3;  // at least two words behind the two empty ones
  std::optional<std::string> found;
  for (const std::string& name : names) {
    const std::vector<std::string> parts = base::split(name, '-');
    if (parts.size() <= most || !std::ranges::all_of(parts, is_given)) continue;
    most = parts.size();
    found = name;
  }
  return found;
}

std::optional<std::string> nearest_option(std::string_view word,
                                          const CommandRow& command) {
  std::vector<std::string> names;
  for (const OptionRow& row : options()) {
    if (row.name.empty() || !row.applies_to(command.command)) continue;
    names.push_back("--" + std::string(row.name));
  }
  const std::string_view name = word.substr(0, word.find('='));
  auto nearest = base::nearest_name(name, names);
  return nearest ? nearest : shorter_option(name, names);
}

base::Error unknown_option(std::string_view word, const CommandRow& command) {
  std::string message =
      fmt::format("unknown option '{}'", base::shown_name(word));
  if (word.find_first_of(" \t\n") != std::string_view::npos) {
    return usage(message + "; put -- before a prompt that begins with -");
  }
  const auto nearest = nearest_option(word, command);
  if (nearest) message += fmt::format(" (did you mean {}?)", *nearest);
  return usage(std::move(message));
}

base::Error not_for_command(const OptionRow& row, const CommandRow& command) {
  std::string owners;
  for (const CommandRow& other : commands()) {
    if (row_for(row, other.command) == nullptr) continue;
    if (!owners.empty()) owners += ", ";
    owners += other.name;
  }
  return usage(fmt::format("option {} does not go with '{}' (it goes with {})",
                           row.spelling(), command.name, owners));
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const CommandRow& row : commands()) names.emplace_back(row.name);
  return names;
}

// Takes the command's name out of the operands, of which `before` stood before
// `--`.
void take_command(Args& args, size_t& before) {
  if (before == 0) return;
  const std::string& first = args.operands.front();
  if (const CommandRow* row = find_command(first)) {
    args.command = row->command;
    args.named = true;
    args.operands.erase(args.operands.begin());
    --before;
  } else if (first != "-" && !first.empty() &&
             first.find_first_of(" \t\n\r\v\f") == std::string::npos) {
    keep_first(args.error, unknown_command(first, args.operands.size() > 1));
  }
}

// An operand `-` is standard input: what `--file -` means where there is one.
void take_dashes(Args& args, size_t before) {
  const OptionRow* file = find_option("file", args.command);
  if (file == nullptr) return;
  const auto end = args.operands.begin() + static_cast<std::ptrdiff_t>(before);
  const auto first = std::remove(args.operands.begin(), end, "-");
  for (auto dash = first; dash != end; ++dash) {
    args.options.push_back({file, "-"});
  }
  args.operands.erase(first, end);
}

// Sorts what CLI11 left over into operands and unknown options. Returns how
// many operands stood before `--`.
size_t sort_rest(Args& args, std::vector<std::string> rest,
                 std::vector<std::string>& unknown) {
  const auto mark = std::find(rest.begin(), rest.end(), kMark);
  size_t before = 0;
  for (auto word = rest.begin(); word != rest.end(); ++word) {
    if (word == mark) continue;
    if (word < mark && is_option_word(*word)) {
      unknown.push_back(std::move(*word));
    } else {
      if (word < mark) ++before;
      args.operands.push_back(std::move(*word));
    }
  }
  return before;
}

void bind_options(Args& args, std::vector<GivenOption> given) {
  for (GivenOption& option : given) {
    const OptionRow* row = row_for(*option.row, args.command);
    if (row == nullptr) {
      keep_first(args.error,
                 not_for_command(*option.row, command_row(args.command)));
      continue;
    }
    args.options.push_back({row, std::move(option.value)});
  }
}

void check_operands(Args& args) {
  const CommandRow& command = command_row(args.command);
  const size_t count = args.operands.size();
  if (count >= command.min_operands && count <= command.max_operands) return;
  std::string message = fmt::format(
      "'{}' takes {}", command.name,
      command.arguments.empty() ? "no operands" : command.arguments);
  if (count > command.max_operands && count > 1) {
    message += fmt::format(
        "; to send a prompt that begins with that word, put run before it: "
        "llmroute run {} ...",
        command.name);
  }
  keep_first(args.error, usage(std::move(message)));
}

}  // namespace

base::Error unknown_command(std::string_view word, bool more) {
  const std::string name = base::shown_name(word);
  const auto nearest = base::nearest_name(word, command_names());
  return usage(fmt::format(
      "unknown command '{}'{}. To send it as a prompt, put run before it: "
      "llmroute run {}{}",
      name, nearest ? fmt::format(" (did you mean {}?)", *nearest) : "", name,
      more ? " ..." : ""));
}

base::Error no_help(std::string_view word) {
  const std::vector<std::string> names = command_names();
  const auto nearest = base::nearest_name(word, names);
  return usage(fmt::format(
      "no help on '{}': {}", base::shown_name(word),
      nearest ? fmt::format("did you mean {}?", *nearest)
              : fmt::format("the commands are {}, the file formats toml and "
                            "jsonl",
                            base::join(names, ", "))));
}

bool Args::has(std::string_view name) const {
  return std::any_of(
      options.begin(), options.end(),
      [&](const GivenOption& given) { return given.row->name == name; });
}

Args parse(std::span<const std::string> words) {
  Args args;
  Scan scan = scan_words(words);
  args.error = scan.error;
  Split parts;
  try {
    parts = split(std::move(scan));
  } catch (const CLI::Error& error) {
    args.error = usage(error.what());
    return args;
  }
  std::vector<std::string> unknown;
  size_t before = sort_rest(args, std::move(parts.rest), unknown);
  const std::optional<base::Error> earlier = args.error;
  take_command(args, before);
  if (!unknown.empty()) {
    // Before a word that is no command: it may be the option's value.
    args.error = earlier;
    keep_first(args.error,
               unknown_option(unknown.front(), command_row(args.command)));
  }
  bind_options(args, std::move(parts.options));
  take_dashes(args, before);
  check_operands(args);
  return args;
}

}  // namespace llmroute::cli
