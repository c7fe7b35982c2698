#include "analyzer/scan.h"

namespace llmroute::analyzer {
namespace {

bool continues(std::string_view text, size_t at, size_t length) {
  if (text.size() - at < length) return false;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<uint8_t>(text[at + i]) & 0xc0) != 0x80) return false;
  }
  return true;
}

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

size_t length_of(uint8_t lead) {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc2 ? 2 : 1;
}

}  // namespace

Wide read_wide(std::string_view text, size_t at) {
  Wide wide;
  const auto lead = static_cast<uint8_t>(text[at]);
  const size_t length = length_of(lead);
  if (length == 1 || !continues(text, at, length)) return wide;
  wide.length = static_cast<uint8_t>(length);
  for (size_t i = 0; i < length; ++i) {
    wide.bytes[i] = static_cast<uint8_t>(text[at + i]);
  }
  if (length == 4) {
    wide.kind = lead == 0xf0 && wide.bytes[1] >= 0xa0 ? WideKind::kOwnWord
                                                      : WideKind::kBreak;
  } else if (length == 3) {
    wide.kind = kind_of_three(lead, wide.bytes[1]);
  } else {
    wide.kind = lead == 0xc2 ? WideKind::kBreak : WideKind::kLetters;
    fold_case(wide.bytes);
  }
  return wide;
}

}  // namespace llmroute::analyzer
