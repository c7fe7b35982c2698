#include "analyzer/language.h"

#include <array>
#include <string_view>

namespace llmroute::analyzer {
namespace {

uint32_t count(const Surface& surface, size_t first, size_t last) {
  uint32_t sum = 0;
  for (size_t c = first; c <= last; ++c) sum += surface.bytes[c];
  return sum;
}

}  // namespace

std::string language_of(const Surface& surface) {
  struct Script {
    std::string_view name;
    uint32_t letters;
  };
  const uint32_t kana = count(surface, 0xe3, 0xe3);
  const uint32_t han = count(surface, 0xe4, 0xe9);
  // Japanese mixes kana and Han: a tenth of kana is enough to tell.
  const bool japanese = kana * 10 > han;
  const std::array<Script, 8> scripts = {{
      {"latin", surface.letters + count(surface, 0xc3, 0xc9)},
      {"el", 2 * count(surface, 0xcd, 0xcf)},
      {"cyrillic", 2 * count(surface, 0xd0, 0xd3)},
      {"he", 2 * count(surface, 0xd6, 0xd7)},
      {"arabic", 2 * count(surface, 0xd8, 0xdb)},
      {"indic", 2 * count(surface, 0xe0, 0xe0)},
      {japanese ? "ja" : "zh", 3 * (kana + han)},
      {"ko", 3 * count(surface, 0xea, 0xed)},
  }};
  const Script* best = &scripts[0];
  for (const Script& script : scripts) {
    if (script.letters > best->letters) best = &script;
  }
  return best->letters == 0 ? std::string() : std::string(best->name);
}

}  // namespace llmroute::analyzer
