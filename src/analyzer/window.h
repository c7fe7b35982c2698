// Which bytes of an input are looked at: of the instruction what is left
// without courtesies, and of long ones, as of the context, a bounded head and
// tail, cut at character borders.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace llmroute::analyzer {

inline constexpr size_t kInstructionHead = 12 << 10;
inline constexpr size_t kInstructionTail = 4 << 10;
inline constexpr size_t kContextHead = 6 << 10;
inline constexpr size_t kContextTail = 2 << 10;

struct Window {
  std::array<std::string_view, 4> pieces;  // in order of the text; may be empty
  size_t bytes = 0;                        // their sum
  // What they were chosen from: instruction, less courtesies, and context.
  size_t text_bytes = 0, context_bytes = 0;
};

// `context` comes before `instruction` in the prompt.
Window choose_window(std::string_view instruction, std::string_view context);

// The piece whose first and last words say what is wanted: the instruction's
// head, or the context's where there is no instruction.
size_t edge_piece(const Window& window);

}  // namespace llmroute::analyzer
