#include "analyzer/dense.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <set>
#include <string>

#include "analyzer/features.h"

using llmroute::analyzer::dense_name;
using llmroute::analyzer::DenseFeatures;
using llmroute::analyzer::extract;
using llmroute::analyzer::kDenseCount;
using llmroute::analyzer::TrainingFeatures;

namespace {

DenseFeatures dense_of(std::string_view text) {
  TrainingFeatures features;
  extract(text, {}, features);
  return features.dense;
}

double value(const DenseFeatures& dense, std::string_view name) {
  for (size_t i = 0; i < kDenseCount; ++i) {
    if (dense_name(i) == name) return static_cast<double>(dense[i]);
  }
  FAIL("no feature " << name);
  return 0;
}

}  // namespace

TEST_CASE("names are unique, and places without a name hold zero") {
  std::set<std::string_view> names;
  const DenseFeatures dense =
      dense_of("What? {x: 1}\n- caf\xc3\xa9 \xe2\x82\xac");
  for (size_t i = 0; i < kDenseCount; ++i) {
    if (dense_name(i).empty()) {
      CHECK(dense[i] == 0);
    } else {
      CHECK(names.insert(dense_name(i)).second);
    }
  }
  CHECK(names.size() >= 60);
}

TEST_CASE("features count what their names say") {
  const DenseFeatures dense =
      dense_of("What is $x^2$ when x = 12345?\nif (a) { b; }");
  CHECK(value(dense, "dollar signs") == doctest::Approx(std::log1p(2)));
  CHECK(value(dense, "carets") == doctest::Approx(std::log1p(1)));
  CHECK(value(dense, "question marks") == doctest::Approx(std::log1p(1)));
  CHECK(value(dense, "braces") == doctest::Approx(std::log1p(1)));
  CHECK(value(dense, "lines") == doctest::Approx(std::log1p(2)));
  CHECK(value(dense, "question words") == doctest::Approx(std::log1p(2)));
  CHECK(value(dense, "long numbers") == doctest::Approx(std::log1p(1)));
}

TEST_CASE("lengths are those of words, however they are laid out") {
  const double length = std::log1p(4 + 3 + 1 + 3);
  for (const char* text :
       {"even odd x", "even   odd\n\n\nx\n", "even, odd! x."}) {
    CAPTURE(text);
    CHECK(value(dense_of(text), "length") == doctest::Approx(length));
    CHECK(value(dense_of(text), "words") == doctest::Approx(std::log1p(4)));
  }
  CHECK(value(dense_of("a\n\n\nb"), "lines") == doctest::Approx(std::log1p(2)));
  CHECK(value(dense_of("a) x\nb) y"), "option lines") ==
        value(dense_of("A) x\nB) y"), "option lines"));
}

TEST_CASE("any bytes give finite, bounded features") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string text(random() % 3000, '\0');
    for (char& c : text) c = static_cast<char>(random());
    for (const float x : dense_of(text)) {
      REQUIRE(std::isfinite(x));
      REQUIRE(x >= -1);
      REQUIRE(x <= 60);
    }
  }
}
