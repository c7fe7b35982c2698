#include "core/tokens.h"

#include <doctest/doctest.h>

#include <string>

namespace llmroute::core {

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

}  // namespace llmroute::core
