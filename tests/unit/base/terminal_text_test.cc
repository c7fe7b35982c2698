#include "base/terminal_text.h"

#include <doctest/doctest.h>

#include <random>

#include "base/utf8.h"

namespace llmroute::base {

TEST_CASE("control characters are shown, not obeyed") {
  struct Case {
    const char* in;
    const char* out;
  };
  const Case cases[] = {
      {"plain\ttext\n", "plain\ttext\n"},
      {"\x1b[31mred", "^[[31mred"},
      {"bell\a", "bell^G"},
      {"line\r\nnext", "line\nnext"},
      {"over\rwrite", "over^Mwrite"},
      {"end\r", "end^M"},
      {"\x7f", "^?"},
      {"\xC2\x9B"
       "1m",
       "<U+009B>1m"},
      {"\xE2\x80\xAE"
       "abc",
       "<U+202E>abc"},
      {"\xF3\xA0\x81\x81", "<U+E0041>"},
      {"\xEF\xBB\xBF", "<U+FEFF>"},
      {"\xFF", "\xEF\xBF\xBD"},
  };
  for (const Case& c : cases) {
    INFO(c.in);
    CHECK(visible_text(c.in) == c.out);
  }
  CHECK(visible_line("a\nb") == "a b");
}

TEST_CASE("the filter is chunk-independent, idempotent, bounded and clean") {
  std::mt19937 random(7);
  for (int round = 0; round < 10000; ++round) {
    std::string text;
    for (auto i = random() % 40; i > 0; --i) {
      text += static_cast<char>(random() % 256);
    }
    TerminalFilter filter;
    std::string pieces;
    for (size_t at = 0; at < text.size();) {
      const size_t size = 1 + random() % 3;
      pieces += filter.feed(std::string_view(text).substr(at, size));
      at += size;
    }
    pieces += filter.finish();
    INFO("seed 7, round " << round);
    REQUIRE(pieces == visible_text(text));
    REQUIRE(visible_text(pieces) == pieces);
    REQUIRE(pieces.size() <= 4 * text.size());
    for (size_t at = 0; at < pieces.size();) {
      const char32_t c = next_code_point(pieces, at);
      REQUIRE((c == '\t' || c == '\n' || (c >= 0x20 && c != 0x7F)));
      REQUIRE((c < 0x80 || c > 0x9F));
    }
  }
}

}  // namespace llmroute::base
