#include "analyzer/window.h"

#include <doctest/doctest.h>

#include <string>

#include "base/utf8.h"

using llmroute::analyzer::choose_window;
using llmroute::analyzer::edge_piece;
using llmroute::analyzer::kContextHead;
using llmroute::analyzer::kContextTail;
using llmroute::analyzer::kInstructionHead;
using llmroute::analyzer::kInstructionTail;
using llmroute::analyzer::Window;

TEST_CASE("short texts are looked at in full, context first") {
  const Window window = choose_window("do this", "with that");
  CHECK(window.pieces[0] == "with that");
  CHECK(window.pieces[2] == "do this");
  CHECK(window.bytes == 16);
  CHECK(edge_piece(window) == 2);
  CHECK(edge_piece(choose_window("", "only context")) == 0);
  CHECK(choose_window("", "").bytes == 0);
}

TEST_CASE("of long texts a bounded head and tail are looked at") {
  const std::string context = "HEAD" + std::string(1'000'000, 'c') + "TAIL";
  const std::string instruction = "FIRST" + std::string(100'000, 'i') + "LAST";
  const Window window = choose_window(instruction, context);
  CHECK(window.pieces[0].size() == kContextHead);
  CHECK(window.pieces[0].starts_with("HEAD"));
  CHECK(window.pieces[1].size() == kContextTail);
  CHECK(window.pieces[1].ends_with("TAIL"));
  CHECK(window.pieces[2].size() == kInstructionHead);
  CHECK(window.pieces[2].starts_with("FIRST"));
  CHECK(window.pieces[3].size() == kInstructionTail);
  CHECK(window.pieces[3].ends_with("LAST"));
}

TEST_CASE("cuts fall between characters") {
  const std::string unit = "\xe6\x97\xa5";
  for (size_t shift = 0; shift < 3; ++shift) {
    CAPTURE(shift);
    std::string text(shift, 'x');
    while (text.size() < 3 * kInstructionHead) text += unit;
    const Window window = choose_window(text, {});
    CHECK(!llmroute::base::find_invalid_utf8(window.pieces[2]));
    CHECK(!llmroute::base::find_invalid_utf8(window.pieces[3]));
    CHECK(window.pieces[2].size() > kInstructionHead - 3);
    CHECK(window.pieces[3].size() > kInstructionTail - 3);
  }
}

TEST_CASE("bytes that are no UTF-8 at all are cut all the same") {
  const std::string text(3 * kInstructionHead, '\x80');
  CHECK(choose_window(text, {}).pieces[2].size() >= kInstructionHead - 3);
}
