// The first fenced code block of a text that comes in pieces.
//
// Source: CommonMark 0.31, section 4.5. Simplified: a fence inside a list or a
// quotation is not looked for.
#pragma once

#include <string>
#include <string_view>

namespace llmroute::base {

// Confined to one thread. The result does not depend on where the pieces are
// cut.
class FenceFilter {
 public:
  // What of the block has come with this piece: whole lines, without the
  // fences and without the opening fence's indentation.
  std::string feed(std::string_view piece);
  // At the end of the text: a last line without its newline. A block that was
  // never closed ends there.
  std::string finish();
  // Whether a block was opened.
  bool found() const { return state_ != State::kBefore; }

 private:
  enum class State { kBefore, kInside, kAfter };
  std::string take(std::string_view line);

  State state_ = State::kBefore;
  std::string line_;  // the one that is not whole yet
  char mark_ = '`';
  size_t length_ = 0, indent_ = 0;
};

}  // namespace llmroute::base
