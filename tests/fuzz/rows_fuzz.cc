// Rows of training and outcome files: every line is a row or is refused with a
// reason, and what a row says stays within its bounds.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/domain.h"
#include "learning/rows.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  llmroute::learning::RowParser parser;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const auto row = parser.parse(text.substr(0, end), "rows");
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
    if (!row) {
      if (row.error().message.empty()) std::abort();
      continue;
    }
    for (const auto& [model, score] : row->scores) {
      if (!(score >= 0 && score <= 1)) std::abort();
    }
    if (row->domain && *row->domain >= llmroute::core::kDomainCount) {
      std::abort();
    }
    if (row->difficulty && !std::isfinite(*row->difficulty)) std::abort();
    if (row->source.empty()) std::abort();
  }
  return 0;
}
