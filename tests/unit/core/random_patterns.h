// Random regular expressions, and texts in which they are now and then found.
#pragma once

#include <iterator>
#include <random>
#include <string>

namespace llmroute::core {

inline std::string random_pieces(std::mt19937& random,
                                 const char* const* pieces, size_t count,
                                 size_t most) {
  std::string out;
  for (size_t left = random() % (most + 1); left > 0; --left) {
    out += pieces[random() % count];
  }
  return out;
}

// Well-formed or not; of few letters, so that texts hold them.
inline std::string random_pattern(std::mt19937& random) {
  static constexpr const char* kPieces[] = {"a",        "b",
                                            "sk",       "Kit",
                                            "invoice",  "k",
                                            "ask",      "S",
                                            "|",        "|",
                                            "(",        ")",
                                            "(?:",      "(",
                                            ")",        ")",
                                            "*",        "+",
                                            "?",        "*?",
                                            ".",        ".*",
                                            "^",        "$",
                                            "\\b",      "\\d",
                                            "\\w+",     "\\s",
                                            "\\.",      "\\n",
                                            "\\Q",      "\\pL",
                                            "[ab]",     "[^ks]",
                                            "[a-k-]",   "[\\w.]",
                                            "[b-a]",    "[[:alpha:]]",
                                            "{2}",      "{1,3}",
                                            "{0,}",     "{,2}",
                                            "{",        "\xC5\xBF",
                                            "\xC3\xA9", "\xE2\x84\xAA",
                                            "]",        "-",
                                            " "};
  static constexpr const char* kFlags[] = {"", "", "(?i)", "(?is)", "(?m)"};
  return kFlags[random() % std::size(kFlags)] +
         random_pieces(random, kPieces, std::size(kPieces), 10);
}

inline std::string random_text(std::mt19937& random) {
  static constexpr const char* kPieces[] = {"a",
                                            "b",
                                            "sk",
                                            "SK",
                                            "Kit",
                                            "kit",
                                            "invoice",
                                            "INVoice",
                                            "k",
                                            "as",
                                            "s",
                                            "S",
                                            "K",
                                            " ",
                                            ".",
                                            "1",
                                            "\n",
                                            "-",
                                            "]",
                                            "\xC5\xBF",
                                            "\xC3\xA9",
                                            "\xC3\x89",
                                            "\xE2\x84\xAA",
                                            "bb"};
  return random_pieces(random, kPieces, std::size(kPieces), 20);
}

}  // namespace llmroute::core
