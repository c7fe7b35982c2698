#include "config/write.h"

#include <doctest/doctest.h>

#include <string>

#include "base/files.h"
#include "config/load.h"
#include "config/read.h"
#include "config/read_config.h"

namespace llmroute::config {
namespace {

core::Config read_over(core::Config base, const std::string& text) {
  auto config = read_config(std::move(base), text,
                            {.file = "f", .directory = "", .secret = true});
  REQUIRE_MESSAGE(config, (config ? "" : config.error().message));
  return *config;
}

const core::ConfigValue* find(const std::vector<core::ConfigValue>& values,
                              const std::string& key) {
  for (const core::ConfigValue& value : values) {
    if (value.key == key) return &value;
  }
  return nullptr;
}

TEST_CASE("what is written reads back to the same configuration") {
  const auto full = base::read_file(
      LLMROUTE_SOURCE_DIR "/tests/fuzz/corpus/config/full.toml", kMaxFile);
  REQUIRE(full);
  const std::string cases[] = {
      "",
      *full,
      "[providers.mistral]\nstream_usage = true\n",
      "[providers.openai]\nkey_env = []\ntags = []\n",
      "[models.gpt-5]\nprice_tiers = []\nprice = { input = 0 }\n",
      "[models.\"gpt-5.4\"]\nability = 0\n",
      "[models.\"gpt-5.4\"]\nability = { chat = -0.0 }\n",
      "[models.gpt-4o]\nenabled = false\n",
      "[models.x]\nprovider = \"ollama\"\nability = { code = 0.1 }\n",
      "[[tiers]]\nname = \"a\"\n[[tiers]]\nname = \"b\"\n",
      "[limits]\ntimeout = 0.0015\nretries = 100\nmax_cost = 1e-12\n",
      "[[rules]]\npattern = \"\\\"\\\\s\\t\\u0001é\"\nmodel = \"haiku\"\n",
      "[providers.ollama]\nbase_url = \"https://other.example\"\n",
  };
  for (const std::string& text : cases) {
    CAPTURE(text);
    const core::Config config = read_over(builtin(), text);
    const std::string document = toml_document(config, false);
    CHECK(toml_document(read_over(builtin(), document), false) == document);
    const std::string commented = toml_document(config, true);
    CHECK(toml_document(read_over(builtin(), commented), false) == document);
  }
}

TEST_CASE("the built-in layer reads back from nothing") {
  const std::string document = toml_document(builtin(), false);
  CHECK(toml_document(read_over({}, document), false) == document);
}

TEST_CASE("with origins every line says where it comes from") {
  const core::Config config = read_over(
      builtin(), "profile = \"cost\"\n[models.gpt-5]\nverbosity = 2\n");
  const std::string text = toml_document(config, true);
  CHECK(text.find("profile = \"cost\"  # f:1\n") != std::string::npos);
  CHECK(text.find("verbosity = 2  # f:3\n") != std::string::npos);
  CHECK(text.find("route = \"auto\"  # default\n") != std::string::npos);
  CHECK(text.find("provider = \"openai\"  # built-in\n") != std::string::npos);
}

TEST_CASE("settings list every key, set or not") {
  const core::Config config =
      read_over(builtin(),
                "[models.\"a.b\"]\nprovider = \"ollama\"\nprice.input = 2.5\n");
  const auto values = settings(config);
  const auto* price = find(values, "models.\"a.b\".price.input");
  REQUIRE(price != nullptr);
  CHECK(price->value == "2.5");
  CHECK(price->origin == "f:3");
  const auto* unset = find(values, "models.\"a.b\".price.output");
  REQUIRE(unset != nullptr);
  CHECK(unset->value == "");
  const auto* limit = find(values, "limits.max_cost");
  REQUIRE(limit != nullptr);
  CHECK(limit->value == "");
}

TEST_CASE("header values that may be keys are hidden") {
  const core::Config config = read_over(
      builtin(),
      "[providers.openai]\nheaders = { X-Team = \"a\", x-api-key = \"s3cret\" "
      "}\n");
  const std::string text = toml_document(config, true);
  CHECK(text.find("s3cret") == std::string::npos);
  CHECK(text.find("# headers.x-api-key") != std::string::npos);
  CHECK(text.find("headers.X-Team = \"a\"") != std::string::npos);
}

TEST_CASE("plain text is a string without its quotes, anything else as it is") {
  CHECK(plain_text("\"a\\\"b\\\\\"") == "a\"b\\");
  CHECK(plain_text("1.5") == "1.5");
  CHECK(plain_text("[\"a\", \"b\"]") == "[\"a\", \"b\"]");
  CHECK(plain_text("true") == "true");
}

}  // namespace
}  // namespace llmroute::config
