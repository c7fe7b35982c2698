#include "analyzer/scan.h"

namespace llmroute::analyzer {
namespace {

// Upper-case letters of Latin-1, Greek and Cyrillic to lower case, in place.
void fold_case(std::array<uint8_t, 4>& bytes) {
  uint8_t& lead = bytes[0];
  uint8_t& low = bytes[1];
  if (lead == 0xc3 && low <= 0x9e) {
    low |= 0x20;
  } else if (lead == 0xce && low >= 0x91 && low <= 0x9f) {
    low = static_cast<uint8_t>(low + 0x20);
  } else if (lead == 0xce && low >= 0xa0 && low <= 0xa9) {
    lead = 0xcf;
    low = static_cast<uint8_t>(low - 0x20);
  } else if (lead == 0xd0 && low >= 0x90 && low <= 0x9f) {
    low = static_cast<uint8_t>(low + 0x20);
  } else if (lead == 0xd0 && low >= 0xa0 && low <= 0xaf) {
    lead = 0xd1;
    low = static_cast<uint8_t>(low - 0x20);
  }
}

WideKind kind_of_three(uint8_t lead, uint8_t second) {
  switch (lead) {
    case 0xe0:  // Thai and Lao are written without blanks
      return second >= 0xb8 && second <= 0xbb ? WideKind::kOwnWord
                                              : WideKind::kLetters;
    case 0xe2:  // punctuation, then symbols
      return second <= 0x81 ? WideKind::kBreak : WideKind::kSymbol;
    case 0xe3:
      return second == 0x80 ? WideKind::kBreak : WideKind::kOwnWord;
    case 0xef:
      return WideKind::kBreak;  // full-width punctuation
    default:
      return lead >= 0xe4 && lead <= 0xe9 ? WideKind::kOwnWord
                                          : WideKind::kLetters;
  }
}

WideKind kind_of_four(uint8_t lead, uint8_t second) {
  return lead == 0xf0 && second >= 0xa0 ? WideKind::kOwnWord : WideKind::kBreak;
}

bool continues(uint8_t c) { return (c & 0xc0) == 0x80; }

}  // namespace

Wide read_wide(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) {
    return at + i < text.size() ? static_cast<uint8_t>(text[at + i])
                                : uint8_t{0};
  };
  const Wide invalid;
  const uint8_t lead = byte(0), second = byte(1);
  if (lead < 0xc2 || !continues(second)) return invalid;
  if (lead < 0xe0) {
    Wide wide{lead == 0xc2 ? WideKind::kBreak : WideKind::kLetters,
              2,
              {lead, second}};
    fold_case(wide.bytes);
    return wide;
  }
  const uint8_t third = byte(2);
  if (!continues(third)) return invalid;
  if (lead < 0xf0) {
    return {kind_of_three(lead, second), 3, {lead, second, third}};
  }
  const uint8_t fourth = byte(3);
  if (!continues(fourth)) return invalid;
  return {kind_of_four(lead, second), 4, {lead, second, third, fourth}};
}

}  // namespace llmroute::analyzer
