// Every section and key of a configuration file, in the order of the manual.
// One table: the reader refuses what is not in it, llmroute.toml(5) is printed
// from it, and src/config/fields.h proves at compile time that each row has the
// code that reads and writes it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute::config {

enum class KeyType : uint8_t {
  kString,
  kStrings,    // an array of strings, or one string
  kCommand,    // an array of strings: argv, no shell
  kStringMap,  // a table of strings
  kBool,
  kInteger,
  kIntegers,    // an array of integers
  kNumber,      // integer or float
  kDuration,    // "30s", "250ms", "2m", "1h", or a number of seconds
  kPrice,       // a table: section "price"
  kPriceTiers,  // an array of tables: section "price_tiers"
  kAbility,     // a number, or a table of numbers per domain
};

// For people: "a string", "an array of strings or a string".
std::string_view type_text(KeyType type);

struct KeyRow {
  std::string_view section;  // "" for the top level
  std::string_view key;
  KeyType type = KeyType::kString;
  std::string_view fallback = {};  // the default, as text
  std::string_view doc = {};       // one line
  // The words allowed, separated by '|'; empty: any.
  std::string_view choices = {};
  // Bounds of kInteger and kNumber, ends included.
  double min = 0;
  double max = 0;
};

struct SectionRow {
  std::string_view name;    // KeyRow::section
  std::string_view header;  // as written: "[providers.NAME]"
  std::string_view doc;
};

inline constexpr double kMaxTokens = 1e12;
inline constexpr double kMaxUsdPerMillion = 1e6;
inline constexpr double kMaxUsd = 1e6;

inline constexpr auto kSections = std::to_array<SectionRow>({
    {"", "", "Keys at the top of the file."},
    {"tiers", "[[tiers]]",
     "Levels of strength, weakest first. The list of a stronger file replaces "
     "the whole list of a weaker one."},
    {"providers", "[providers.NAME]",
     "An endpoint with a protocol and a key, or a local command."},
    {"models", "[models.NAME]",
     "A model: where it is served, what it costs, how good it is. Naming a "
     "built-in model changes only the keys given."},
    {"price", "price = { ... }",
     "USD per million tokens. Not given is not "
     "known, which is never the same as free."},
    {"price_tiers", "price_tiers = [{ ... }]",
     "Prices of a whole request whose input is larger than `above` tokens."},
    {"routes", "[routes.NAME]", "A named set of models and how to choose."},
    {"rules", "[[rules]]",
     "Conditions and what to do when all of them hold; the first rule that "
     "matches acts. Rules of a stronger file come first."},
    {"profiles", "[profiles.NAME]",
     "What a good answer and a second of waiting are worth."},
    {"limits", "[limits]", "Time, tries and money of one request."},
    {"learning", "[learning]", "What the router does to learn."},
    {"budgets", "[budgets.NAME]",
     "What requests with a tag may cost together. The ledger keeps the "
     "account; "
     "all processes of a user share it."},
});

inline constexpr auto kKeys = std::to_array<KeyRow>({
    // clang-format off
    {"", "profile", KeyType::kString, "balanced",
     "The profile used when none is asked for."},
    {"", "route", KeyType::kString, "auto",
     "The route used when none is asked for and no rule names one."},
    {"", "model_file", KeyType::kString, "",
     "A router model trained by llmroute train, instead of the embedded one; relative to this file."},

    {"tiers", "name", KeyType::kString, "", "What --tier takes."},
    {"tiers", "aliases", KeyType::kStrings, "", "Other names of the tier."},

    {"providers", "protocol", KeyType::kString, "openai-chat",
     "How to talk to it.", "openai-chat|openai-responses|anthropic|gemini|ollama|exec"},
    {"providers", "base_url", KeyType::kString, "",
     "Where it is; http only on this machine or with allow_http."},
    {"providers", "key_env", KeyType::kStrings, "",
     "Environment variables that may hold the key; the first that is set wins."},
    {"providers", "key_file", KeyType::kString, "",
     "A file that holds the key; yours and readable by you alone; relative to this file."},
    {"providers", "key_command", KeyType::kCommand, "",
     "A command that prints the key; run without a shell, 10 seconds at most."},
    {"providers", "key_header", KeyType::kString, "",
     "The header that carries the key, such as api-key; if it is Authorization, as a bearer token."},
    {"providers", "api_version", KeyType::kString, "",
     "Azure OpenAI: the api-version; the model's id is then a deployment in the address, and the key goes into api-key."},
    {"providers", "headers", KeyType::kStringMap, "",
     "Further headers of every request."},
    {"providers", "tags", KeyType::kStrings, "",
     "Places such as local or eu, for --require; every model of the provider has them."},
    {"providers", "token_limit_field", KeyType::kString, "",
     "What the server calls the output limit.", "max_tokens|max_completion_tokens"},
    {"providers", "stream_usage", KeyType::kBool, "true",
     "Whether the server knows stream_options.include_usage."},
    {"providers", "seed_field", KeyType::kString, "seed",
     "What the server calls the seed."},
    {"providers", "reported_cost", KeyType::kBool, "false",
     "Whether usage.cost of a reply is what was charged, in USD; it then counts instead of the prices."},
    {"providers", "rate_limit_scope", KeyType::kString, "model",
     "Who is left alone when a model is told to wait: that model, or all models of the key.", "model|key"},
    {"providers", "ca_file", KeyType::kString, "",
     "Certificates to trust instead of the system's."},
    {"providers", "allow_http", KeyType::kBool, "false",
     "Allow http to another machine; never together with a key."},
    {"providers", "concurrency", KeyType::kInteger, "",
     "batch: requests at a time, at most.", {}, 1, 1e6},
    {"providers", "rpm", KeyType::kNumber, "",
     "batch: requests a minute, at most.", {}, 1e-3, 1e9},
    {"providers", "tpm", KeyType::kNumber, "",
     "batch: tokens a minute, input and output together, at most.", {}, 1e-3, 1e12},
    {"providers", "command", KeyType::kCommand, "",
     "exec: the command; the prompt on stdin, the answer on stdout, no shell."},
    {"providers", "pass_env", KeyType::kStrings, "",
     "exec: variables handed on besides PATH, HOME, USER, LANG, LC_*, TMPDIR and TZ."},
    {"providers", "retry_exit", KeyType::kIntegers, "",
     "exec: exit statuses that mean try again, besides 75."},
    {"providers", "pure", KeyType::kBool, "false",
     "exec: running the command for nothing does no harm, so that a route with hedge may."},

    {"models", "provider", KeyType::kString, "", "The provider that serves it."},
    {"models", "id", KeyType::kString, "", "What the provider calls it; NAME if not given."},
    {"models", "aliases", KeyType::kStrings, "",
     "Other names for -m; provider/id is one by itself where it is unique."},
    {"models", "tier", KeyType::kString, "", "Its tier; by ability if not given."},
    {"models", "tags", KeyType::kStrings, "",
     "Capabilities for --require: tools, json, vision, reasoning, or your own. --tools needs tools, --schema needs json: an answer by a JSON Schema."},
    {"models", "description", KeyType::kString, "", "For people."},
    {"models", "context_window", KeyType::kInteger, "",
     "Tokens of input and output together.", {}, 1, kMaxTokens},
    {"models", "max_output_tokens", KeyType::kInteger, "",
     "The longest answer it gives, in tokens.", {}, 1, kMaxTokens},
    {"models", "price", KeyType::kPrice, "", "What it costs."},
    {"models", "price_tiers", KeyType::kPriceTiers, "",
     "What it costs above a size of input."},
    {"models", "price_as_of", KeyType::kString, "",
     "When the price was looked up, as YYYY-MM-DD or YYYY-MM."},
    {"models", "ability", KeyType::kAbility, "0",
     "How good it is, in logits: 0 is the GPT-4o class, current large models are near 3. One number, or one per domain (see `domain` of [[rules]]); domains left out of a new model get the mean of the others."},
    {"models", "temperature", KeyType::kBool, "true",
     "Whether it accepts a temperature."},
    {"models", "token_limit_field", KeyType::kString, "",
     "Overrides the provider's.", "max_tokens|max_completion_tokens"},
    {"models", "verbosity", KeyType::kNumber, "1",
     "Tokens of its answers against the median model.", {}, 0.01, 100},
    {"models", "tokens_per_second", KeyType::kNumber, "60",
     "Speed to expect before any has been observed.", {}, 0.001, 1e6},
    {"models", "first_token_seconds", KeyType::kNumber, "1",
     "Wait to expect before any has been observed.", {}, 0, 3600},
    {"models", "enabled", KeyType::kBool, "true", "false removes the model."},

    {"price", "input", KeyType::kNumber, "", "Input tokens.", {}, 0, kMaxUsdPerMillion},
    {"price", "output", KeyType::kNumber, "", "Output tokens.", {}, 0, kMaxUsdPerMillion},
    {"price", "cached_input", KeyType::kNumber, "",
     "Input tokens read from the provider's cache.", {}, 0, kMaxUsdPerMillion},
    {"price", "cache_write", KeyType::kNumber, "",
     "Input tokens written to the provider's cache.", {}, 0, kMaxUsdPerMillion},
    {"price", "reasoning", KeyType::kNumber, "",
     "Output tokens of thinking; as output if not given.", {}, 0, kMaxUsdPerMillion},

    {"price_tiers", "above", KeyType::kInteger, "", "Input tokens.", {}, 1, kMaxTokens},
    {"price_tiers", "input", KeyType::kNumber, "", "As in price.", {}, 0, kMaxUsdPerMillion},
    {"price_tiers", "output", KeyType::kNumber, "", "As in price.", {}, 0, kMaxUsdPerMillion},
    {"price_tiers", "cached_input", KeyType::kNumber, "", "As in price.", {}, 0, kMaxUsdPerMillion},
    {"price_tiers", "cache_write", KeyType::kNumber, "", "As in price.", {}, 0, kMaxUsdPerMillion},
    {"price_tiers", "reasoning", KeyType::kNumber, "", "As in price.", {}, 0, kMaxUsdPerMillion},

    {"routes", "models", KeyType::kStrings, "",
     "Models, aliases, patterns such as claude-*, or other routes; none: every model."},
    {"routes", "select", KeyType::kString, "best",
     "best: the highest worth; ordered: the first that works.", "best|ordered"},
    {"routes", "prompt", KeyType::kString, "",
     "A template around the prompt; holds {input} once."},
    {"routes", "description", KeyType::kString, "", "For people."},
    {"routes", "no_fallback", KeyType::kBool, "false",
     "Never try a second model."},
    {"routes", "hedge", KeyType::kBool, "false",
     "run: while a model is silent, ask the next one as well; the first to say something answers, "
     "both are paid for. After 10 s, or what 95 of 100 of its answers take to begin, at least 2 s; "
     "for at most 5 of 100 requests."},

    {"rules", "name", KeyType::kString, "", "Shown by explain; FILE:LINE if not given."},
    {"rules", "pattern", KeyType::kString, "",
     "If this regular expression (RE2) matches anywhere in the prompt."},
    {"rules", "domain", KeyType::kStrings, "", "If the most likely domain is one of these: code, agentic, math, reasoning, knowledge, writing, chat, text, tools."},
    {"rules", "min_difficulty", KeyType::kNumber, "",
     "If the difficulty shown by explain is at least this.", {}, 0, 1},
    {"rules", "max_difficulty", KeyType::kNumber, "",
     "If the difficulty shown by explain is at most this.", {}, 0, 1},
    {"rules", "min_tokens", KeyType::kInteger, "",
     "If the input is estimated at this many tokens or more.", {}, 0, kMaxTokens},
    {"rules", "max_tokens", KeyType::kInteger, "",
     "If the input is estimated at this many tokens or fewer.", {}, 0, kMaxTokens},
    {"rules", "tag", KeyType::kStrings, "", "If all of these tags were given: team=search, or just team."},
    {"rules", "language", KeyType::kStrings, "", "If most letters of the prompt are of one of these scripts: `latin`, `cyrillic`, `arabic`, `indic` (of India and its neighbours to Thailand), or `el`, `he`, `zh`, `ja`, `ko`, whose scripts belong to one language. Languages that share a script are not told apart."},
    {"rules", "file", KeyType::kStrings, "", "If the name of a -f file matches one of these patterns."},
    {"rules", "route", KeyType::kString, "", "Use this route."},
    {"rules", "model", KeyType::kString, "", "Use this model."},
    {"rules", "allow", KeyType::kStrings, "", "Only models that match one of these patterns."},
    {"rules", "deny", KeyType::kStrings, "", "No model that matches one of these patterns."},
    {"rules", "require", KeyType::kStrings, "", "Only models with all of these tags."},
    {"rules", "tier", KeyType::kString, "", "Only models of this tier."},
    {"rules", "min_tier", KeyType::kString, "", "Only models of this tier or above."},
    {"rules", "max_tier", KeyType::kString, "", "Only models of this tier or below."},
    {"rules", "prompt", KeyType::kString, "", "A template around the prompt; holds {input} once."},
    {"rules", "worth", KeyType::kNumber, "", "What a good answer is worth, in USD.", {}, 0, kMaxUsd},
    {"rules", "wait", KeyType::kNumber, "", "What a second of waiting costs, in USD.", {}, 0, kMaxUsd},
    {"rules", "no_fallback", KeyType::kBool, "false", "Never try a second model."},

    {"profiles", "worth", KeyType::kNumber, "0.05", "What a good answer is worth, in USD.", {}, 0, kMaxUsd},
    {"profiles", "wait", KeyType::kNumber, "0.0005", "What a second of waiting costs, in USD.", {}, 0, kMaxUsd},

    {"limits", "timeout", KeyType::kDuration, "600s", "The whole request, waiting included."},
    {"limits", "connect_timeout", KeyType::kDuration, "10s", "Name look-up, connection and TLS."},
    {"limits", "first_token_timeout", KeyType::kDuration, "300s", "The first text of the answer."},
    {"limits", "idle_timeout", KeyType::kDuration, "60s", "Silence in the middle of an answer."},
    {"limits", "retries", KeyType::kInteger, "2", "Further tries of one model after the first.", {}, 0, 100},
    {"limits", "give_up", KeyType::kDuration, "600s",
     "batch: stops, to be resumed, when nobody has answered for so long."},
    {"limits", "max_cost", KeyType::kNumber, "", "Refuse a request that could cost more, in USD.", {}, 0, kMaxUsd},
    {"limits", "per_day", KeyType::kNumber, "",
     "What all requests of a day (UTC) may cost together, in USD.", {}, 0, kMaxUsd},
    {"limits", "per_month", KeyType::kNumber, "",
     "What all requests of a month (UTC) may cost together, in USD.", {}, 0, kMaxUsd},

    {"learning", "explore", KeyType::kNumber, "0",
     "Share of requests in which chance may choose another candidate, likelier the more it is worth.", {}, 0, 0.5},
    {"learning", "seed", KeyType::kInteger, "",
     "Makes that chance the same for the same prompt and ledger.", {}, 0, 9e15},
    {"learning", "switch_margin", KeyType::kNumber, "0.05",
     "With --session: the gain that is not worth another model, as a share of worth.", {}, 0, 1},

    {"budgets", "tag", KeyType::kString, "", "The tag, as given with --tag: team=search."},
    {"budgets", "per_day", KeyType::kNumber, "", "Of a day (UTC), in USD.", {}, 0, kMaxUsd},
    {"budgets", "per_month", KeyType::kNumber, "", "Of a month (UTC), in USD.", {}, 0, kMaxUsd},
    // clang-format on
});

// The rows of one section, in order. REQUIRES: `section` is one of kSections.
std::span<const KeyRow> section_keys(std::string_view section);

const KeyRow* find_key(std::string_view section, std::string_view key);

// The keys of a section, for "did you mean".
std::vector<std::string> key_names(std::string_view section);

// "a", "b", "c" of "a|b|c".
std::vector<std::string> choice_names(std::string_view choices);

}  // namespace llmroute::config
