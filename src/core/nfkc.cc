#include "core/nfkc.h"

#include <algorithm>
#include <cstring>

#include "base/utf8.h"

namespace llmroute::core {
namespace {

struct Growth {
  char32_t first = 0, last = 0;
  int64_t bytes = 0;  // the most of any code point among them
};

// Code points whose NFKC form is longer in UTF-8 than they are, by the data of
// Unicode 14; close ones are taken together.
constexpr Growth kGrowth[] = {
    {0x00A8, 0x00B8, 1},   {0x00BC, 0x00BE, 3},   {0x013F, 0x0149, 1},
    {0x01C4, 0x01C6, 1},   {0x02D8, 0x02DD, 1},   {0x0344, 0x0344, 2},
    {0x037A, 0x0384, 1},   {0x0385, 0x0385, 3},   {0x0587, 0x0587, 2},
    {0x0675, 0x0678, 2},   {0x0958, 0x095F, 3},   {0x09DC, 0x09DF, 3},
    {0x0A33, 0x0A36, 3},   {0x0A59, 0x0A5E, 3},   {0x0B5C, 0x0B5D, 3},
    {0x0E33, 0x0E33, 3},   {0x0EB3, 0x0EB3, 3},   {0x0EDC, 0x0EDD, 3},
    {0x0F43, 0x0F5C, 3},   {0x0F69, 0x0F81, 6},   {0x0F93, 0x0FAC, 3},
    {0x0FB9, 0x0FB9, 3},   {0x1FC1, 0x1FCF, 2},   {0x1FDD, 0x1FDF, 2},
    {0x1FED, 0x1FEE, 2},   {0x2033, 0x2037, 6},   {0x2057, 0x2057, 9},
    {0x2150, 0x2167, 3},   {0x2177, 0x2177, 1},   {0x2189, 0x2189, 2},
    {0x222C, 0x2230, 6},   {0x247D, 0x2487, 1},   {0x2A0C, 0x2A0C, 9},
    {0x2ADC, 0x2ADC, 2},   {0x309B, 0x309F, 3},   {0x30FF, 0x30FF, 3},
    {0x3200, 0x3243, 5},   {0x327C, 0x327D, 3},   {0x32C0, 0x32CB, 2},
    {0x32FF, 0x32FF, 3},   {0x3300, 0x3357, 15},  {0x3358, 0x337E, 3},
    {0x337F, 0x337F, 9},   {0x3389, 0x3389, 1},   {0x33A7, 0x33AF, 5},
    {0x33C2, 0x33C6, 3},   {0x33D8, 0x33FE, 2},   {0xFA6C, 0xFA6C, 1},
    {0xFACF, 0xFAD7, 1},   {0xFB13, 0xFB4F, 3},   {0xFBDD, 0xFBDD, 1},
    {0xFBEA, 0xFD3D, 3},   {0xFD50, 0xFDC7, 3},   {0xFDF0, 0xFDF9, 5},
    {0xFDFA, 0xFDFA, 30},  {0xFDFB, 0xFDFB, 12},  {0xFDFC, 0xFDFC, 5},
    {0xFE71, 0xFE7F, 1},   {0xFEF5, 0xFEFC, 1},   {0x1D15E, 0x1D15F, 4},
    {0x1D160, 0x1D164, 8}, {0x1D1BB, 0x1D1BC, 4}, {0x1D1BD, 0x1D1C0, 8},
    {0x1F12A, 0x1F12A, 3}, {0x1F200, 0x1F201, 2}, {0x1F240, 0x1F248, 5},
};

size_t ascii_end(std::string_view text, size_t at) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  for (uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  while (at < text.size() && static_cast<signed char>(text[at]) >= 0) ++at;
  return at;
}

int64_t growth_of(char32_t c) {
  if (c > 0x33FF && c < 0xFA00) return 0;  // most of East Asia
  const Growth* found = std::ranges::lower_bound(kGrowth, c, {}, &Growth::last);
  return found != std::end(kGrowth) && c >= found->first ? found->bytes : 0;
}

}  // namespace

int64_t nfkc_growth(std::string_view text) {
  int64_t bytes = 0;
  for (size_t at = ascii_end(text, 0); at < text.size();
       at = ascii_end(text, at)) {
    bytes += growth_of(base::next_code_point(text, at));
  }
  return bytes;
}

}  // namespace llmroute::core
