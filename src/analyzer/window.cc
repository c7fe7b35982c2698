#include "analyzer/window.h"

#include <cstdint>

#include "analyzer/courtesy.h"

namespace llmroute::analyzer {
namespace {

bool inside_character(char c) {
  return (static_cast<uint8_t>(c) & 0xc0) == 0x80;
}

// At most three bytes are given up to end or begin on a whole character.
std::string_view head_of(std::string_view text, size_t limit) {
  size_t end = limit;
  while (end > limit - 3 && inside_character(text[end])) --end;
  return text.substr(0, end);
}

std::string_view tail_of(std::string_view text, size_t limit) {
  size_t begin = text.size() - limit;
  while (begin < text.size() - limit + 3 && inside_character(text[begin])) {
    ++begin;
  }
  return text.substr(begin);
}

void choose(std::string_view text, size_t head, size_t tail,
            std::string_view* pieces) {
  if (text.size() <= head + tail) {
    pieces[0] = text;
    return;
  }
  pieces[0] = head_of(text, head);
  pieces[1] = tail_of(text, tail);
}

}  // namespace

Window choose_window(std::string_view instruction, std::string_view context) {
  instruction = without_courtesy(instruction);
  Window window;
  choose(context, kContextHead, kContextTail, window.pieces.data());
  choose(instruction, kInstructionHead, kInstructionTail,
         window.pieces.data() + 2);
  for (const std::string_view piece : window.pieces)
    window.bytes += piece.size();
  window.text_bytes = instruction.size() + context.size();
  window.context_bytes = context.size();
  return window;
}

size_t edge_piece(const Window& window) {
  return window.pieces[2].empty() ? 0 : 2;
}

}  // namespace llmroute::analyzer
