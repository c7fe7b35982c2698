// One pass over the bytes of a prompt: n-grams to a sink, counts to a Surface.
//
// Normalisation, so that case, typos and punctuation move little: letters are
// lower-cased (ASCII, Latin-1, Greek, Cyrillic), digits become '0' (runs are
// cut at four), punctuation ends a word and is dropped, apostrophes are dropped
// without ending it. Symbols of code and mathematics are words of their own; so
// is every Chinese, Japanese, Thai or Lao character. Of a word the sink gets
// its hash and that of the pair with the word before.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "analyzer/word_classes.h"

namespace llmroute::analyzer {

// What was counted besides n-grams. Bytes are as given, not normalised.
struct Surface {
  std::array<uint32_t, 256> bytes{};  // but ASCII letters and digits; of
                                      // multi-byte sequences the first
  uint32_t letters = 0, digits = 0;   // of ASCII
  std::array<uint32_t, kWordClassCount> word_class{};
  uint32_t words = 0, word_bytes = 0;
  uint32_t short_words = 0, long_words = 0;  // up to 3 bytes; 8 or more
  uint32_t numbers = 0, long_numbers = 0;    // words of digits; of 3 or more
  uint32_t lone_letters = 0;                 // one-letter words: variables
  uint32_t wide_characters = 0;              // that are words of their own
  uint32_t lines = 0, blank_lines = 0, indented_lines = 0;
  uint32_t bullet_lines = 0, numbered_lines = 0, option_lines = 0;
  uint32_t statement_ends = 0, colon_ends = 0, question_ends = 0;

  bool operator==(const Surface&) const = default;
};

enum class GramKind : uint8_t { kWord, kPair, kEdge };

inline constexpr size_t kEdgeWords = 10;              // at either end
inline constexpr size_t kMostEdges = 4 * kEdgeWords;  // words and pairs

enum class ByteKind : uint8_t {
  kSpace,
  kNewline,
  kLetter,
  kDigit,
  kSymbol,
  kBreak,      // punctuation and controls: end a word
  kInvisible,  // apostrophe: neither ends nor enters a word
  kLead,       // first byte of a multi-byte sequence, or stray
};

struct ByteTable {
  std::array<ByteKind, 256> kind;
  std::array<uint8_t, 256> lower;
};

constexpr ByteTable make_byte_table() {
  ByteTable table{};
  for (size_t c = 0; c < 256; ++c) {
    table.kind[c] = c >= 0x80 ? ByteKind::kLead : ByteKind::kBreak;
    table.lower[c] = static_cast<uint8_t>(c);
  }
  for (size_t c = 'a'; c <= 'z'; ++c) table.kind[c] = ByteKind::kLetter;
  for (size_t c = 'A'; c <= 'Z'; ++c) {
    table.kind[c] = ByteKind::kLetter;
    table.lower[c] = static_cast<uint8_t>(c + 32);
  }
  for (size_t c = '0'; c <= '9'; ++c) {
    table.kind[c] = ByteKind::kDigit;
    table.lower[c] = '0';
  }
  for (const char c : std::string_view("{}[]<>=+*/\\_$#@^&|~`%")) {
    table.kind[static_cast<uint8_t>(c)] = ByteKind::kSymbol;
  }
  table.kind[' '] = table.kind['\t'] = table.kind['\r'] = ByteKind::kSpace;
  table.kind['\n'] = ByteKind::kNewline;
  table.kind['\''] = ByteKind::kInvisible;
  return table;
}
inline constexpr ByteTable kByteTable = make_byte_table();

// A multi-byte sequence: what it is, its length and its lower-cased bytes.
enum class WideKind : uint8_t { kLetters, kOwnWord, kSymbol, kBreak };
struct Wide {
  WideKind kind = WideKind::kBreak;
  uint8_t length = 1;
  std::array<uint8_t, 4> bytes{};
};
// REQUIRES: at < text.size(). Never reads past the end; invalid bytes are
// breaks of length 1.
Wide read_wide(std::string_view text, size_t at);

// Of a character that is a word by itself.
constexpr uint64_t wide_hash(const Wide& wide) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < wide.length; ++i) {
    bytes |= uint64_t{wide.bytes[i]} << 8 * i;
  }
  return finish_hash(hash_step(kHashSeed, bytes));
}

inline constexpr size_t kLongestWord = 48;  // longer runs are cut

// Sink: void gram(GramKind, uint64_t hash, size_t begin, size_t end), offsets
// of the n-gram in the text being fed (for kPair of its second word), hash well
// mixed in its upper bits. A kEdge repeats a word or pair under another hash;
// its offsets are 0.
template <class Sink>
class Scanner {
 public:
  Scanner(Sink& sink, Surface& surface) : sink_(sink), surface_(surface) {}

  // Each call is a text of its own: no word or pair crosses the border.
  // `edges`: tell its first and last words as such.
  void feed(std::string_view text, bool edges) {
    size_t at = 0;
    line_start_ = true;
    edges_ = edges;
    fed_words_ = 0;
    while (at < text.size()) at = step(text, at);
    end_word(at);
    end_line();
    previous_ = 0;
    emit_last_edges();
  }

 private:
  size_t step(std::string_view text, size_t at) {
    const auto c = static_cast<uint8_t>(text[at]);
    const ByteKind kind = kByteTable.kind[c];
    count_byte(c, kind);
    if (line_start_ && kind != ByteKind::kSpace && kind != ByteKind::kNewline) {
      begin_line(text, at);
    }
    switch (kind) {
      case ByteKind::kLetter:
        push(kByteTable.lower[c], at);
        break;
      case ByteKind::kDigit:
        push_digit(at);
        break;
      case ByteKind::kSpace:
        end_word(at);
        if (line_start_) ++indent_;
        return at + 1;
      case ByteKind::kNewline:
        end_word(at);
        end_line();
        return at + 1;
      case ByteKind::kSymbol:
        end_word(at);
        symbol(c, at);
        break;
      case ByteKind::kBreak:
        end_word(at);
        break;
      case ByteKind::kInvisible:
        break;
      case ByteKind::kLead:
        return step_wide(text, at);
    }
    last_ = c;
    return at + 1;
  }

  void count_byte(uint8_t c, ByteKind kind) {
    if (kind == ByteKind::kLetter) {
      ++surface_.letters;
    } else if (kind == ByteKind::kDigit) {
      ++surface_.digits;
    } else {
      ++surface_.bytes[c];
    }
  }

  size_t step_wide(std::string_view text, size_t at) {
    const Wide wide = read_wide(text, at);
    last_ = static_cast<uint8_t>(text[at]);
    switch (wide.kind) {
      case WideKind::kLetters:
        for (size_t i = 0; i < wide.length; ++i) push(wide.bytes[i], at + i);
        break;
      case WideKind::kOwnWord:
      case WideKind::kSymbol:
        end_word(at);
        own_word(wide, at);
        break;
      case WideKind::kBreak:
        end_word(at);
        break;
    }
    return at + wide.length;
  }

  void push(uint8_t byte, size_t at) {
    if (length_ == 0) {
      begin_ = at;
    } else if (length_ == kLongestWord) {
      end_word(at);
      push(byte, at);
      return;
    }
    word_[length_++] = static_cast<char>(byte);
  }

  void push_digit(size_t at) {
    ++digits_;
    if (digits_ <= 4) push('0', at);
  }

  void end_word(size_t at) {
    if (length_ == 0) return;
    const uint64_t word = word_hash({word_.data(), length_});
    count_word(word);
    emit_word(word, begin_, at);
    length_ = 0;
    digits_ = 0;
  }

  void count_word(uint64_t word) {
    ++surface_.words;
    surface_.word_bytes += static_cast<uint32_t>(length_);
    surface_.short_words += length_ <= 3;
    surface_.long_words += length_ >= 8;
    surface_.lone_letters += length_ == 1 && digits_ == 0;
    surface_.numbers += digits_ > 0;
    surface_.long_numbers += digits_ >= 3;
    const uint8_t word_class = find_word_class(word);
    if (word_class != 0) ++surface_.word_class[word_class];
  }

  void emit_word(uint64_t word, size_t begin, size_t end) {
    sink_.gram(GramKind::kWord, word, begin, end);
    uint64_t pair = 0;
    if (previous_ != 0) {
      pair = pair_hash(previous_, word);
      sink_.gram(GramKind::kPair, pair, begin, end);
    }
    previous_ = word;
    if (edges_) note_edge({word, pair});
  }

  struct Edge {
    uint64_t word = 0, pair = 0;  // pair 0: none
  };

  void note_edge(const Edge& edge) {
    if (fed_words_ < kEdgeWords) {
      emit_edge(edge);
    } else {
      last_words_[fed_words_ % kEdgeWords] = edge;
    }
    ++fed_words_;
  }

  void emit_last_edges() {
    const size_t first =
        std::max(kEdgeWords, fed_words_ - std::min(fed_words_, kEdgeWords));
    for (size_t i = first; i < fed_words_; ++i) {
      emit_edge(last_words_[i % kEdgeWords]);
    }
  }

  void emit_edge(const Edge& edge) {
    for (const uint64_t hash : {edge.word, edge.pair}) {
      if (hash == 0) continue;
      sink_.gram(GramKind::kEdge, edge_hash(hash), 0, 0);
    }
  }

  void symbol(uint8_t c, size_t at) {
    const uint64_t word = finish_hash(hash_step(kHashSeed, c));
    if (word == previous_) return;  // a rule of ---- or ==== is one symbol
    emit_word(word, at, at + 1);
  }

  void own_word(const Wide& wide, size_t at) {
    ++surface_.wide_characters;
    emit_word(wide_hash(wide), at, at + wide.length);
  }

  void begin_line(std::string_view text, size_t at) {
    line_start_ = false;
    surface_.indented_lines += indent_ >= 2;
    const auto c = static_cast<uint8_t>(text[at]);
    const size_t next = at + 1;
    const char after = next < text.size() ? text[next] : '\n';
    surface_.bullet_lines += (c == '-' || c == '*') && after == ' ';
    const bool marker = after == '.' || after == ')' || after == ':';
    surface_.numbered_lines += c >= '0' && c <= '9' && marker;
    const int letter = c | 0x20;
    surface_.option_lines += letter >= 'a' && letter <= 'j' && marker;
  }

  void end_line() {
    ++surface_.lines;
    surface_.blank_lines += line_start_;
    if (!line_start_) {
      surface_.statement_ends += last_ == ';' || last_ == '{' || last_ == '}';
      surface_.colon_ends += last_ == ':';
      surface_.question_ends += last_ == '?';
    }
    line_start_ = true;
    indent_ = 0;
    last_ = 0;
  }

  Sink& sink_;
  Surface& surface_;
  std::array<char, kLongestWord> word_;
  uint64_t previous_ = 0;  // hash of the word before; 0: none
  size_t length_ = 0;      // of the word so far
  size_t digits_ = 0;      // in it
  size_t begin_ = 0;       // where it began
  size_t indent_ = 0;
  size_t fed_words_ = 0;
  std::array<Edge, kEdgeWords> last_words_;
  uint8_t last_ = 0;  // last visible byte of the line
  bool edges_ = false;
  bool line_start_ = true;
};

}  // namespace llmroute::analyzer
