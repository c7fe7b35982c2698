#include "cli/parse.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/text.h"

namespace llmroute::cli {
namespace {

using Words = std::vector<std::string>;

// "model=a,b file=x [operand] [operand]", or the error.
std::string told(const Words& words) {
  const Args args = parse(words);
  if (args.error) return "error: " + args.error->message;
  std::string text(command_row(args.command).name);
  for (const GivenOption& given : args.options) {
    text += " " + given.row->spelling();
    if (!given.value.empty()) text += "=" + given.value;
  }
  for (const std::string& operand : args.operands) text += " [" + operand + "]";
  return text;
}

struct Case {
  Words words;
  std::string expected;
};

void check(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    CAPTURE(base::join(one.words, " | "));
    CHECK(told(one.words) == one.expected);
  }
}

}  // namespace

TEST_CASE("the first operand names the command, wherever options stand") {
  check({
      {{}, "run"},
      {{"run", "hi"}, "run [hi]"},
      {{"explain", "-m", "a", "two words"}, "explain --model=a [two words]"},
      {{"-m", "a", "explain", "two words"}, "explain --model=a [two words]"},
      {{"two words", "-m", "a", "more"}, "run --model=a [two words] [more]"},
      {{"run", "explain"}, "run [explain]"},
      {{"-m", "explain", "two words"}, "run --model=explain [two words]"},
      {{"config", "get", "profile"}, "config [get] [profile]"},
  });
}

TEST_CASE("a lone word is never taken for a prompt") {
  check({
      {{"explian"},
       "error: unknown command 'explian' (did you mean explain?). To send it "
       "as a prompt, put run before it: llmroute run explian"},
      {{"hello"},
       "error: unknown command 'hello'. To send it as a prompt, put run before "
       "it: llmroute run "
       "hello"},
      {{"hello", "two words"},
       "error: unknown command 'hello'. To send it as a prompt, put run before "
       "it: llmroute run "
       "hello ..."},
      {{"exp"},  // no abbreviations
       "error: unknown command 'exp'. To send it as a prompt, put run before "
       "it: llmroute run "
       "exp"},
      {{""}, "run []"},  // whose prompt is empty
      {{"tab\tbed"}, "run [tab\tbed]"},
      {{"line\nbroken"}, "run [line\nbroken]"},
  });
}

TEST_CASE("after -- every word is an operand") {
  check({
      {{"--", "bench"}, "run [bench]"},
      {{"--", "--model"}, "run [--model]"},
      {{"explain", "--", "-h", "--"}, "explain [-h] [--]"},
      {{"-p", "--", "x y"}, "run --prompt=-- [x y]"},
      {{"--", "-"}, "run [-]"},
  });
}

TEST_CASE("an operand - is standard input where a prompt is read") {
  check({
      {{"-"}, "run --file=-"},
      {{"run", "two words", "-"}, "run --file=- [two words]"},
      {{"train", "-"}, "train [-]"},
  });
}

TEST_CASE("values stand in the next word, behind = or behind the letter") {
  check({
      {{"--model", "a", "run"}, "run --model=a"},
      {{"--model=a", "run"}, "run --model=a"},
      {{"-m", "a", "run"}, "run --model=a"},
      {{"-ma", "run"}, "run --model=a"},
      {{"-qnma", "run"}, "run --quiet --dry-run --model=a"},
      {{"-p", "--model"}, "run --prompt=--model"},
      {{"-p", "-1"}, "run --prompt=-1"},
      {{"--temperature", "-1"}, "run --temperature=-1"},
      {{"--prompt=a=b"}, "run --prompt=a=b"},
      {{"--system=", "run", "x"}, "run --system [x]"},
      {{"-p", "", "run"}, "run --prompt"},
      {{"-p", "[a,b]", "--stop", "[c,d]"}, "run --prompt=[a,b] --stop=[c,d]"},
      {{"-p", "a\nb%%c\"d'"}, "run --prompt=a\nb%%c\"d'"},
  });
}

TEST_CASE("an optional value is taken from behind = only") {
  check({
      {{"--color", "two words"}, "run --color=always [two words]"},
      {{"--color=never", "run"}, "run --color=never"},
      {{"--color=auto", "--color", "run"}, "run --color=auto --color=always"},
  });
}

TEST_CASE("repeated options stay in the order typed") {
  check({
      {{"-f", "1", "-q", "-f", "2", "-v", "-vv", "run"},
       "run --file=1 --quiet --file=2 --verbose --verbose --verbose"},
      {{"--format", "json", "--format=text", "run"},
       "run --format=json --format=text"},
  });
}

TEST_CASE("what is wrong with an option is said in one line") {
  check({
      {{"run", "--modle", "a"},
       "error: unknown option '--modle' (did you mean --model?)"},
      {{"run", "--mod", "a"}, "error: unknown option '--mod'"},
      {{"run", "--modle=a"},
       "error: unknown option '--modle=a' (did you mean --model?)"},
      {{"run", "-Z"}, "error: unknown option '-Z'"},
      {{"run", "-qZ"}, "error: unknown option '-Z'"},
      {{"run", "-5"}, "error: unknown option '-5'"},
      {{"run", "- a list"},
       "error: unknown option '- a list'; put -- before a prompt that begins "
       "with -"},
      {{"run", "-m"}, "error: --model needs a value (NAME[,NAME...])"},
      {{"run", "--json=x"}, "error: --json takes no value"},
      {{"run", "--json="}, "error: --json takes no value"},
      {{"models", "--worth", "1"},
       "error: option --worth does not go with 'models' (it goes with run, "
       "explain, batch)"},
      {{"version", "x"}, "error: 'version' takes no operands"},
      {{"completion"}, "error: 'completion' takes bash|zsh|fish"},
  });
}

TEST_CASE("a long word in a message is cut between characters") {
  std::string word = "-";
  for (int i = 0; i < 50; ++i) word += "\xC3\xA4";
  const Args args = parse(Words{word});
  REQUIRE(args.error);
  CHECK(args.error->message.find("...") != std::string::npos);
  CHECK(args.error->message.size() < 100);
}

TEST_CASE("help is understood whatever else is wrong") {
  for (const Words& words :
       std::vector<Words>{{"--bogus", "--help"},
                          {"--json=x", "--help"},
                          {"-m", "a", "--help", "-m"},
                          {"explian", "--help"},
                          {"version", "x", "--help"},
                          {"models", "--worth", "1", "--help"}}) {
    CAPTURE(base::join(words, " "));
    const Args args = parse(words);
    CHECK(args.error.has_value());
    CHECK(args.has("help"));
  }
}

TEST_CASE("the kind of a spelling is the same for all commands") {
  for (const OptionRow& a : options()) {
    for (const OptionRow& b : options()) {
      if (a.name.empty() || a.name != b.name) continue;
      CAPTURE(a.name);
      CHECK(a.kind == b.kind);
      CHECK(a.letter == b.letter);
      CHECK(a.metavar.empty() == b.metavar.empty());
      CHECK((&a == &b || (a.commands & b.commands) == 0));
    }
  }
}

TEST_CASE("no two options share a letter") {
  for (const OptionRow& a : options()) {
    for (const OptionRow& b : options()) {
      if (a.letter == 0 || a.letter != b.letter) continue;
      CHECK(a.name == b.name);
    }
  }
}

}  // namespace llmroute::cli
