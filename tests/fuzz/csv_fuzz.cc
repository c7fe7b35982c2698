// Tables as they stream in: records do not depend on how the bytes are cut, and
// written again they read the same.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "learning/csv.h"
#include "learning/wide_table.h"

namespace {

using llmroute::learning::CsvParser;
using llmroute::learning::Row;
using llmroute::learning::WideColumns;
using Records = std::vector<std::vector<std::string>>;

void take(const CsvParser& parser, Records& records) {
  auto& fields = records.emplace_back();
  for (size_t i = 0; i < parser.size(); ++i) fields.emplace_back(parser[i]);
}

// False if the text is refused.
bool read(std::string_view text, size_t step, Records& records) {
  CsvParser parser;
  while (!text.empty()) {
    std::string_view piece = text.substr(0, step);
    text.remove_prefix(piece.size());
    for (;;) {
      const auto whole = parser.feed(piece);
      if (!whole) return false;
      if (!*whole) break;
      take(parser, records);
    }
  }
  const auto last = parser.finish();
  if (last && *last) take(parser, records);
  return last.has_value();
}

std::string written(const Records& records) {
  std::string text;
  for (const auto& fields : records) {
    for (size_t i = 0; i < fields.size(); ++i) {
      text += i == 0 ? "\"" : ",\"";
      for (const char c : fields[i]) text += c == '"' ? "\"\"" : std::string{c};
      text += '"';
    }
    text += "\r\n";
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Records whole, bytes, again;
  const bool good = read(text, SIZE_MAX, whole);
  if (read(text, 1, bytes) != good) std::abort();
  if (good && whole != bytes) std::abort();
  if (!good || whole.empty()) return 0;
  if (!read(written(whole), 7, again) || again != whole) std::abort();
  const WideColumns columns(whole[0]);
  for (const auto& fields : whole) {
    Row row;
    for (size_t i = 0; i < std::min(fields.size(), whole[0].size()); ++i) {
      if (!columns.set(i, fields[i], row)) break;
    }
  }
  return 0;
}
