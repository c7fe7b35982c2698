#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "base/files.h"
#include "base/url.h"
#include "config/load.h"
#include "config/read.h"
#include "config/read_config.h"
#include "config/write.h"

namespace llmroute::config {
namespace {

TEST_CASE("the compiled-in registry is what registry.toml says") {
  const auto text =
      base::read_file(LLMROUTE_SOURCE_DIR "/models/registry.toml", kMaxFile);
  REQUIRE(text);
  const auto read = read_config({}, *text, {.file = "registry.toml"});
  REQUIRE_MESSAGE(read, (read ? "" : read.error().message));
  const core::Config built = builtin();
  // Every value of every section, as the writer lists them.
  const auto expected = settings(*read);
  const auto actual = settings(built);
  REQUIRE(expected.size() == actual.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    CHECK(actual[i].key == expected[i].key);
    CHECK(actual[i].value == expected[i].value);
  }
  for (size_t i = 0; i < built.models.size(); ++i) {
    CHECK(built.models[i].aliases == read->models[i].aliases);
    CHECK(built.models[i].origin == "built-in");
  }
  CHECK(built.values.empty());
}

TEST_CASE("every built-in model is complete") {
  const core::Config config = builtin();
  CHECK(config.models.size() >= 60);
  for (const core::Model& model : config.models) {
    CAPTURE(model.name);
    const core::Provider* provider = config.find_provider(model.provider);
    REQUIRE(provider != nullptr);
    CHECK(model.price.input);
    CHECK(model.price.output);
    CHECK(model.price_as_of.size() >= 7);
    CHECK(model.context_window.value_or(0) >= 8000);
    CHECK(model.max_output_tokens.value_or(0) >= 1000);
    CHECK(config.find_tier(model.tier));
    CHECK(model.general_ability() != 0);
    CHECK(model.tokens_per_second > 0);
    CHECK(config.find_model(model.provider + "/" + model.id) == &model);
  }
}

TEST_CASE("every built-in provider is reached by https, but the local one") {
  const core::Config config = builtin();
  for (const core::Provider& provider : config.providers) {
    CAPTURE(provider.name);
    const auto url = base::parse_url(provider.base_url);
    REQUIRE(url);
    CHECK(url->text() == provider.base_url);
    CHECK(provider.keyless() == (provider.name == "ollama"));
    CHECK(((url->scheme == "https") != url->is_loopback()));
  }
}

TEST_CASE("haiku, sonnet and opus are tiers and models, weakest first") {
  const core::Config config = builtin();
  const char* names[] = {"haiku", "sonnet", "opus"};
  for (size_t i = 0; i < 3; ++i) {
    CHECK(config.find_tier(names[i]) == i);
    REQUIRE(config.find_model(names[i]) != nullptr);
    CHECK(config.tier_of(*config.find_model(names[i])) == i);
  }
}

TEST_CASE(
    "the default profile and route exist, and profiles are as documented") {
  const core::Config config = builtin();
  CHECK(config.find_route("auto") != nullptr);
  CHECK(config.find_route("auto")->models.empty());
  REQUIRE(config.find_profile("quality") != nullptr);
  CHECK(config.find_profile("quality")->worth.good_answer == 1);
  CHECK(config.find_profile("balanced")->worth.good_answer == 0.05);
  CHECK(config.find_profile("cost")->worth.second == 0.0001);
  CHECK(config.find_profile("fast")->worth.second == 0.01);
}

}  // namespace
}  // namespace llmroute::config
