#include "learning/perturb.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

using llmroute::learning::injected_prefix;
using llmroute::learning::kPerturbations;
using llmroute::learning::perturbation_name;
using llmroute::learning::perturbed;
using llmroute::learning::Random;

namespace {

std::string changed(std::string_view prompt, std::string_view name,
                    uint64_t seed = 1) {
  for (size_t i = 0; i < kPerturbations; ++i) {
    Random random(seed);
    if (perturbation_name(i) == name) return perturbed(prompt, i, random);
  }
  return "no such change";
}

}  // namespace

TEST_CASE("each change does what its name says") {
  CHECK(changed("Wo ist die T\xc3\xbcr?", "lower case") ==
        "wo ist die t\xc3\xbcr?");
  CHECK(changed("Stra\xc3\x9f", "upper case") == "STRA\xc3\x9f");
  CHECK(changed("a, b; (c)!", "no punctuation") == "a b c");
  CHECK(changed("x", "polite preamble").ends_with("? x"));
  CHECK(changed("x", "terse suffix") == "x\nBe brief.");
  CHECK(changed("x", "markdown wrap").find("\n\nx\n") != std::string::npos);
  CHECK(changed("x", "injected prefix").ends_with("x"));
  CHECK(changed("a b", "extra blanks").ends_with("b\n\n"));
}

TEST_CASE("numbers change but not their length") {
  const std::string text = changed("12 and 0.5", "changed numbers");
  CHECK(text != "12 and 0.5");
  CHECK(text.size() == 10);
  CHECK(text.substr(2, 5) == " and ");
  CHECK(text[8] == '.');
  CHECK(text[0] != '0');
}

TEST_CASE("typos hit about as many letters as they should, by seed") {
  const std::string prompt(10'000, 'x');
  const std::string few = changed(prompt, "1 % typos");
  CHECK(few == changed(prompt, "1 % typos"));
  CHECK(few != changed(prompt, "1 % typos", 2));
  size_t other = 0;
  for (const char c : few) other += c != 'x';
  CHECK(other > 5);
  CHECK(other < 60);
  CHECK(changed("123 \xc3\xbc", "3 % typos") == "123 \xc3\xbc");
}

TEST_CASE("there are twenty different prefixes, and each is told") {
  std::set<std::string> texts;
  for (size_t i = 0; i < kPerturbations; ++i) {
    CAPTURE(i);
    Random random(1);
    const std::string prefix(injected_prefix(i));
    CHECK((perturbation_name(i) == "injected prefix") == !prefix.empty());
    if (prefix.empty()) continue;
    CHECK(perturbed("p", i, random) == prefix + "p");
    texts.insert(prefix);
  }
  CHECK(texts.size() == 20);
}
