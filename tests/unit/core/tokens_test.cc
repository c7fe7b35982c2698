#include "core/tokens.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json_scalar.h"
#include "base/text.h"
#include "core/nfkc.h"

namespace llmroute::core {
namespace {

struct Counted {
  std::string name, text;
  int64_t tokens = 0;  // the most that any tokenizer makes
};

// token_corpus.tsv: name, counts, text as a JSON string.
std::vector<Counted> corpus() {
  const auto file = base::read_file(
      LLMROUTE_SOURCE_DIR "/tests/unit/core/token_corpus.tsv", size_t{1} << 20);
  REQUIRE(file.has_value());
  std::vector<Counted> all;
  for (const std::string& line : base::split(*file, '\n')) {
    const std::vector<std::string> cells = base::split(line, '\t');
    if (line.starts_with('#') || cells.size() < 3) continue;
    Counted& row = all.emplace_back();
    row.name = cells.front();
    const std::string& quoted = cells.back();
    REQUIRE(base::append_unescaped(row.text, std::string_view(quoted).substr(
                                                 1, quoted.size() - 2)) ==
            base::Unescaped::kText);
    for (size_t i = 1; i + 1 < cells.size(); ++i) {
      row.tokens = std::max(row.tokens, base::parse_int(cells[i]).value());
    }
  }
  return all;
}

Prompt prompt_of(const std::string& text) {
  Prompt prompt;
  prompt.messages.push_back({Role::kUser, text});
  return prompt;
}

// The same for ASCII, run by run.
int64_t counted_slowly(std::string_view text) {
  const auto kind = [](char c) {
    if (c == '\n' || c == '\r') return 0;
    if (c == ' ' || c == '\t') return 1;
    if (c >= '0' && c <= '9') return 2;
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? 3 : 4;
  };
  int64_t tokens = 0;
  for (size_t at = 0, end = 0; at < text.size(); at = end) {
    while (end < text.size() && kind(text[end]) == kind(text[at])) ++end;
    const auto n = static_cast<int64_t>(end - at);
    const int64_t of_kind[] = {1, n > 1, (n + 2) / 3, 1 + (n - 1) / 7,
                               (10 * n + 16) / 17};
    tokens += of_kind[kind(text[at])];
  }
  return tokens;
}

}  // namespace

TEST_CASE("runs of every length, across blocks, count as they do one by one") {
  std::minstd_rand random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    while (random() % 12 != 0) {
      const char c = "a7 \n-Z0\t\r.{"[random() % 11];
      text.append(random() % (random() % 9 == 0 ? 200 : 9), c);
    }
    CAPTURE(text);
    CHECK(estimate_tokens(text) == counted_slowly(text));
  }
}

// Counted with the published o200k vocabulary's rules of thumb: prose about
// 4.5 bytes a token, code about 3.5, Chinese about 0.7 to 1 a character.
TEST_CASE("estimates are of the right size") {
  const std::string prose =
      "The quick brown fox jumps over the lazy dog and runs into the forest.";
  CHECK(estimate_tokens(prose) >= 13);
  CHECK(estimate_tokens(prose) <= 20);
  CHECK(estimate_tokens("") == 0);
  CHECK(estimate_tokens("\xE4\xBD\xA0\xE5\xA5\xBD\xE4\xB8\x96\xE7\x95\x8C") ==
        4);
  CHECK(estimate_tokens("1234567890") == 4);
}

TEST_CASE("X4: the bound is never below one token a byte") {
  Prompt prompt;
  prompt.system = "Be brief.";
  prompt.messages.push_back({Role::kUser, std::string(1000, '\xF0')});
  CHECK(input_token_bound(prompt) == 1000 + 9 + 16 + 16 + 64);
  CHECK(input_token_bound(prompt) >= estimate_input_tokens(prompt));
}

TEST_CASE("X4: no tokenizer makes more tokens of a text than the bound says") {
  const std::vector<Counted> texts = corpus();
  REQUIRE(texts.size() > 80);
  for (const Counted& row : texts) {
    INFO(row.name);
    CHECK(input_token_bound(prompt_of(row.text)) >= row.tokens);
    // Nor of a long one, where what is added to each message does not matter;
    // SentencePiece begins a text with a blank.
    const auto bytes = static_cast<int64_t>(row.text.size());
    CHECK(bytes + nfkc_growth(row.text) + 1 >= row.tokens);
  }
}

TEST_CASE("X4: what a tokenizer may make longer counts as what it becomes") {
  CHECK(nfkc_growth("plain ASCII, however long it is") == 0);
  CHECK(nfkc_growth("") == 0);
  CHECK(nfkc_growth("\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x98\x80") == 0);
  CHECK(nfkc_growth("a quarter: \xC2\xBC") == 3);  // U+00BC: 1, U+2044, 4
  CHECK(nfkc_growth("\xEF\xB7\xBA") == 30);        // U+FDFA: 18 letters
  CHECK(nfkc_growth("x\xEF\xB7\xBAy\xEF\xB7\xBA") == 60);
  CHECK(nfkc_growth("\xEF\xB7") == 0);  // cut off
}

}  // namespace llmroute::core
