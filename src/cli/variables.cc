#include "cli/settings.h"
#include "cli/tables.h"
#include "cli/values.h"

namespace llmroute::cli {
namespace {

base::Status set_stdin(Settings& s, std::string_view value) {
  if (value != "never") return expected("never");
  s.input.no_stdin = true;
  return {};
}

base::Status set_offline(Settings& s, std::string_view value) {
  if (value != "0" && value != "1") return expected("0 or 1");
  s.limits.offline = value == "1";
  return {};
}

base::Status set_run(Settings& s, std::string_view value) {
  return set_text(s.ledger.run, value);
}

constexpr CommandSet kRouting =
    in(Command::kRun) | in(Command::kExplain) | in(Command::kBatch);
constexpr CommandSet kCalling = in(Command::kRun) | in(Command::kBatch);
constexpr CommandSet kConfigured = kRouting | in(Command::kBench) |
                                   in(Command::kTrain) | in(Command::kModels) |
                                   in(Command::kUsage) | in(Command::kConfig);
constexpr CommandSet kWorking =
    kConfigured | in(Command::kFeedback) | in(Command::kReplay);

// The first rows act like an option given before all others; the last ones are
// read where they are needed and stand here for the manual.
constexpr VariableRow kVariables[] = {
    {.name = "LLMROUTE_CONFIG", .metavar = "FILE", .option = "config"},
    {.name = "LLMROUTE_PROFILE", .metavar = "NAME", .option = "profile"},
    {.name = "LLMROUTE_MODEL", .metavar = "NAME[,NAME...]", .option = "model"},
    {.name = "LLMROUTE_ROUTE", .metavar = "NAME", .option = "route"},
    {.name = "LLMROUTE_MAX_COST", .metavar = "USD", .option = "max-cost"},
    {.name = "LLMROUTE_TIMEOUT", .metavar = "DUR", .option = "timeout"},
    {.name = "LLMROUTE_STDIN",
     .metavar = "never",
     .help = "do not read standard input, as with --no-stdin",
     .commands =
         in(Command::kRun) | in(Command::kExplain) | in(Command::kBatch),
     .apply = set_stdin},
    {.name = "LLMROUTE_TAGS",
     .metavar = "KEY=VALUE,...",
     .help = "tags of every request; --tag adds to them",
     .commands = kRouting,
     .apply = [](Settings& s,
                 std::string_view v) { return add_tags(s.routing.tags, v); }},
    {.name = "LLMROUTE_LEDGER", .metavar = "FILE", .option = "ledger"},
    {.name = "LLMROUTE_RUN",
     .metavar = "NAME",
     .help = "the name of a run of several processes; they share --max-cost",
     .commands = kRouting,
     .apply = set_run},
    {.name = "LLMROUTE_OFFLINE",
     .metavar = "1",
     .help = "refuse all network",
     .commands = kRouting,
     .apply = set_offline},
    {.name = "OPENAI_API_KEY, ANTHROPIC_API_KEY, ...",
     .help = "keys of providers, under the providers' own names; "
             "`llmroute models --all` says which are looked for",
     .commands = kRouting | in(Command::kModels) | in(Command::kUsage) |
                 in(Command::kConfig)},
    {.name = "OLLAMA_HOST",
     .help = "address of a local Ollama",
     .commands = kConfigured},
    {.name = "NO_COLOR",
     .help = "if not empty, no colour unless --color asks for it",
     .commands = in(Command::kExplain)},
    {.name = "CLICOLOR_FORCE, FORCE_COLOR",
     .help = "if not empty, colour even where there is no terminal",
     .commands = in(Command::kExplain)},
    {.name = "TERM",
     .help = "`dumb` turns colour and redrawn lines off",
     .commands = in(Command::kExplain) | in(Command::kBatch)},
    {.name = "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY",
     .help = "proxies, as curl reads them: http_proxy in lower case only",
     .commands = kCalling},
    {.name = "SSL_CERT_FILE, SSL_CERT_DIR, CURL_CA_BUNDLE",
     .help = "certificates to trust in place of the system's",
     .commands = kCalling},
    {.name = "XDG_CONFIG_HOME, XDG_CONFIG_DIRS, XDG_STATE_HOME, XDG_CACHE_HOME",
     .help = "where files are looked for; empty or relative values are "
             "ignored",
     .commands = kWorking},
};

}  // namespace

std::span<const VariableRow> variables() { return kVariables; }

bool heeds(Command command, const VariableRow& variable) {
  if (!variable.option.empty()) {
    return find_option(variable.option, command) != nullptr;
  }
  return (variable.commands & in(command)) != 0;
}

}  // namespace llmroute::cli
