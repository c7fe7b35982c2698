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
     .apply = set_stdin},
    {.name = "LLMROUTE_TAGS",
     .metavar = "KEY=VALUE,...",
     .help = "tags of every request; --tag adds to them",
     .apply = [](Settings& s,
                 std::string_view v) { return add_tags(s.routing.tags, v); }},
    {.name = "LLMROUTE_LEDGER", .metavar = "FILE", .option = "ledger"},
    {.name = "LLMROUTE_RUN",
     .metavar = "NAME",
     .help = "the name of a run of several processes; they share --max-cost",
     .apply = set_run},
    {.name = "LLMROUTE_OFFLINE",
     .metavar = "1",
     .help = "refuse all network",
     .apply = set_offline},
    {.name = "OPENAI_API_KEY, ANTHROPIC_API_KEY, ...",
     .help = "keys of providers, under the providers' own names; "
             "`llmroute models --all` says which are looked for"},
    {.name = "OLLAMA_HOST", .help = "address of a local Ollama"},
    {.name = "NO_COLOR",
     .help = "if not empty, no colour unless --color asks for it"},
    {.name = "CLICOLOR_FORCE, FORCE_COLOR",
     .help = "if not empty, colour even where there is no terminal"},
    {.name = "TERM", .help = "`dumb` turns colour and redrawn lines off"},
    {.name = "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY",
     .help = "proxies, as curl reads them: http_proxy in lower case only"},
    {.name = "SSL_CERT_FILE, SSL_CERT_DIR, CURL_CA_BUNDLE",
     .help = "certificates to trust in place of the system's"},
    {.name = "XDG_CONFIG_HOME, XDG_CONFIG_DIRS, XDG_STATE_HOME, XDG_CACHE_HOME",
     .help = "where files are looked for; empty or relative values are "
             "ignored"},
};

}  // namespace

std::span<const VariableRow> variables() { return kVariables; }

}  // namespace llmroute::cli
