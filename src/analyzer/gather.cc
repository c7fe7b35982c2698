// The fast path, in three steps for each chunk of 512 bytes: a kernel finds
// tokens and marks; their hashes are appended to a list; the list becomes sums
// of rows. Between them lie short arrays, so that each loop is about one thing
// and hardly branches. Scanner (scan.h) is the same thing byte by byte: the
// tests compare the two.
#include <array>
#include <bit>
#include <cstring>

#include "analyzer/features.h"
#include "analyzer/kernel.h"

namespace llmroute::analyzer {
namespace {

static_assert(kInstructionHead + kInstructionTail < 65'000 &&
              kContextHead + kContextTail < 65'000);  // see Chunk

// Hashes of words and symbols of a text in their order -> rows of n-grams.
class GramSummer {
 public:
  GramSummer(const Kernel& kernel, const Model& model, Evidence& evidence)
      : kernel_(kernel), model_(model), evidence_(evidence) {}

  void begin_text(bool edges) {
    edges_ = edges;
    words_[0] = 0;  // there is no word before the first
    summed_ = count_ = 1;
    text_words_ = 0;
  }

  // Where the next kChunkBytes words may be written; [-1] is the word before.
  uint64_t* make_room() {
    if (count_ + kChunkBytes > words_.size()) sum_words();
    return words_.data() + count_;
  }
  void set_end(const uint64_t* end) {
    count_ = static_cast<size_t>(end - words_.data());
  }

  void end_text() {
    sum_words();
    if (!edges_) return;
    const size_t last =
        text_words_ - std::min(text_words_, kEdgeWords);  // not the first again
    add_edges(count_ - std::min(last, kEdgeWords), count_);
    kernel_.add_rows(model_, {edge_ids_.data(), edge_count_},
                     evidence_.edge_sums);
    evidence_.edges = static_cast<uint32_t>(edge_count_);
  }

 private:
  void sum_words() {
    add_first_edges();
    while (summed_ < count_) {
      const size_t end = std::min(count_, summed_ + kMostRows / 2);
      sum_rows(summed_, end);
      summed_ = end;
    }
    keep_last_words();
  }

  // Each word with the pair that it ends. The first word of a text ends none:
  // it is there twice, which counts once.
  void list_grams(size_t begin, size_t end, uint64_t* grams) const {
    const uint64_t* words = words_.data();
    uint64_t previous = words[begin - 1];
    for (size_t i = begin; i < end; ++i) {
      const uint64_t word = words[i];
      *grams++ = word;
      *grams++ = previous == 0 ? word : pair_hash(previous, word);
      previous = word;
    }
  }

  // Everything is kept in locals: stores could change members otherwise.
  void sum_rows(size_t begin, size_t end) {
    uint64_t grams[kMostRows];
    uint16_t ids[kMostRows];
    list_grams(begin, end, grams);
    const uint32_t seen_bits = model_.seen_bits;
    const uint8_t* seen = model_.seen.data();
    uint64_t* met = met_.data();
    size_t used = 0;
    uint32_t known = 0, distinct_words = 0;
    // Without a branch: whether an n-gram is new cannot be predicted.
    const auto add = [&](uint64_t gram) {
      const uint32_t id = gram_id(gram);
      const uint64_t bits = met[id >> 6];
      const uint32_t is_new = 1 & ~static_cast<uint32_t>(bits >> (id & 63));
      met[id >> 6] = bits | uint64_t{1} << (id & 63);
      const uint32_t bit = seen_bit(gram, seen_bits);
      known += is_new & (seen[bit >> 3] >> (bit & 7));
      ids[used] = static_cast<uint16_t>(id);
      used += is_new;
      return is_new;
    };
    for (const uint64_t* gram = grams; begin < end; ++begin, gram += 2) {
      distinct_words += add(gram[0]);
      add(gram[1]);
    }
    kernel_.add_rows(model_, {ids, used}, evidence_.sums);
    evidence_.grams += static_cast<uint32_t>(used);
    evidence_.known += known;
    evidence_.distinct_words += distinct_words;
  }

  void add_first_edges() {
    const size_t fresh = count_ - summed_;
    if (edges_ && text_words_ < kEdgeWords) {
      add_edges(summed_, summed_ + std::min(fresh, kEdgeWords - text_words_));
    }
    text_words_ += fresh;
  }

  void add_edges(size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      add_edge(words_[i]);
      if (words_[i - 1] != 0) add_edge(pair_hash(words_[i - 1], words_[i]));
    }
  }

  void add_edge(uint64_t hash) {
    edge_ids_[edge_count_++] = static_cast<uint16_t>(gram_id(edge_hash(hash)));
  }

  // For the pair across and for the last edges.
  void keep_last_words() {
    const size_t kept = std::min(count_, kEdgeWords + 1);
    std::memmove(words_.data(), words_.data() + count_ - kept,
                 kept * sizeof words_[0]);
    summed_ = count_ = kept;
  }

  const Kernel& kernel_;
  const Model& model_;
  Evidence& evidence_;
  std::array<uint64_t, 3 * kChunkBytes> words_;  // some, then from summed_ new
  size_t summed_ = 1, count_ = 1;
  size_t text_words_ = 0;  // of the text, before summed_
  std::array<uint16_t, kMostEdges> edge_ids_;
  size_t edge_count_ = 0;
  bool edges_ = false;
  std::array<uint64_t, (1 << kIdBits) / 64> met_{};  // ids
};

// What the length of a word adds to the counts of a chunk: all in one integer.
struct LengthCounts {
  static constexpr int kBytes = 0, kWords = 12, kShort = 24, kLong = 36;
  static constexpr int kSingle = 48;  // of one byte
  static_assert(kChunkBytes + kLongestWord < 1 << 12);
  uint64_t of_length[kLongestWord + 1] = {};  // 0: a symbol
};

constexpr LengthCounts make_length_counts() {
  LengthCounts counts;
  for (uint64_t length = 1; length <= kLongestWord; ++length) {
    counts.of_length[length] = length << LengthCounts::kBytes |
                               uint64_t{1} << LengthCounts::kWords |
                               uint64_t{length <= 3} << LengthCounts::kShort |
                               uint64_t{length >= 8} << LengthCounts::kLong |
                               uint64_t{length == 1} << LengthCounts::kSingle;
  }
  return counts;
}
constexpr LengthCounts kLengthCounts = make_length_counts();

struct SymbolTable {
  bool of[256] = {};
};

constexpr SymbolTable make_symbol_table() {
  SymbolTable table;
  for (size_t c = 0; c < 256; ++c) {
    table.of[c] = kByteTable.kind[c] == ByteKind::kSymbol;
  }
  return table;
}
constexpr SymbolTable kIsSymbol = make_symbol_table();

// For each number of bytes up to 16: ones in those of two words of 64 bits.
struct ByteMasks {
  uint64_t first[17], second[17];
};

constexpr ByteMasks make_byte_masks(uint64_t of_byte) {
  ByteMasks masks{};
  for (size_t count = 0; count <= 16; ++count) {
    for (size_t i = 0; i < count; ++i) {
      (i < 8 ? masks.first : masks.second)[count] |= of_byte << 8 * (i % 8);
    }
  }
  return masks;
}
constexpr ByteMasks kBytes = make_byte_masks(0xff);
constexpr uint64_t kLetterBits = 0x4040404040404040;  // letters, not digits

// The bytes of a word, zeros after its end.
struct Sixteen {
  uint64_t first, second;
  uint64_t not_first, not_second;  // bit 6 of each that is no letter

  // Reads 16 bytes. REQUIRES: length <= 16.
  Sixteen(const uint8_t* bytes, size_t length)
      : first(load(bytes) & kBytes.first[length]),
        second(load(bytes + 8) & kBytes.second[length]),
        not_first(~first & kBytes.first[length] & kLetterBits),
        not_second(~second & kBytes.second[length] & kLetterBits) {}

  uint64_t not_letters() const { return not_first | not_second; }

  uint64_t hash(size_t length) const {
    const uint64_t eight = hash_step(kHashSeed, first);
    return finish_hash(length > 8 ? hash_step(eight, second) : eight);
  }

  static uint64_t load(const uint8_t* bytes) {
    uint64_t eight;
    std::memcpy(&eight, bytes, 8);
    const bool little = std::endian::native == std::endian::little;
    return little ? eight : __builtin_bswap64(eight);
  }
};

// One text: its tokens to the summer, its shape to the surface.
class Walker {
 public:
  Walker(std::string_view text, GramSummer& summer, Surface& surface)
      : text_(text), summer_(summer), surface_(surface) {}

  void walk(const Kernel& kernel) {
    for (size_t begin = 0; begin < text_.size(); begin += kChunkBytes) {
      kernel.index(text_, begin, chunk_);
      const bool last = begin + kChunkBytes >= text_.size();
      if (last && chunk_.begin_count > chunk_.end_count) {
        chunk_.ends[chunk_.end_count++] = static_cast<uint16_t>(text_.size());
      }
      walk_marks();
      walk_tokens(begin);
      std::memcpy(chunk_.lower.data(), chunk_.lower.data() + kChunkBytes,
                  kBlockBytes);
    }
    end_line(text_.size());
    add_counts();
  }

 private:
  void walk_marks() {
    for (size_t i = 0; i < chunk_.mark_count; ++i) {
      const size_t at = chunk_.marks[i];
      const auto c = static_cast<uint8_t>(text_[at]);
      ++surface_.bytes[c];
      if (c == '\n') end_line(at);
    }
    chunk_.mark_count = 0;
  }

  // Hardly a branch, because where a word ends cannot be predicted.
  void walk_tokens(size_t chunk_begin) {
    const uint16_t* begins = chunk_.begins.data();
    const uint16_t* ends = chunk_.ends.data();
    const size_t count = chunk_.end_count;
    uint32_t* word_class = surface_.word_class.data();
    uint64_t* out = summer_.make_room();
    uint64_t lengths = 0;
    for (size_t i = 0; i < count; ++i) {
      const size_t begin = begins[i];
      const size_t length = ends[i] - begin;
      // A token that began before the last block is longer than 16.
      const size_t place =
          std::max(begin + kBlockBytes, chunk_begin) - chunk_begin;
      const Sixteen bytes(chunk_.lower.data() + place,
                          std::min<size_t>(length, 16));
      const size_t symbol = kIsSymbol.of[bytes.first & 0xff];
      if (length > 16 || (bytes.not_letters() != 0 && symbol == 0)) {
        if (length > 16 || !count_number(bytes, length)) {
          out = walk_run(begin, begin + length, out);
          continue;
        }
      }
      // 0 of a symbol, that of a word else.
      lengths += kLengthCounts.of_length[length & (symbol - 1)];
      const uint64_t word = bytes.hash(length);
      ++word_class[find_word_class(word)];
      // A symbol like the one before, as in a rule of ----, is not counted.
      const size_t again = symbol & static_cast<size_t>(word == out[-1]);
      *out = word;
      out += 1 - again;
    }
    summer_.set_end(out);
    add_lengths(lengths);
    chunk_.begins[0] = chunk_.begins[chunk_.end_count];
    chunk_.begin_count -= chunk_.end_count;
    chunk_.end_count = 0;
  }

  // Whether a run is one word of letters and at most four digits; counts its
  // number then.
  bool count_number(const Sixteen& bytes, size_t length) {
    // Bit 4 tells digits, moved to the place of bit 6.
    const uint64_t first = bytes.not_first & bytes.first << 2;
    const uint64_t second = bytes.not_second & bytes.second << 2;
    if (first != bytes.not_first || second != bytes.not_second) return false;
    const size_t digits = count_bytes(first) + count_bytes(second);
    if (digits > 4) return false;
    count_number(digits, length);
    return true;
  }

  // Of bytes of which bit 6 only may be set.
  static size_t count_bytes(uint64_t bits) {
    return (bits >> 6) * 0x0101010101010101 >> 56;
  }

  // Beside what the length says.
  void count_number(size_t digits, size_t length) {
    surface_.numbers += digits > 0;
    surface_.long_numbers += digits >= 3;
    surface_.lone_letters -= digits == 1 && length == 1;
  }

  void add_lengths(uint64_t lengths) {
    const auto part = [&](int shift) {
      return static_cast<uint32_t>(lengths >> shift & 0xfff);
    };
    surface_.word_bytes += part(LengthCounts::kBytes);
    surface_.words += part(LengthCounts::kWords);
    surface_.short_words += part(LengthCounts::kShort);
    surface_.long_words += part(LengthCounts::kLong);
    surface_.lone_letters += part(LengthCounts::kSingle);
  }

  // --- Runs with apostrophes, wide characters, many digits or no end.

  // Returns where the next word may be written.
  uint64_t* walk_run(size_t begin, size_t end, const uint64_t* out) {
    summer_.set_end(out);
    size_t at = begin;
    while (at < end) {
      const auto c = static_cast<uint8_t>(text_[at]);
      if (c >= 0x80) {
        at += walk_wide(at);
        continue;
      }
      ++at;
      if (c == '\'') continue;
      const bool digit = kByteTable.kind[c] == ByteKind::kDigit;
      if (digit && ++digits_ > 4) continue;
      push(kByteTable.lower[c]);
    }
    end_word();
    return summer_.make_room();
  }

  size_t walk_wide(size_t at) {
    ++surface_.bytes[static_cast<uint8_t>(text_[at])];
    const Wide wide = read_wide(text_, at);
    if (wide.kind == WideKind::kLetters) {
      for (size_t i = 0; i < wide.length; ++i) push(wide.bytes[i]);
      return wide.length;
    }
    end_word();
    if (wide.kind != WideKind::kBreak) {
      ++surface_.wide_characters;
      add_from_run(wide_hash(wide));
    }
    return wide.length;
  }

  void push(uint8_t byte) {
    if (length_ == kLongestWord) end_word();
    word_[length_++] = static_cast<char>(byte);
  }

  void end_word() {
    if (length_ == 0) return;
    const uint64_t word = word_hash({word_.data(), length_});
    add_lengths(kLengthCounts.of_length[length_]);
    count_number(digits_, length_);
    ++surface_.word_class[find_word_class(word)];
    add_from_run(word);
    length_ = 0;
    digits_ = 0;
  }

  void add_from_run(uint64_t word) {
    uint64_t* out = summer_.make_room();
    *out = word;
    summer_.set_end(out + 1);
  }

  // --- Lines.

  bool is_blank(size_t at) const {
    return kByteTable.kind[static_cast<uint8_t>(text_[at])] == ByteKind::kSpace;
  }

  void end_line(size_t end) {
    const size_t begin = line_begin_;
    line_begin_ = end + 1;
    ++surface_.lines;
    size_t first = begin;
    while (first < end && is_blank(first)) ++first;
    if (first == end) {
      ++surface_.blank_lines;
      return;
    }
    surface_.indented_lines += first - begin >= 2;
    count_line_begin(first);
    size_t last = end - 1;
    while (is_blank(last)) --last;
    count_line_end(text_[last]);
  }

  void count_line_begin(size_t at) {
    const char c = text_[at];
    const char after = at + 1 < text_.size() ? text_[at + 1] : '\n';
    surface_.bullet_lines += (c == '-' || c == '*') && after == ' ';
    const bool marker = after == '.' || after == ')' || after == ':';
    surface_.numbered_lines += c >= '0' && c <= '9' && marker;
    const int letter = c | 0x20;
    surface_.option_lines += letter >= 'a' && letter <= 'j' && marker;
  }

  void count_line_end(char last) {
    surface_.statement_ends += last == ';' || last == '{' || last == '}';
    surface_.colon_ends += last == ':';
    surface_.question_ends += last == '?';
  }

  void add_counts() {
    surface_.letters += chunk_.letters;
    surface_.digits += chunk_.digits;
    surface_.bytes[' '] += chunk_.blanks;
    surface_.word_class[0] = 0;
  }

  std::string_view text_;
  GramSummer& summer_;
  Surface& surface_;
  Chunk chunk_;
  size_t line_begin_ = 0;
  // Of the word so far, in a run.
  std::array<char, kLongestWord> word_;
  size_t length_ = 0, digits_ = 0;
};

}  // namespace

Evidence gather(const Kernel& kernel, const Model& model, const Window& window,
                Surface& surface) {
  Evidence evidence;
  GramSummer summer(kernel, model, evidence);
  const size_t edges = edge_piece(window);
  for (size_t i = 0; i < window.pieces.size(); ++i) {
    if (window.pieces[i].empty()) continue;
    summer.begin_text(i == edges);
    Walker(window.pieces[i], summer, surface).walk(kernel);
    summer.end_text();
  }
  evidence.dense = dense_features(surface, window, evidence.distinct_words);
  return evidence;
}

Evidence gather(const Model& model, const Window& window, Surface& surface) {
  return gather(best_kernel(), model, window, surface);
}

}  // namespace llmroute::analyzer
