#include "routing/pattern_set.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../core/random_patterns.h"
#include "core/text_pattern.h"
#include "fixture.h"
#include "routing/literal_index.h"
#include "routing/rules.h"

namespace llmroute::routing {
namespace {

constexpr unsigned kSeed = 17;

// Well-formed ones, and each compiled by itself.
struct Patterns {
  std::vector<std::string> texts;
  std::vector<core::TextPattern> compiled;
};

Patterns random_patterns(std::mt19937& random, size_t count) {
  Patterns patterns;
  while (patterns.texts.size() < count) {
    std::string text = core::random_pattern(random);
    auto compiled = core::TextPattern::compile(text);
    if (text.empty() || !compiled) continue;
    patterns.texts.push_back(std::move(text));
    patterns.compiled.push_back(std::move(*compiled));
  }
  return patterns;
}

std::vector<bool> found_alone(const Patterns& patterns,
                              const std::string& text) {
  std::vector<bool> found;
  for (const core::TextPattern& pattern : patterns.compiled) {
    found.push_back(pattern.matches_part_of(text));
  }
  return found;
}

PatternSet set_of(const std::vector<std::string>& texts,
                  int64_t memory = 1 << 26) {
  PatternSet set(memory);
  for (const std::string& text : texts) REQUIRE(set.add(text));
  set.compile();
  REQUIRE(set.size() == texts.size());
  return set;
}

TEST_CASE("many patterns whose word is there find what each finds by itself") {
  for (const int64_t memory : {int64_t{1} << 26, int64_t{1} << 12}) {
    Patterns patterns;
    for (int i = 0; i < 200; ++i) {
      patterns.texts.push_back("(?i)please .*[0-9]k" + std::to_string(i) + "$");
      patterns.compiled.push_back(
          core::TextPattern::compile(patterns.texts.back()).value());
    }
    patterns.texts.emplace_back("^$|nothing");
    patterns.compiled.push_back(
        core::TextPattern::compile(patterns.texts.back()).value());
    const PatternSet set = set_of(patterns.texts, memory);
    for (const std::string text :
         {"Please do 3k7", "please do it", "k7", "", "PLEASE 1k19 nothing"}) {
      CAPTURE(text);
      CHECK(set.found_in(text) == found_alone(patterns, text));
    }
  }
}

TEST_CASE("a set finds what each pattern finds by itself") {
  CAPTURE(kSeed);
  std::mt19937 random(kSeed);
  size_t found = 0, missed = 0;
  for (int turn = 0; turn < 60; ++turn) {
    const Patterns patterns = random_patterns(random, 1 + random() % 80);
    const PatternSet set = set_of(patterns.texts);
    for (int i = 0; i < 20; ++i) {
      const std::string text = core::random_text(random);
      CAPTURE(text);
      const std::vector<bool> all = set.found_in(text);
      REQUIRE(all == found_alone(patterns, text));
      for (const bool one : all) ++(one ? found : missed);
    }
  }
  CHECK(found > 1'000);
  CHECK(missed > 1'000);
}

TEST_CASE("a set is shared by threads") {
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) texts.push_back("word" + std::to_string(i % 9));
  const PatternSet set = set_of(texts);
  std::vector<std::thread> threads;
  std::vector<std::vector<bool>> found(4);
  for (std::vector<bool>& mine : found) {
    threads.emplace_back([&] { mine = set.found_in("word1 and word7"); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<bool>& mine : found) {
    for (size_t i = 0; i < mine.size(); ++i) {
      CHECK(mine[i] == (i % 9 == 1 || i % 9 == 7));
    }
  }
}

TEST_CASE("a set for which memory is short finds the same") {
  CAPTURE(kSeed);
  std::mt19937 random(kSeed);
  const Patterns patterns = random_patterns(random, 60);
  for (int64_t memory = 1 << 8; memory <= 1 << 21; memory *= 2) {
    CAPTURE(memory);
    const PatternSet set = set_of(patterns.texts, memory);
    for (int i = 0; i < 30; ++i) {
      const std::string text = core::random_text(random);
      CAPTURE(text);
      REQUIRE(set.found_in(text) == found_alone(patterns, text));
    }
  }
}

TEST_CASE("an index finds the owners of all literals that a text holds") {
  CAPTURE(kSeed);
  std::mt19937 random(kSeed);
  const auto random_letters = [&random](size_t least, size_t more) {
    std::string text(least + random() % more, ' ');
    for (char& c : text) c = static_cast<char>('a' + random() % 3);
    return text;
  };
  for (int turn = 0; turn < 300; ++turn) {
    std::vector<LiteralIndex::Literal> literals(random() % 40);
    for (auto& literal : literals) {
      literal = {random_letters(3, 6), random() % 20};
    }
    const LiteralIndex index(literals);
    const std::string text = random_letters(0, 60);
    CAPTURE(text);
    std::vector<bool> owners(20), expected(20);
    index.find_owners(text, owners);
    for (const auto& literal : literals) {
      if (text.find(literal.text) != std::string::npos) {
        expected[literal.owner] = true;
      }
    }
    REQUIRE(owners == expected);
  }
}

core::Rule random_rule(std::mt19937& random, const Patterns& patterns) {
  core::Rule rule;
  if (random() % 4 > 0) rule.pattern = patterns.texts[random() % 40];
  if (random() % 4 == 0) rule.tags = {"team=search"};
  if (random() % 8 == 0) rule.tags.emplace_back("night");
  if (random() % 4 == 0) rule.min_tokens = random() % 200;
  if (random() % 8 == 0) rule.languages = {"en"};
  rule.worth = 1;
  return rule;
}

// The slow, obvious way.
bool rule_holds(const core::Rule& rule, const Facts& facts,
                const Patterns& patterns) {
  for (size_t p = 0; p < patterns.texts.size(); ++p) {
    if (rule.pattern == patterns.texts[p] &&
        !patterns.compiled[p].matches_part_of(facts.prompt.messages[0].text)) {
      return false;
    }
  }
  for (const std::string& tag : rule.tags) {
    if (!facts.tags.contains(tag.substr(0, tag.find('=')))) return false;
  }
  if (!rule.languages.empty() && facts.analysis.language != "en") return false;
  return facts.input_tokens >= rule.min_tokens.value_or(0);
}

TEST_CASE("the first rule that holds acts, and the others are told truly") {
  CAPTURE(kSeed);
  std::mt19937 random(kSeed);
  size_t acted = 0;
  for (int turn = 0; turn < 300; ++turn) {
    const Patterns patterns = random_patterns(random, 40);
    std::vector<core::Rule> rules(random() % 30);
    for (core::Rule& rule : rules) rule = random_rule(random, patterns);
    const auto set = RuleSet::compile(rules);
    REQUIRE(set);
    const core::Prompt prompt = make_prompt(core::random_text(random));
    core::Analysis analysis = make_analysis(0);
    if (random() % 2 == 0) analysis.language = "en";
    std::map<std::string, std::string> tags;
    if (random() % 2 == 0) tags["team"] = "search";
    const Facts facts{prompt, analysis, static_cast<int64_t>(random() % 200),
                      tags};
    std::vector<core::RuleTrace> traces;
    const RuleMatch match = set->match(facts, traces);
    CAPTURE(prompt.messages[0].text);
    const core::Rule* first = nullptr;
    for (size_t i = 0; i < rules.size(); ++i) {
      CAPTURE(rules[i].pattern);
      const bool holds = rule_holds(rules[i], facts, patterns);
      if (holds && first == nullptr) first = &rules[i];
      CHECK(traces[i].why.starts_with("matched") == holds);
      CHECK(traces[i].matched == (first == &rules[i]));
    }
    CHECK(match.rule == first);
    acted += first != nullptr;
  }
  CHECK(acted > 50);
}

}  // namespace
}  // namespace llmroute::routing
