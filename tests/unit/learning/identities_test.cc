#include "learning/identities.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "learning/random.h"

using llmroute::learning::identities_of;
using llmroute::learning::PromptKeys;
using llmroute::learning::Random;

namespace {

// Spreads the least number that two rows share until nothing changes; 0 is
// none.
std::vector<uint64_t> slow_identities(const std::vector<PromptKeys>& rows) {
  const auto joined = [](const PromptKeys& a, const PromptKeys& b) {
    return a.wording == b.wording || a.wording == b.paraphrase ||
           b.wording == a.paraphrase ||
           (a.paraphrase != 0 && a.paraphrase == b.paraphrase);
  };
  std::vector<uint64_t> least;
  for (const PromptKeys& row : rows) least.push_back(row.paraphrase);
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t a = 0; a < rows.size(); ++a) {
      for (size_t b = 0; b < rows.size(); ++b) {
        if (!joined(rows[a], rows[b]) || least[b] == 0) continue;
        if (least[a] != 0 && least[a] <= least[b]) continue;
        least[a] = least[b];
        changed = true;
      }
    }
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (least[i] == 0) least[i] = rows[i].wording;
  }
  return least;
}

}  // namespace

TEST_CASE("a row without a key has its wording, one with it the key") {
  const std::vector<PromptKeys> rows = {{7, 0}, {8, 3}, {9, 3}, {7, 0}};
  CHECK(identities_of(rows) == std::vector<uint64_t>{7, 3, 3, 7});
}

TEST_CASE("a copy without the key is of the prompt all the same") {
  const std::vector<PromptKeys> rows = {{8, 0}, {8, 30}, {9, 30}};
  CHECK(identities_of(rows) == std::vector<uint64_t>{30, 30, 30});
}

TEST_CASE("an original whose wording is the key of others is one of them") {
  const std::vector<PromptKeys> rows = {{5, 0}, {8, 5}, {9, 5}};
  CHECK(identities_of(rows) == std::vector<uint64_t>{5, 5, 5});
}

TEST_CASE("a row joins what its wording and its key have") {
  const std::vector<PromptKeys> rows = {{1, 30}, {1, 20}, {2, 20}, {3, 30}};
  CHECK(identities_of(rows) == std::vector<uint64_t>{20, 20, 20, 20});
}

TEST_CASE("identities are those of a slow search, in whatever order") {
  constexpr uint64_t kSeed = 11;
  CAPTURE(kSeed);
  Random random(kSeed);
  for (int round = 0; round < 300; ++round) {
    std::vector<PromptKeys> rows(1 + random.below(25));
    for (PromptKeys& row : rows) {
      row.wording = 1 + random.below(20);
      if (random.below(2) == 0) row.paraphrase = 1 + random.below(20);
    }
    const std::vector<uint64_t> expected = slow_identities(rows);
    CHECK(identities_of(rows) == expected);
    std::vector<PromptKeys> turned(rows.rbegin(), rows.rend());
    std::vector<uint64_t> back = identities_of(turned);
    std::reverse(back.begin(), back.end());
    CHECK(back == expected);
  }
}
