#include "config/merge.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "config/load.h"
#include "config/read.h"
#include "config/read_config.h"

namespace llmroute::config {
namespace {

const Layer kLayer{.file = "f", .directory = "/dir", .home = "/home/me"};

core::Config accepted(const std::string& text) {
  auto config = read_config(builtin(), text, kLayer);
  REQUIRE_MESSAGE(config, (config ? "" : config.error().message) << "\n"
                                                                 << text);
  return *config;
}

std::string refusal(const std::string& text) {
  const auto config = read_config(builtin(), text, kLayer);
  if (config) return "accepted";
  CHECK(config.error().kind == base::ErrorKind::kConfig);
  return config.error().message;
}

// A provider and a model to refer to.
const std::string kOwn =
    "[providers.own]\nprotocol = \"openai-chat\"\n"
    "base_url = \"http://127.0.0.1:1/v1\"\n"
    "[models.m]\nprovider = \"own\"\n";

TEST_CASE("wrong documents are refused with place, cause and nearest name") {
  struct Case {
    std::string text, message;
  };
  const Case cases[] = {
      // unknown names
      {"modle = 1", "f:1:1: unknown key 'modle'"},
      {"profil = \"cost\"",
       "f:1:1: unknown key 'profil' (did you mean 'profile'?)"},
      {"[model.x]\n",
       "f:1:2: unknown section 'model' (did you mean [models.x]?)"},
      {"\n[limits]\n  timout = 3",
       "f:3:3: unknown key 'timout' in [limits] (did you mean 'timeout'?)"},
      {"[models.gpt-5]\nprice = { inptu = 1 }",
       "f:2:11: unknown key 'inptu' in price = { ... } (did you mean "
       "'input'?)"},
      {"[models.gpt-5]\nprice_tiers = [{ above = 1, out = 1 }]",
       "f:2:29: unknown key 'out' in price_tiers = [{ ... }]"},
      {"[models.gpt-5]\nability = { coed = 1 }",
       "f:2:13: 'ability' in [models.NAME] names an unknown domain 'coed' "
       "(did you mean 'code'?)"},
      {"[[rules]]\npatern = \"x\"",
       "f:2:1: unknown key 'patern' in [[rules]] (did you mean 'pattern'?)"},
      {"[[rules]]\ndomain = [\"code\", \"maths\"]\nmodel = \"haiku\"",
       "f:2:19: 'domain' in [[rules]] names an unknown domain 'maths' (did "
       "you mean 'math'?)"},
      {"[providers.p]\nprotocol = \"openai\"",
       "f:2:12: 'protocol' in [providers.NAME] must be one of openai-chat, "
       "openai-responses, anthropic, gemini, ollama, exec, not 'openai'"},
      {"[routes.r]\nselect = \"bestt\"",
       "f:2:10: 'select' in [routes.NAME] must be one of best, ordered, not "
       "'bestt' (did you mean 'best'?)"},
      {"profile = \"qualty\"",
       "f:1:11: unknown profile 'qualty' (did you mean 'quality'?)"},
      {"profile = \"cheapp\"\n",
       "f:1:11: unknown profile 'cheapp' (known: quality, balanced, cost, "
       "fast)"},
      {"route = \"aut\"", "f:1:9: unknown route 'aut' (did you mean 'auto'?)"},
      {"[models.x]\nprovider = \"opena\"",
       "f:2:12: unknown provider 'opena' (did you mean 'openai'?)"},
      {"[models.gpt-5]\ntier = \"medum\"",
       "f:2:8: unknown tier 'medum' (did you mean 'medium'?)"},
      {"[routes.r]\nmodels = [\"haiku\",\n  \"gpt-55\"]",
       "f:3:3: unknown model or route 'gpt-55' (did you mean 'gpt-5'?)"},
      {"[[rules]]\nroute = \"autoo\"",
       "f:2:9: unknown route 'autoo' (did you mean 'auto'?)"},
      {"[[rules]]\nmodel = \"sonet\"",
       "f:2:9: unknown model 'sonet' (did you mean 'sonnet'?)"},
      {"[[rules]]\ndeny = \"opnai\"",
       "f:2:8: unknown model or provider 'opnai' (did you mean 'openai'?)"},
      {"[[rules]]\nmin_tier = \"larg\"",
       "f:2:12: unknown tier 'larg' (did you mean 'large'?)"},
      {"[models.gpt-5.4]\nverbosity = 1",
       "f:1:15: unknown key '4' in [models.NAME] (a name with a dot needs "
       "quotes: [models.\"gpt-5.4\"])"},
      // types
      {"profile = 1", "f:1:11: 'profile' must be a string, not an integer"},
      {"[limits]\nretries = \"2\"",
       "f:2:11: 'retries' in [limits] must be an integer, not a string"},
      {"[limits]\nretries = 2.0",
       "f:2:11: 'retries' in [limits] must be an integer, not a float"},
      {"[limits]\ntimeout = true",
       "f:2:11: 'timeout' in [limits] must be a duration such as \"30s\", or "
       "a number of seconds, not a boolean"},
      {"[models.gpt-5]\nprice = 3",
       "f:2:9: 'price' in [models.NAME] must be a table, not an integer"},
      {"[models.gpt-5]\naliases = [1]",
       "f:2:12: 'aliases' in [models.NAME] must be a string or an array of "
       "strings, not an integer"},
      {"[models.gpt-5]\nprice_as_of = 2026-01-01",
       "f:2:15: 'price_as_of' in [models.NAME] must be a string, not a date "
       "or time"},
      {"[models.gpt-5]\ntemperature = 1",
       "f:2:15: 'temperature' in [models.NAME] must be true or false, not an "
       "integer"},
      {"[models.gpt-5]\nability = \"high\"",
       "f:2:11: 'ability' in [models.NAME] must be a number or a table of "
       "numbers, not a string"},
      {"[models.gpt-5]\nability = { code = \"high\" }",
       "f:2:20: 'ability' in [models.NAME] must be a number, not a string"},
      {"[providers.p]\nkey_command = \"pass show\"",
       "f:2:15: 'key_command' in [providers.NAME] must be an array of "
       "strings, not a string"},
      {"[providers.p]\nheaders = { a = 1 }",
       "f:2:17: 'headers' in [providers.NAME] must be a table of strings, not "
       "an integer"},
      {"models = 1", "f:1:1: 'models' is a section: write [models.NAME]"},
      {"limits = 1", "f:1:1: 'limits' is a section: write [limits]"},
      {"models.x = 1",
       "f:1:8: 'x' in [models] must be a section: write [models.x]"},
      {"[rules]", "f:1:2: 'rules' is a list of sections: write [[rules]]"},
      {"rules = [1]", "f:1:1: 'rules' is a list of sections: write [[rules]]"},
      {"[tiers.x]", "f:1:2: 'tiers' is a list of sections: write [[tiers]]"},
      // ranges
      {"[limits]\nretries = -1",
       "f:2:11: 'retries' in [limits] must be between 0 and 100"},
      {"[limits]\ntimeout = \"0s\"",
       "f:2:11: 'timeout' in [limits] must be a time from 1ms to a year, such "
       "as \"30s\", \"250ms\", \"2m\", \"1h\" or a number of seconds"},
      {"[models.gpt-5]\nprice = { input = -1 }",
       "f:2:19: 'input' in price = { ... } must be between 0 and 1000000"},
      {"[models.gpt-5]\nprice = { input = nan }",
       "f:2:19: 'input' in price = { ... } must be between 0 and 1000000"},
      {"[models.gpt-5]\nprice = { input = inf }",
       "f:2:19: 'input' in price = { ... } must be between 0 and 1000000"},
      {"[models.gpt-5]\nability = 21",
       "f:2:11: 'ability' in [models.NAME] must be between -20 and 20"},
      {"[models.gpt-5]\nability = { code = nan }",
       "f:2:20: 'ability' in [models.NAME] must be between -20 and 20"},
      {"[models.gpt-5]\nverbosity = 0",
       "f:2:13: 'verbosity' in [models.NAME] must be between 0.01 and 100"},
      {"[models.gpt-5]\ncontext_window = 0",
       "f:2:18: 'context_window' in [models.NAME] must be between 1 and "
       "1000000000000"},
      {"[models.gpt-5]\nmax_output_tokens = 500_000",
       "f:2:21: model 'gpt-5': max_output_tokens is larger than "
       "context_window"},
      {"[models.gpt-5]\nprice_as_of = \"soon\"",
       "f:2:15: 'price_as_of' in [models.NAME] must be a day, as YYYY-MM-DD, "
       "or a month, as YYYY-MM"},
      {"[models.gpt-5]\nprice_tiers = [{ above = 2 }, { above = 2 }]",
       "f:2:31: 'price_tiers' in [models.NAME] must be in ascending order of "
       "'above'"},
      {"[models.gpt-5]\nprice_tiers = [{ input = 2 }]",
       "f:2:16: 'price_tiers' in [models.NAME] needs 'above' in every entry"},
      {"[profiles.cost]\nworth = -0.1",
       "f:2:9: 'worth' in [profiles.NAME] must be between 0 and 1000000"},
      {"[[rules]]\nmin_difficulty = 1.5\nmodel = \"haiku\"",
       "f:2:18: 'min_difficulty' in [[rules]] must be between 0 and 1"},
      {"[providers.p]\nretry_exit = [256]",
       "f:2:15: 'retry_exit' in [providers.NAME] takes exit statuses from 1 "
       "to 255"},
      // names
      {"[models.\"a b\"]\nprovider = \"openai\"",
       "f:1:9: a name in [models] may hold only letters, digits and "
       "._-/:@+~, and not start with -"},
      {"[routes.\"\"]", "f:1:9: a name in [routes] is empty"},
      {"[providers.-p]\nprotocol = \"exec\"",
       "f:1:12: a name in [providers] may hold only letters, digits and "
       "._-/:@+~, and not start with -"},
      {"[[rules]]\nname = \"a\\u001bb\"\nmodel = \"haiku\"",
       "f:2:8: 'name' in [[rules]] holds a control character"},
      {"profile = \"a\\u0000\"", "f:1:11: 'profile' holds a NUL"},
      {"[providers.p]\nkey_env = \"sk-abc\"",
       "f:2:11: 'key_env' in [providers.NAME] takes the name of an "
       "environment variable, not a value"},
      // things missing or contradicting
      {"[models.new]\nid = \"x\"", "f:1:9: model 'new' needs a provider"},
      {"[models.gpt-55]\nid = \"x\"",
       "f:1:9: model 'gpt-55' needs a provider (did you mean 'gpt-5.5'?)"},
      {"[models.haiku]\ntier = \"small\"",
       "f:1:9: model 'haiku' needs a provider (to change what 'haiku' stands "
       "for, write [models.claude-haiku-5-5])"},
      {"[providers.p]\ntags = [\"eu\"]",
       "f:1:12: provider 'p' needs a protocol and a base_url"},
      {"[providers.p]\nprotocol = \"anthropic\"",
       "f:1:12: provider 'p' needs a base_url"},
      {"[providers.p]\nprotocol = \"exec\"",
       "f:1:12: exec provider 'p' needs a command"},
      {"[providers.p]\nprotocol = \"exec\"\ncommand = [\"a\"]\n"
       "key_env = \"K\"",
       "f:2:12: exec provider 'p' takes neither base_url nor a key"},
      {"[providers.openai]\ncommand = [\"a\"]",
       "f:2:11: provider 'openai': command needs protocol = \"exec\""},
      {"[providers.p]\nprotocol = \"exec\"\ncommand = [\"\"]",
       "f:3:11: 'command' in [providers.NAME] starts with an empty word"},
      {"[[rules]]\npattern = \"x\"",
       "f:1:1: rule 'f:1' does nothing; give it an action such as route, "
       "model, deny or tier"},
      {"[[rules]]\nname = \"r\"\nmodel = \"haiku\"\nroute = \"auto\"",
       "f:3:9: rule 'r' names both a route and a model"},
      {"[[rules]]\nname = \"r\"\nmodel = \"haiku\"\nmin_tokens = 5\n"
       "max_tokens = 4",
       "f:5:14: rule 'r': max_tokens is less than min_tokens"},
      {"[[rules]]\nname = \"r\"\nmodel = \"haiku\"\nmin_difficulty = 0.5\n"
       "max_difficulty = 0.4",
       "f:5:18: rule 'r': max_difficulty is less than min_difficulty"},
      {"[[rules]]\nname = \"r\"\nmin_tier = \"opus\"\nmax_tier = \"haiku\"",
       "f:4:12: rule 'r': max_tier is below min_tier"},
      // patterns and templates
      {"[[rules]]\npattern = \"(\"\nmodel = \"haiku\"",
       "f:2:11: 'pattern' in [[rules]] is not a regular expression: missing "
       "): ("},
      {"[[rules]]\nprompt = \"no slot\"",
       "f:2:10: 'prompt' in [[rules]] must hold {input}, where the prompt "
       "goes"},
      {"[routes.r]\nprompt = \"{input} {input}\"",
       "f:2:10: 'prompt' in [routes.NAME] holds {input} more than once"},
      {"[routes.r]\nprompt = \"\"",
       "f:2:10: 'prompt' in [routes.NAME] must hold {input}, where the prompt "
       "goes"},
      // duplicates
      {"[[tiers]]\nname = \"a\"\n[[tiers]]\nname = \"a\"",
       "f:3:1: a second tier 'a'"},
      {"[[tiers]]\nname = \"a\"\n[[tiers]]\nname = \"b\"\naliases = \"a\"",
       "f:5:11: tier name 'a' is used twice"},
      {"[[tiers]]\naliases = \"a\"", "f:1:1: a tier needs a name"},
      {"[[rules]]\nname = \"r\"\nmodel = \"haiku\"\n[[rules]]\nname = \"r\"\n"
       "model = \"opus\"",
       "f:4:1: a second rule 'r'"},
      {kOwn + "aliases = \"gpt-5\"",
       "f:6:11: alias 'gpt-5' is already a model"},
      {kOwn + "aliases = [\"a\", \"a\"]",
       "f:6:17: alias 'a' is already the alias of another model"},
      {kOwn + "aliases = \"auto\"", "f:6:11: alias 'auto' is already a route"},
      {"[routes.gpt-5]\nmodels = \"haiku\"",
       "f:1:9: 'gpt-5' is both a model and a route"},
      // cycles
      {"[routes.a]\nmodels = \"a\"",
       "f:2:10: routes lead back to themselves: a -> a"},
      {"[routes.a]\nmodels = [\"haiku\", \"b\"]\n[routes.b]\nmodels = \"c\"\n"
       "[routes.c]\nmodels = [\"b\"]",
       "f:6:10: routes lead back to themselves: b -> c -> b"},
      // what was removed
      {"[models.gpt-5]\nenabled = false\n[routes.r]\nmodels = \"gpt-5\"",
       "f:4:10: model 'gpt-5' is disabled by enabled = false"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(refusal(c.text) == c.message);
  }
}

TEST_CASE("a base_url is strict, and http stays on this machine") {
  const auto provider = [](const std::string& keys) {
    return "[providers.p]\nprotocol = \"openai-chat\"\n" + keys;
  };
  CHECK(refusal(provider("base_url = \"https://u:p@h.example\"")) ==
        "f:3:12: 'base_url' in [providers.NAME] is not a usable URL: user "
        "names and passwords are not allowed");
  const std::string remote = "base_url = \"http://10.0.0.7:8000/v1\"\n";
  CHECK(refusal(provider(remote)) ==
        "f:3:12: provider 'p': plain http to another machine; use https, or "
        "allow_http = true if it needs no key");
  const std::string never =
      "f:3:12: provider 'p': a key never goes over plain http to another "
      "machine; use https, or key_env = [] if it needs none";
  CHECK(refusal(provider(remote + "allow_http = true\nkey_env = \"K\"")) ==
        never);
  CHECK(refusal(provider(remote + "allow_http = true\nkey_file = \"k\"")) ==
        never);
  CHECK(refusal(provider(remote +
                         "allow_http = true\nkey_command = [\"k\"]")) == never);
  CHECK(accepted(provider(remote + "allow_http = true"))
            .find_provider("p")
            ->base_url == "http://10.0.0.7:8000/v1");
  CHECK(accepted(provider("base_url = \"http://localhost:1/\"\n"
                          "key_env = \"K\""))
            .find_provider("p")
            ->base_url == "http://localhost:1");
  // A built-in key does not follow a built-in provider to plain http.
  CHECK(refusal("[providers.openai]\nbase_url = \"http://h.example\"\n"
                "allow_http = true")
            .find("a key never goes") != std::string::npos);
  CHECK(accepted("[providers.openai]\nbase_url = \"http://h.example\"\n"
                 "allow_http = true\nkey_env = []")
            .find_provider("openai")
            ->keyless());
}

TEST_CASE("a header that is a key needs a file that others cannot read") {
  const std::string text =
      "[providers.p]\nprotocol = \"openai-chat\"\n"
      "base_url = \"https://h.example\"\n"
      "headers = { Authorization = \"Bearer s3cret\" }\n";
  const auto open = read_config(builtin(), text, kLayer);
  REQUIRE_FALSE(open);
  CHECK(open.error().kind == base::ErrorKind::kNoPermission);
  CHECK(open.error().message.find("s3cret") == std::string::npos);
  Layer secret = kLayer;
  secret.secret = true;
  const auto closed = read_config(builtin(), text, secret);
  REQUIRE(closed);
  for (const core::ConfigValue& value : closed->values) {
    CHECK(value.value.find("s3cret") == std::string::npos);
  }
  CHECK(refusal("[providers.openai]\nheaders = { Host = \"x\" }") ==
        "f:2:20: 'headers' in [providers.NAME] holds the header host, which "
        "llmroute sets itself");
  CHECK(refusal("[providers.openai]\nheaders = { \"a:b\" = \"x\" }") ==
        "f:2:21: 'headers' in [providers.NAME] holds a header name that HTTP "
        "does not allow");
  CHECK(refusal("[providers.openai]\nheaders = { a = \"x\\r\\ny: z\" }") ==
        "f:2:17: 'headers' in [providers.NAME] holds a header value that is "
        "not printable ASCII");
}

TEST_CASE("a built-in model is changed key by key") {
  const core::Model before = *builtin().find_model("gpt-5-nano");
  const core::Config config =
      accepted("[models.gpt-5-nano]\nprice = { input = 0.01 }\n");
  const core::Model& after = *config.find_model("gpt-5-nano");
  CHECK(after.price.input->pico == 10'000);
  CHECK(after.price.output == before.price.output);
  CHECK(after.ability == before.ability);
  CHECK(after.tags == before.tags);
  CHECK(after.aliases == before.aliases);
  // The old day is not the day of the new price.
  CHECK(before.price_as_of != "");
  CHECK(after.price_as_of == "");
  const core::Config dated = accepted(
      "[models.gpt-5-nano]\nprice = { input = 0.01 }\n"
      "price_as_of = \"2026-11-20\"\n");
  CHECK(dated.find_model("gpt-5-nano")->price_as_of == "2026-11-20");
}

TEST_CASE("a model of one's own has defaults for what is not said") {
  const core::Config config = accepted(kOwn);
  const core::Model& model = *config.find_model("m");
  CHECK(model.id == "m");
  CHECK(config.find_model("own/m") == &model);
  CHECK_FALSE(model.price.input);
  CHECK(model.general_ability() == 0);
  CHECK(model.accepts_temperature);
  CHECK(model.origin == "f:4");
}

TEST_CASE(
    "abilities are one number, or one per domain with the mean for the rest") {
  CHECK(accepted(kOwn + "ability = 1.5").find_model("m")->general_ability() ==
        doctest::Approx(1.5));
  const core::Config config =
      accepted(kOwn + "ability = { code = 1, math = 2 }");
  const core::PerDomain& ability = config.find_model("m")->ability;
  CHECK(ability[*core::domain_index("code")] == 1);
  CHECK(ability[*core::domain_index("math")] == 2);
  CHECK(ability[*core::domain_index("chat")] == 1.5);
  // A built-in model keeps the domains that are not named.
  const core::PerDomain before = builtin().find_model("gpt-5")->ability;
  const core::Config changed =
      accepted("[models.gpt-5]\nability = { code = 9 }");
  const core::PerDomain& after = changed.find_model("gpt-5")->ability;
  CHECK(after[*core::domain_index("code")] == 9);
  CHECK(after[*core::domain_index("chat")] ==
        before[*core::domain_index("chat")]);
}

TEST_CASE("a removed model is gone with its aliases") {
  const core::Config config =
      accepted("[models.claude-haiku-5-5]\nenabled = false");
  CHECK(config.find_model("claude-haiku-5-5") == nullptr);
  CHECK(config.find_model("haiku") == nullptr);
  CHECK(config.models.size() + 1 == builtin().models.size());
}

TEST_CASE("a name of one's own takes a built-in alias over") {
  const core::Config config = accepted(kOwn + "aliases = \"haiku\"");
  CHECK(config.find_model("haiku")->name == "m");
  const core::Config named =
      accepted("[models.sonnet]\nprovider = \"openai\"\n");
  CHECK(named.find_model("sonnet")->provider == "openai");
  const core::Config route = accepted("[routes.opus]\nmodels = \"gpt-*\"");
  CHECK(route.find_model("opus") == nullptr);
  CHECK(route.find_route("opus") != nullptr);
}

TEST_CASE("provider/id names a model only where it is unique") {
  const core::Config config =
      accepted(kOwn + "[models.m2]\nprovider = \"own\"\nid = \"m\"\n");
  CHECK(config.find_model("own/m") == nullptr);
  CHECK(config.find_model("openai/gpt-5") == config.find_model("gpt-5"));
  // Moved to another provider, a model is no longer found at the old one.
  const core::Config moved =
      accepted(kOwn + "[models.gpt-5]\nprovider = \"own\"\n");
  CHECK(moved.find_model("openai/gpt-5") == nullptr);
  CHECK(moved.find_model("own/gpt-5")->name == "gpt-5");
}

TEST_CASE("tiers of one's own replace the list, built-in models adapt") {
  const core::Config config =
      accepted("[[tiers]]\nname = \"cheap\"\n[[tiers]]\nname = \"large\"\n");
  REQUIRE(config.tiers.size() == 2);
  CHECK(config.find_model("claude-opus-5-5")->tier == "large");
  CHECK(config.find_model("claude-haiku-5-5")->tier == "");
}

TEST_CASE("routes may hold models, aliases, patterns, routes, local names") {
  const core::Config config = accepted(
      "[routes.a]\nmodels = [\"gpt-5\", \"haiku\", \"claude-*\", \"b\", "
      "\"ollama/llama3.2:3b\"]\n"
      "[routes.b]\nmodels = \"auto\"\n");
  CHECK(config.find_route("a")->models.size() == 5);
  CHECK(refusal("[routes.a]\nmodels = \"openai/llama3.2\"") != "accepted");
}

TEST_CASE("routes inside routes are limited in depth") {
  std::string text;
  for (int i = 0; i < 40; ++i) {
    text += "[routes.r" + std::to_string(i) + "]\nmodels = \"r" +
            std::to_string(i + 1) + "\"\n";
  }
  text += "[routes.r40]\n";
  CHECK(refusal(text) == "f:2:10: routes inside routes more than 32 deep");
}

TEST_CASE("paths are relative to the file or to the home directory") {
  const core::Config config = accepted(
      "model_file = \"router.model\"\n"
      "[providers.openai]\nkey_file = \"~/key\"\nca_file = \"/etc/ca.pem\"\n");
  CHECK(config.router_model_file == "/dir/router.model");
  CHECK(config.find_provider("openai")->key_file == "/home/me/key");
  CHECK(config.find_provider("openai")->ca_file == "/etc/ca.pem");
}

TEST_CASE("limits take durations, and retries count after the first attempt") {
  const core::Config config = accepted(
      "[limits]\ntimeout = \"2m\"\nconnect_timeout = 1.5\n"
      "idle_timeout = \"250ms\"\nretries = 0\nmax_cost = 0.05\n");
  CHECK(config.limits.total.count() == 120'000);
  CHECK(config.limits.connect.count() == 1'500);
  CHECK(config.limits.idle.count() == 250);
  CHECK(config.limits.first_token == core::Limits().first_token);
  CHECK(config.limits.attempts_per_candidate == 1);
  CHECK(config.limits.max_cost->pico == 50'000'000'000);
  CHECK(accepted("[limits]\nretries = 9").limits.attempts_per_request == 10);
}

TEST_CASE("a local provider moved to another machine is no longer local") {
  const core::Config config = accepted(
      "[providers.ollama]\nbase_url = \"https://gpu.example:11434\"\n");
  CHECK(config.find_provider("ollama")->tags.empty());
  const core::Config said = accepted(
      "[providers.ollama]\nbase_url = \"https://gpu.example:11434\"\n"
      "tags = [\"local\", \"lab\"]\n");
  CHECK(said.find_provider("ollama")->tags.size() == 2);
  CHECK(accepted("").find_provider("ollama")->tags.front() == "local");
}

// Layers.

core::Config layered(const std::string& weak, const std::string& strong) {
  Merger merger(builtin());
  for (const auto& [file, text] :
       {std::pair{"weak", weak}, std::pair{"strong", strong}}) {
    const auto document = read_toml(text, file);
    REQUIRE(document);
    const Layer layer{.file = file, .directory = "", .home = ""};
    const base::Status added = merger.add(*document, layer);
    REQUIRE_MESSAGE(added, (added ? "" : added.error().message));
  }
  auto config = merger.finish();
  REQUIRE_MESSAGE(config, (config ? "" : config.error().message));
  return *config;
}

std::string origin_of(const core::Config& config, const std::string& key) {
  for (const core::ConfigValue& value : config.values) {
    if (value.key == key) return value.value + " " + value.origin;
  }
  return "";
}

TEST_CASE("a stronger layer wins key by key, and the origin says so") {
  const core::Config config =
      layered("profile = \"cost\"\n[limits]\nretries = 1\ntimeout = 9\n",
              "\nprofile = \"fast\"\n[limits]\ntimeout = 8\n");
  CHECK(config.default_profile == "fast");
  CHECK(config.limits.attempts_per_candidate == 2);
  CHECK(config.limits.total.count() == 8000);
  CHECK(origin_of(config, "profile") == "\"fast\" strong:2");
  CHECK(origin_of(config, "limits.timeout") == "8 strong:4");
  CHECK(origin_of(config, "limits.retries") == "1 weak:3");
}

TEST_CASE(
    "rules of the stronger layer come first, one of the same name replaces") {
  const core::Config config = layered(
      "[[rules]]\nname = \"a\"\nmodel = \"haiku\"\n"
      "[[rules]]\nname = \"b\"\nmodel = \"haiku\"\n",
      "[[rules]]\nname = \"c\"\nmodel = \"opus\"\n"
      "[[rules]]\nname = \"a\"\nmodel = \"opus\"\n");
  REQUIRE(config.rules.size() == 3);
  CHECK(config.rules[0].name == "c");
  CHECK(config.rules[1].name == "a");
  CHECK(config.rules[1].model == "opus");
  CHECK(config.rules[1].file == "strong");
  CHECK(config.rules[2].name == "b");
}

TEST_CASE("unnamed rules of two layers do not replace one another") {
  const core::Config config =
      layered("[[rules]]\nmodel = \"haiku\"\n", "[[rules]]\nmodel = \"opus\"");
  REQUIRE(config.rules.size() == 2);
  CHECK(config.rules[0].name == "strong:1");
  CHECK(config.rules[1].name == "weak:1");
}

TEST_CASE("a stronger layer can bring a removed model back") {
  const core::Config config = layered("[models.gpt-5]\nenabled = false\n",
                                      "[models.gpt-5]\nenabled = true\n");
  CHECK(config.find_model("gpt-5") != nullptr);
}

}  // namespace
}  // namespace llmroute::config
