#include "cli/tables.h"

namespace llmroute::cli {
namespace {

constexpr CommandRow kCommands[] = {
    {.command = Command::kRun,
     .name = "run",
     .summary = "route one prompt and print the answer",
     .arguments = "[PROMPT...]",
     .description =
         "Reads a prompt, decides offline which model should answer it, calls "
         "that model and prints the answer as it arrives. Standard output "
         "carries the answer and nothing else.\n\n"
         "Operands are joined by blanks to the prompt. Without operands, "
         "`--prompt` or `--file`, standard input is the prompt if it is not a "
         "terminal. `llmroute run -` reads a prompt that you type: end it with "
         "Ctrl-D on a line of its own. With a prompt, standard input that is "
         "not a terminal is context and comes first. Input is never cut: what "
         "is too long for every model is refused.\n\n"
         "A good answer is worth some dollars to you and a second of waiting "
         "costs some; the model whose answer is worth most after its cost and "
         "its time is taken. While not one byte of the answer has been "
         "printed, a failure is retried and then goes to the next model.\n\n"
         "`run` may be left out if the first operand contains white space, as "
         "a prompt in quotes does, or if the prompt comes from standard input "
         "or `--prompt`. A lone word that is no command is refused, so "
         "that a mistyped command never costs money. After `--`, everything "
         "is prompt.",
     .examples =
         {{"git diff --cached | llmroute run \"one-line commit message\"",
           "Standard input is the context."},
          {"llmroute run --profile quality -f notes.txt \"find the mistake\"",
           "A good answer matters more than its price."},
          {"llmroute run -m gpt-5.4-nano,claude-haiku-4-5 \"say hello\"",
           "Name the model, and the one to fall back to."},
          {"llmroute run --max-cost 0.01 -o answer.txt < prompt.txt",
           "Spend at most a cent; replace answer.txt when complete."}}},
    {.command = Command::kExplain,
     .name = "explain",
     .summary = "show the decision; sends nothing",
     .arguments = "[PROMPT...]",
     .description =
         "Takes the same input and options as `run` and prints which model "
         "would answer, why, what the others were worth, which rules matched, "
         "which words moved the analyzer, and what would change the decision. "
         "Works offline and without keys. \"Known\" is the share of the "
         "prompt's words and pairs of words that were seen in training. "
         "\"Nearly a tie\" is a lead of less than a thousandth of what a good "
         "answer is worth. `harder` and `easier` are the words and forms that "
         "moved the difficulty, `size` what any text has by its length "
         "alone.\n\n"
         "With `-v` the decision is taken again for 30 changed prompts: other "
         "case, typos, politeness, and prefixes that ask for more or for less "
         "than the task does, like \"This is a very hard problem.\". `stable` "
         "says how many of them leave the model unchanged, with examples of "
         "those that do not; `--json` has all.\n\n"
         "`flips` are the smallest changes of one number that would give the "
         "prompt to another model; with 99 % of such a change nothing changes. "
         "`--why-not MODEL` says what would choose that one, the smallest "
         "change first, and what stands before all numbers: a rule, a filter, "
         "a ceiling.\n\n"
         "With `--jsonl` the input is records as `batch` reads them, and the "
         "output a line of JSON for each decision; with `--diff OTHER.toml`, "
         "which records would move under that configuration and what it would "
         "cost.\n\n"
         "With `--expect` it is a test: exit status 1 if the decision differs "
         "from what was expected.",
     .examples =
         {{"git diff | llmroute explain \"Find the race in this patch\"",
           "Why this model?"},
          {"llmroute explain --expect tier=small \"Translate to French: cat\"",
           "Exit 1 if it goes elsewhere."},
          {"llmroute explain --why-not claude-opus-4-8 < prompt.txt",
           "What would have to change?"},
          {"llmroute explain --jsonl --diff new.toml < records.jsonl",
           "Before a configuration is changed."}}},
    {.command = Command::kBatch,
     .name = "batch",
     .summary = "route and ask many records, JSON lines in and out",
     .arguments = "[FILE...]",
     .description =
         "Reads records, one a line, from files or standard input, routes each "
         "by itself as `run` would, and writes a result for each, in input "
         "order. A record that cannot be asked or fails becomes a result with "
         "an error in its place; it never ends the others.\n\n"
         "A record is a line of OpenAI's batch format, an object with `prompt` "
         "or `messages`, any object with `--template` or `--prompt-field`, or "
         "with `--lines` plain text. It may choose a model, a route and lower "
         "limits for itself, but no address, key or command. "
         "llmroute-jsonl(5) has every field.\n\n"
         "With `-o` nothing is lost and nothing is asked twice: results are "
         "journaled as they come, and after a crash, an interrupt, a full disk "
         "or a ceiling the same command goes on where it was left. Providers "
         "are asked no faster than they allow; an outage holds the queue "
         "instead of burning records, and a key that is refused turns its "
         "provider off at once.\n\n"
         "Exit status 1 says that some records failed, 4 that the ceiling "
         "stopped it, 75 that nobody answers at present. The signal USR1 asks "
         "for a line of progress on standard error.",
     .examples =
         {{"llmroute batch in.jsonl -o out.jsonl --max-cost 5",
           "Resumable, and never more than five dollars."},
          {"llmroute batch -n in.jsonl",
           "What it would cost, by model; sends nothing."},
          {"llmroute batch --template 'Classify: {text}' < rows.jsonl | "
           "jq -r .text",
           "A filter over any JSON lines."},
          {"llmroute batch -j 64 --rpm 3000 --retry-errors in.jsonl -o "
           "out.jsonl",
           "Faster, and once more for those that failed."}},
     .operand_source = Source::kFile},
    {.command = Command::kBench,
     .name = "bench",
     .summary = "measure how fast and how good the routing is",
     .arguments = "[FILE...]",
     .description =
         "Without a file, measures the speed of this build. With files of "
         "outcomes, says how good the routing is: rows as `train` reads them, "
         "with `scores` and perhaps `cost` (an object of model names and "
         "dollars), or RouterBench's wide table, as JSON lines or CSV; either "
         "may be gzipped, and `-` is standard input. Files that compare the "
         "same models are measured together. Nothing is sent.\n\n"
         "Prompts that the router model was trained on are left out, which is "
         "told; where they are more than one in a thousand of those with "
         "outcomes, or half of those with a domain, it is an error. With "
         "`--folds`, `--groups` or `--train`, which fit other heads, outcomes "
         "stay. Case and blanks do not count, except for model files of "
         "earlier versions; a paraphrase is not recognised.\n\n"
         "For a pair of models (the best one, and of more than two the one at "
         "the lower quartile): the share of the gap in quality that is won "
         "(APGR), calls to the strong model needed and saved, beside routing "
         "by length, at random and by an oracle. For a pool with known costs: "
         "quality against cost (AIQ) beside every constant, their mixture "
         "(zero router), length and oracles. Intervals are 95 % bootstraps "
         "over prompts, copies of one being drawn together. The verdict is the "
         "second line of each study; "
         "calibration, datasets and domains follow. The signal USR1 asks for a "
         "line on standard error that says how far it is.\n\n"
         "`--json` prints one object: `studies` (each with `verdict`, `pair`, "
         "`pool`, `probabilities`, `datasets`, `domains`), `domains` (the "
         "analyzer's, with their confusion), `speed` (of decisions as `run` "
         "takes them with all keys set, and of the analysis in them), and "
         "`figures`, a flat "
         "list of `study`, `name`, `value`, `low` and `high` for programs. "
         "What "
         "could not be measured is null; costs are dollars a prompt; keys are "
         "only ever added.",
     .examples = {{"llmroute bench", "Prompts a second on this machine."},
                  {"llmroute bench --json outcomes.jsonl > old.json",
                   "Quality against cost, for programs."},
                  {"llmroute bench outcomes.jsonl --models 'gpt-4*,mixtral*' "
                   "--fail-if 'apgr<0.6'",
                   "A pair; exit 1 if routing it got worse."},
                  {"llmroute bench --baseline old.json outcomes.jsonl",
                   "What a new model or config changed."}},
     .operand_source = Source::kFile},
    {.command = Command::kTrain,
     .name = "train",
     .summary = "fit a router model from labelled data",
     .arguments = "FILE...",
     .description =
         "Reads labelled prompts, one JSON object a line, plain or gzipped, "
         "from files or, for `-`, standard input, and writes a router model "
         "file, for `model_file` of the "
         "configuration. The held-out figures go to standard output.\n\n"
         "A row holds `prompt` and what is known of it: `scores`, an object "
         "of model names and how well each did, from 0 to 1; or `domain` and "
         "`difficulty`, which is `simple`, `medium`, `hard` or a number on "
         "the scale of abilities. llmroute-jsonl(5) has every key. A file "
         "whose name ends in `.json` holds abilities of models, one in `.tsv` "
         "a name, a licence and an origin of each other file, for the card.\n\n"
         "Training is deterministic: the same data and seed give the same "
         "bytes. A model that does not beat the best constant on held-out "
         "rows is not written, with exit status 1, unless `--force` insists.",
     .examples =
         {{"llmroute train -o mine.model --card mine.md labels.jsonl.gz",
           "A model and its card."},
          {"llmroute train --from-ledger -o abilities.toml",
           "Abilities by your own verdicts; docs/learning.md."}},
     .operand_source = Source::kFile},
    {.command = Command::kModels,
     .name = "models",
     .summary = "list models, prices, limits and missing keys",
     .arguments = "[GLOB...]",
     .description =
         "Lists the models that could be used now: name, provider, tier, "
         "price, window, ability, and how it did so far. `--json` has tags "
         "and limits too. With `--all` also those whose key is missing, and "
         "which key that is. With patterns, only models whose "
         "name matches one; exit status 1 if a pattern matches none.",
     .examples = {{"llmroute models", "What can be used now."},
                  {"llmroute models --all 'claude-*'",
                   "All of a family, with what is missing."}},
     .operand_source = Source::kModels},
    {.command = Command::kUsage,
     .name = "usage",
     .summary = "what was spent, what it saved, what is left",
     .arguments = "",
     .description =
         "Sums up the ledger: calls, tokens and dollars by model, or by what "
         "`--by` names, from the first of this month or another day to today. "
         "Days are UTC. Every call that was sent counts, also those that "
         "failed.\n\n"
         "COST is what is known to have been paid; \"?\" stands for calls "
         "whose cost is not known, which is never taken for nothing. CHARGED "
         "is what counts against ceilings: there such a call counts as its "
         "worst case, or as likely where that has no bound. What it is likely "
         "to have cost, by what was sent and "
         "received, is told below and in `likely_usd`. What is held by calls "
         "under way is not settled yet and stands apart.\n\n"
         "Savings compare what was paid, known or likely, failures included, "
         "with the same answered calls on the strongest and on the cheapest "
         "candidate of "
         "each decision, and on each model that was called or has a key, at "
         "today's price for short inputs; the table leaves out the middle of a "
         "long list. Calls whose tokens are not known "
         "cannot be compared, and are counted.\n\n"
         "Ceilings of the configuration are shown with what is left of them. "
         "Several `--ledger` are added up. Reading changes nothing; "
         "`--recount`, `--release-orphans` and `--purge-before` do.\n\n"
         "`--json` prints one object, schema `llmroute.usage/1`: `rows`, "
         "`total`, `held`, `baselines`, `ceilings` and `days`, in dollars; "
         "what is not known is null; keys are only ever added.",
     .examples = {{"llmroute usage", "This month, by model."},
                  {"llmroute usage --by day,tag --since 7d",
                   "The last seven days."},
                  {"llmroute usage --ledger a.db --ledger b.db --format csv",
                   "Of several machines, for a spreadsheet."}},
     .max_operands = 0},
    {.command = Command::kFeedback,
     .name = "feedback",
     .summary = "say how good an answer was",
     .arguments = "ID VERDICT",
     .description =
         "Records a verdict on the answer to a decision: `good`, `bad`, or a "
         "number from 0 (bad) to 1 (good). ID is what `run --stats` and `run "
         "--json` call `id`, or its beginning if no other decision begins like "
         "that; `last` is "
         "the newest one. Saying it again replaces what was said. Exit status "
         "66 if there is no such decision.",
     .examples = {{"llmroute feedback last good", "The newest answer."},
                  {"llmroute feedback 01KB5YEJ6W 0.5", "Not all of it."}},
     .min_operands = 2,
     .max_operands = 2},
    {.command = Command::kReplay,
     .name = "replay",
     .summary = "take recorded decisions again",
     .arguments = "[ID]",
     .description =
         "Takes the decision of ID (or `last`, or the beginning of one) again, "
         "from what the ledger kept of it: the "
         "configuration in effect, what the analyzer said of the prompt, which "
         "patterns of rules matched, the options, which keys were missing. No "
         "text of the prompt is needed or kept. Exit status 1, and what "
         "differs, if it is not the same byte for byte; 66 if something that "
         "it needs is not in the ledger.\n\n"
         "With `--with FILE` decisions are taken under another configuration: "
         "which would go to another model, and what they would have cost by "
         "the tokens they took: that of ID, or all since `--since`. Where a "
         "rule "
         "of FILE reads text that was not kept, and that would matter, the "
         "decision cannot be taken again and is counted.",
     .examples = {{"llmroute replay last", "Is it what was decided?"},
                  {"llmroute replay --with new.toml --since 30d",
                   "What a change would have done."}},
     .max_operands = 1},
    {.command = Command::kConfig,
     .name = "config",
     .summary = "show, check or start the configuration",
     .arguments = "path|show|check [FILE]|init|get KEY",
     .description =
         "`path` prints the file that is read, or would be, and on standard "
         "error every place that is looked at. `show` prints the "
         "configuration in effect as TOML, with `--origin` where each value "
         "came from. `check` reads everything (FILE is as -c FILE) and exits "
         "78 with file and line if something is wrong. `init` writes a "
         "commented starter file. `get` prints one value, such as "
         "`limits.timeout`, or of something with parts, such as "
         "`models.NAME`, those that are set; exit status 1 if it is not set.",
     .examples = {{"llmroute config init", "A file to start from."},
                  {"llmroute config show --origin",
                   "Which file or variable set what."},
                  {"llmroute config check new.toml",
                   "Is it valid, before it is used?"}},
     .operand_words = "path show check init get"},
    {.command = Command::kCompletion,
     .name = "completion",
     .summary = "print the completions of a shell",
     .arguments = "bash|zsh|fish",
     .description =
         "Prints a script that completes commands, options and, from your "
         "configuration, the names of models, routes, profiles and tiers.",
     .examples = {{"source <(llmroute completion bash)", "In ~/.bashrc."},
                  {"llmroute completion zsh > \"${fpath[1]}/_llmroute\"",
                   "Into a directory zsh searches."},
                  {"llmroute completion fish > "
                   "~/.config/fish/completions/llmroute.fish",
                   "For fish."}},
     .min_operands = 1,
     .max_operands = 1,
     .operand_words = "bash zsh fish"},
    {.command = Command::kHelp,
     .name = "help",
     .summary = "print the help of a command or a file format",
     .arguments = "[COMMAND|toml|jsonl]",
     .description =
         "Prints everything `--help` prints for that command. `help toml` "
         "prints llmroute.toml(5), every key of the configuration, and `help "
         "jsonl` llmroute-jsonl(5), every field of batch files.",
     .examples = {{"llmroute help explain", "The same as explain --help."},
                  {"llmroute help toml", "The keys of a configuration file."}},
     .max_operands = 1,
     .operand_words =
         "run explain batch bench train models usage feedback replay config "
         "completion help "
         "version toml jsonl"},
    {.command = Command::kVersion,
     .name = "version",
     .summary = "print the version and how it was built",
     .arguments = "",
     .description =
         "The first line is the name and the version alone; the lines after "
         "it say with which compiler it was built, which router model it "
         "holds and which libcurl it calls with. That is opened for it: "
         "`--version` prints the lines before and takes no time.",
     .examples = {{"llmroute version | head -n 1", "The version alone."}},
     .max_operands = 0},
};

}  // namespace

std::span<const CommandRow> commands() { return kCommands; }

const CommandRow& command_row(Command command) {
  return kCommands[static_cast<size_t>(command)];
}

const CommandRow* find_command(std::string_view name) {
  for (const CommandRow& row : kCommands) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace llmroute::cli
