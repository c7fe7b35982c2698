// The visible-escape filter: clean, idempotent, bounded, whatever the chunks.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/terminal_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string shown = llmroute::base::visible_text(text);
  if (llmroute::base::visible_text(shown) != shown) std::abort();
  if (shown.size() > 4 * text.size()) std::abort();
  llmroute::base::TerminalFilter filter;
  std::string pieces;
  for (const char c : text) pieces += filter.feed({&c, 1});
  pieces += filter.finish();
  if (pieces != shown) std::abort();
  for (const char c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t' && c != '\n') || byte == 0x7F) std::abort();
  }
  return 0;
}
