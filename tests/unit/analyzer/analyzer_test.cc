#include "analyzer/analyzer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "analyzer/features.h"
#include "analyzer/heads.h"
#include "analyzer/model_file.h"
#include "model_maker.h"

using llmroute::analyzer::Analyzer;
using llmroute::analyzer::choose_window;
using llmroute::analyzer::Evidence;
using llmroute::analyzer::gather;
using llmroute::analyzer::kHeadCount;
using llmroute::analyzer::Surface;
using llmroute::analyzer::Window;
using llmroute::core::Analysis;
using llmroute::core::domain_index;
using llmroute::core::kDomainNames;
using llmroute::core::largest;

namespace {

const Analyzer& builtin() {
  static const Analyzer analyzer = Analyzer::embedded();
  return analyzer;
}

Analysis analyze(std::string_view text) {
  return builtin().analyze({text, {}});
}

std::string random_text(std::mt19937_64& random) {
  constexpr const char* kPieces[] = {"the ",
                                     "Prove ",
                                     "x=1;\n",
                                     "42 ",
                                     "\xe6\x97\xa5",
                                     "caf\xc3\xa9 ",
                                     "\xff",
                                     "don't ",
                                     "{}",
                                     "  \n- ",
                                     "\xd0\x9f\xd1\x80 ",
                                     "longer-word",
                                     "\t",
                                     "$\\frac{1}{2}$ "};
  std::string text;
  const size_t count = random() % 400;
  for (size_t i = 0; i < count; ++i) {
    text += kPieces[random() % std::size(kPieces)];
  }
  return text;
}

}  // namespace

TEST_CASE("fast sums equal those of the listed n-grams, one by one") {
  model_maker::Made made;
  model_maker::fill(made, 9, 12);
  std::mt19937_64 random(11);
  for (int round = 0; round < 200; ++round) {
    const std::string text = random_text(random);
    CAPTURE(text);
    const Window window = choose_window(text, {});
    Surface surface;
    const Evidence evidence = gather(made.model, window, surface);
    llmroute::analyzer::TrainingFeatures features;
    llmroute::analyzer::extract(text, {}, features);
    const auto sum_of = [&](const std::vector<uint16_t>& ids, size_t h) {
      int32_t sum = 0;
      for (const uint16_t id : ids) {
        const uint32_t entry = llmroute::analyzer::gram_entry(id, 9);
        const int weight = made.rows[entry >> 1].weight[h];
        sum += (entry & 1) != 0 ? -weight : weight;
      }
      return sum;
    };
    REQUIRE(evidence.grams == features.grams.size());
    REQUIRE(evidence.edges == features.edges.size());
    REQUIRE(features.words.size() == features.grams.size());
    for (size_t h = 0; h < kHeadCount; ++h) {
      REQUIRE(evidence.sums[h] == sum_of(features.grams, h));
      REQUIRE(evidence.edge_sums[h] == sum_of(features.edges, h));
    }
  }
}

TEST_CASE("contributions add up to the difficulty and to the domain's score") {
  const char* texts[] = {
      "What is the capital of France?",
      "Refactor this:\n\nint f(int x) { return x + x; }\n",
      "\xe8\xaf\x81\xe6\x98\x8e x^2 = 2 \xe6\x97\xa0\xe8\xa7\xa3",
      "a a a a b b"};
  const auto file = llmroute::analyzer::parse_model(
      llmroute::analyzer::embedded_model(), llmroute::analyzer::Check::kWhole);
  REQUIRE(file);
  const auto& model = file->model;
  for (const char* text : texts) {
    CAPTURE(text);
    const Analysis analysis = analyze(text);
    const size_t top = largest(analysis.domain);
    double difficulty = 0, domain = 0;
    for (const auto& c : builtin().explain({text, {}}, 100'000)) {
      if (c.text[0] != '[') {  // weights of counted things are per unit
        CHECK(c.contribution ==
              doctest::Approx(c.weight * static_cast<double>(c.count)));
      }
      (c.head == "difficulty" ? difficulty : domain) += c.contribution;
    }
    // Added without a feature: biases and the domains' base difficulty.
    double constant = static_cast<double>(model.bias[9]);
    for (size_t d = 0; d < analysis.domain.size(); ++d) {
      const size_t family = 10 + llmroute::analyzer::kFamilyOf[d];
      constant += analysis.domain[d] *
                  static_cast<double>(model.base[d] + model.bias[family]);
    }
    CHECK(difficulty + constant ==
          doctest::Approx(analysis.difficulty).epsilon(1e-3).scale(1));
    const Window window = choose_window(text, {});
    Surface surface;
    const auto scores =
        llmroute::analyzer::head_scores(model, gather(model, window, surface));
    CHECK(domain + static_cast<double>(model.bias[top]) ==
          doctest::Approx(scores.grams[top] + scores.dense[top])
              .epsilon(1e-3)
              .scale(1));
  }
}

TEST_CASE("explanations name what is in the prompt, largest first") {
  const auto all = builtin().explain({"Translate bread to French", {}}, 6);
  REQUIRE(all.size() == 12);
  for (size_t i = 0; i < all.size(); ++i) {
    CAPTURE(all[i].text);
    CHECK(all[i].count >= 1);
    if (i % 6 != 0) {
      CHECK(std::fabs(all[i].contribution) <=
            std::fabs(all[i - 1].contribution));
    }
  }
  CHECK(all[0].head == "difficulty");
  CHECK(all[6].head == "text");
  CHECK(builtin().explain({"x", {}}, 0).empty());
}

TEST_CASE("an analysis is finite and in range whatever the bytes") {
  std::mt19937_64 random(5);
  for (int round = 0; round < 500; ++round) {
    std::string text = random_text(random);
    if (round % 5 == 0) {
      for (char& c : text) c = static_cast<char>(random());
    }
    const Analysis a = analyze(text);
    double sum = 0;
    for (const double p : a.domain) {
      REQUIRE(p >= 0);
      sum += p;
    }
    REQUIRE(sum == doctest::Approx(1));
    REQUIRE(std::fabs(a.difficulty) <= 8);
    REQUIRE(a.slope > 0);
    for (const double share : {a.confidence, a.coverage, a.urgency}) {
      REQUIRE(share >= 0);
      REQUIRE(share <= 1);
    }
    REQUIRE(a.output_tokens >= 1);
    REQUIRE(a.output_tokens <= 100'000);
    REQUIRE(a.bytes == static_cast<int64_t>(text.size()));
    REQUIRE(a.bytes_read <= a.bytes);
  }
}

TEST_CASE("the empty prompt is unsure and has no language") {
  const Analysis a = builtin().analyze({});
  CHECK(a.language == "");
  CHECK(a.coverage == 0);
  CHECK(a.confidence == 0);
  CHECK(a.bytes == 0);
}

TEST_CASE("the language is told by its script") {
  struct Case {
    const char* text;
    const char* language;
  };
  const Case cases[] = {
      {"1 + 1 = ?", ""},
      {"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", "cyrillic"},
      {"\xce\x93\xce\xb5\xce\xb9\xce\xac", "el"},
      {"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "he"},
      {"\xd9\x85\xd8\xb1\xd8\xad\xd8\xa8\xd8\xa7", "arabic"},
      {"\xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\x82\xe0\xa4\xa6\xe0\xa5\x80", "indic"},
      {"\xe0\xb9\x84\xe0\xb8\x97\xe0\xb8\xa2", "indic"},
      {"Bonjour", "latin"},
      {"\xe4\xbd\xa0\xe5\xa5\xbd", "zh"},
      {"\xe3\x81\x93\xe3\x82\x93\xe3\x81\xab\xe3\x81\xa1\xe3\x81\xaf", "ja"},
      {"\xec\x95\x88\xeb\x85\x95", "ko"},
      {"python \xe3\x81\xae\xe3\x83\xaa\xe3\x82\xb9\xe3\x83\x88\xe3\x82\x92"
       "\xe4\xb8\xa6\xe3\x81\xb9\xe3\x82\x8b",
       "ja"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const std::string language = analyze(c.text).language;
    CHECK(language == c.language);
    CHECK((language.empty() ||
           std::ranges::count(llmroute::core::kScripts, language) == 1));
  }
}

TEST_CASE("the shipped model tells easy from hard and one task from another") {
  struct Case {
    const char* text;
    const char* domain;
    double low, high;  // of the difficulty
  };
  const Case cases[] = {
      {"hi there, how's it going", "chat", -8, -2.5},
      {"what is the capital of Denmark", "knowledge", -8, -2.5},
      {"Translate this sentence to Italian: the shop is closed on Mondays",
       "text", -8, -2},
      {"write a function in python that returns the largest item of a list",
       "code", -8, -2},
      {"Prove that the product of two compact spaces is compact, and show that "
       "the converse holds for non-empty factors. Justify every step.",
       "math", 0.2, 8},
      {"Our queue loses messages under load. Find the race condition between "
       "the two consumer threads below and rewrite the locking so that no "
       "deadlock is possible.",
       "code", -0.5, 8},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const Analysis a = analyze(c.text);
    CHECK(kDomainNames[largest(a.domain)] == c.domain);
    CHECK(a.difficulty > c.low);
    CHECK(a.difficulty < c.high);
  }
}

TEST_CASE("a long context is read in part") {
  std::string context;
  while (context.size() < 3'000'000) {
    context += "2024-03-02 10:14:07 ERROR payments: timeout after 30 s\n";
  }
  const Analysis a = builtin().analyze({"Summarise this log", context});
  CHECK(a.bytes == static_cast<int64_t>(context.size()) + 18);
  CHECK(a.bytes_read < 20'000);
}

TEST_CASE("threads share an analyzer and agree") {
  const std::string text = "Explain the difference between TCP and UDP.";
  const Analysis expected = analyze(text);
  std::vector<int> equal(4);
  {
    std::vector<std::jthread> threads;
    for (int& same : equal) {
      threads.emplace_back([&same, &text, &expected] {
        same = 1;
        for (int i = 0; i < 200; ++i) {
          const Analysis a = analyze(text);
          same &= a.difficulty == expected.difficulty &&
                  a.domain == expected.domain;
        }
      });
    }
  }
  CHECK(std::accumulate(equal.begin(), equal.end(), 0) == 4);
}
