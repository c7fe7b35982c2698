// The visible-escape filter: outside text on its way to a terminal. It shows
// control characters instead of obeying or hiding them, so that an attack is
// visible.
//
// Kept: TAB, LF, printable text; CR only before LF, where it is dropped. Other
// C0, DEL and ESC in caret form (^[, ^G); C1 controls, bidirectional
// embeddings, overrides and isolates, tag characters, U+2028, U+2029 and U+FEFF
// as <U+XXXX>; invalid bytes as U+FFFD.
#pragma once

#include <string>
#include <string_view>

#include "base/utf8.h"

namespace llmroute::base {

// The result does not depend on how the text is cut into chunks; at most 3
// bytes are held back. One thread.
class TerminalFilter {
 public:
  std::string feed(std::string_view chunk);
  std::string finish();

 private:
  std::string show(std::string_view valid);

  Utf8Repairer repairer_;
  bool pending_cr_ = false;
};

std::string visible_text(std::string_view text);

// The same on one line: LF becomes a blank. For messages.
std::string visible_line(std::string_view text);

}  // namespace llmroute::base
