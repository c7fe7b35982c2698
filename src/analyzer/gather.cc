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
  GramSummer(const Kernel& kernel, const Model& model, Surface& surface,
             Evidence& evidence)
      : kernel_(kernel),
        model_(model),
        surface_(surface),
        evidence_(evidence) {}

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

  // Words with the pairs that they end, in their order.
  size_t list_grams(size_t begin, size_t end, uint64_t* grams) {
    uint64_t* word_bits = surface_.word_bits.data();
    const uint64_t* words = words_.data();
    size_t count = 0;
    uint64_t previous = words[begin - 1];
    for (size_t i = begin; i < end; ++i) {
      const uint64_t word = words[i];
      word_bits[(word >> 16) & 15] |= uint64_t{1} << ((word >> 20) & 63);
      grams[count] = word;
      grams[count + 1] = pair_hash(previous, word);
      count += previous == 0 ? 1 : 2;
      previous = word;
    }
    return count;
  }

  // Everything is kept in locals: stores could change members otherwise.
  void sum_rows(size_t begin, size_t end) {
    uint64_t grams[kMostRows];
    uint16_t ids[kMostRows];
    const size_t count = list_grams(begin, end, grams);
    const uint32_t seen_bits = model_.seen_bits;
    const uint8_t* seen = model_.seen.data();
    uint64_t* met = met_.data();
    size_t used = 0;
    uint32_t known = 0;
    // Without a branch: whether an n-gram is new cannot be predicted.
    for (size_t i = 0; i < count; ++i) {
      const uint32_t id = gram_id(grams[i]);
      const uint64_t bits = met[id >> 6];
      const uint32_t is_new = 1 & ~static_cast<uint32_t>(bits >> (id & 63));
      met[id >> 6] = bits | uint64_t{1} << (id & 63);
      const uint32_t bit = seen_bit(grams[i], seen_bits);
      known += is_new & (seen[bit >> 3] >> (bit & 7));
      ids[used] = static_cast<uint16_t>(id);
      used += is_new;
    }
    kernel_.add_rows(model_, {ids, used}, evidence_.sums);
    evidence_.grams += static_cast<uint32_t>(used);
    evidence_.known += known;
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
  Surface& surface_;
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

  // In two loops: hashing a word is a long chain of multiplications, and the
  // processor overlaps those of more words if nothing else is in between. Raw
  // arrays, because the checks of std::array would count here.
  void walk_tokens(size_t chunk_begin) {
    uint64_t hashes[kChunkBytes + 1];
    hash_tokens(chunk_begin, hashes);
    emit_tokens(chunk_begin, hashes);
    chunk_.begins[0] = chunk_.begins[chunk_.end_count];
    chunk_.begin_count -= chunk_.end_count;
    chunk_.end_count = 0;
  }

  const uint8_t* lower_of(size_t at, size_t chunk_begin) const {
    return chunk_.lower.data() + (kBlockBytes + at - chunk_begin);
  }

  // Of runs that are too long for a word: anything.
  void hash_tokens(size_t chunk_begin, uint64_t* hashes) const {
    const uint16_t* begins = chunk_.begins.data();
    const uint16_t* ends = chunk_.ends.data();
    const size_t count = chunk_.end_count;
    for (size_t i = 0; i < count; ++i) {
      const size_t length = static_cast<size_t>(ends[i] - begins[i]);
      const uint8_t* bytes = lower_of(begins[i], chunk_begin);
      if (length <= 8) {
        hashes[i] = hash_some(kHashSeed, bytes, length);
      } else if (length <= kLongestWord) {
        hashes[i] = hash_many(bytes, length);
      }
    }
  }

  void emit_tokens(size_t chunk_begin, const uint64_t* hashes) {
    const uint16_t* begins = chunk_.begins.data();
    const uint16_t* ends = chunk_.ends.data();
    const size_t count = chunk_.end_count;
    uint32_t* word_class = surface_.word_class.data();
    uint64_t* out = summer_.make_room();
    uint64_t previous = out[-1];
    uint64_t lengths = 0;
    for (size_t i = 0; i < count; ++i) {
      const size_t begin = begins[i];
      const size_t length = ends[i] - begin;
      const uint8_t* bytes = lower_of(begin, chunk_begin);
      size_t symbol = 0;
      if (length > 8 || others(bytes, length) != 0) {
        symbol = kIsSymbol.of[static_cast<uint8_t>(text_[begin])];
        if (symbol == 0 && !is_plain(bytes, length)) {
          out = walk_run(begin, begin + length, out);
          previous = out[-1];
          continue;
        }
      } else {
        symbol = kIsSymbol.of[*bytes];
      }
      // 0 of a symbol, that of a word else.
      lengths += kLengthCounts.of_length[length & (symbol - 1)];
      const uint64_t hash = finish_hash(hashes[i]);
      ++word_class[find_word_class(hash)];
      *out = hash;
      // A symbol like the one before, as in a rule of ----, is not counted.
      out += 1 - (symbol & static_cast<size_t>(hash == previous));
      previous = hash;
    }
    summer_.set_end(out);
    add_lengths(lengths);
  }

  // Of up to eight bytes those that are no letters: bit 6 tells.
  static uint64_t others(const uint8_t* bytes, size_t count) {
    static constexpr uint64_t kFirst[] = {0,
                                          0x40,
                                          0x4040,
                                          0x404040,
                                          0x40404040,
                                          0x4040404040,
                                          0x404040404040,
                                          0x40404040404040,
                                          0x4040404040404040};
    uint64_t eight = 0;
    std::memcpy(&eight, bytes, 8);
    return ~eight & kFirst[count];
  }

  // Whether a run is one word of letters and at most four digits.
  bool is_plain(const uint8_t* bytes, size_t length) {
    if (length > kLongestWord) return false;
    size_t digits = 0;
    for (size_t i = 0; i < length; i += 8) {
      const size_t count = std::min<size_t>(8, length - i);
      const uint64_t other = others(bytes + i, count);
      if (other == 0) continue;
      uint64_t eight = 0;
      std::memcpy(&eight, bytes + i, 8);
      const uint64_t digit = other & eight << 2;  // bit 4
      if (digit != other) return false;
      digits += (digit >> 6) * 0x0101010101010101 >> 56;
    }
    if (digits > 4) return false;
    count_number(digits, length);
    return true;
  }

  // Hashes eight bytes and takes the value after `count` of them: where a word
  // ends cannot be predicted.
  static uint64_t hash_some(uint64_t hash, const uint8_t* bytes, size_t count) {
    uint64_t after[9];
    after[0] = hash;
    after[1] = hash_step(after[0], bytes[0]);
    after[2] = hash_step(after[1], bytes[1]);
    after[3] = hash_step(after[2], bytes[2]);
    after[4] = hash_step(after[3], bytes[3]);
    after[5] = hash_step(after[4], bytes[4]);
    after[6] = hash_step(after[5], bytes[5]);
    after[7] = hash_step(after[6], bytes[6]);
    after[8] = hash_step(after[7], bytes[7]);
    return after[count];
  }

  static uint64_t hash_many(const uint8_t* bytes, size_t length) {
    uint64_t hash = kHashSeed;
    for (; length > 8; length -= 8, bytes += 8) {
      hash = hash_some(hash, bytes, 8);
    }
    return hash_some(hash, bytes, length);
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
      uint64_t hash = kHashSeed;
      for (size_t i = 0; i < wide.length; ++i) {
        hash = hash_step(hash, wide.bytes[i]);
      }
      ++surface_.wide_characters;
      add_from_run(finish_hash(hash));
    }
    return wide.length;
  }

  void push(uint8_t byte) {
    if (length_ == kLongestWord) end_word();
    hash_ = hash_step(hash_, byte);
    ++length_;
  }

  void end_word() {
    if (length_ == 0) return;
    const uint64_t word = finish_hash(hash_);
    add_lengths(kLengthCounts.of_length[length_]);
    count_number(digits_, length_);
    ++surface_.word_class[find_word_class(word)];
    add_from_run(word);
    hash_ = kHashSeed;
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
  uint64_t hash_ = kHashSeed;
  size_t length_ = 0, digits_ = 0;
};

}  // namespace

Evidence gather(const Kernel& kernel, const Model& model, const Window& window,
                Surface& surface) {
  Evidence evidence;
  GramSummer summer(kernel, model, surface, evidence);
  const size_t edges = edge_piece(window);
  for (size_t i = 0; i < window.pieces.size(); ++i) {
    if (window.pieces[i].empty()) continue;
    summer.begin_text(i == edges);
    Walker(window.pieces[i], summer, surface).walk(kernel);
    summer.end_text();
  }
  evidence.dense = dense_features(surface, window);
  return evidence;
}

Evidence gather(const Model& model, const Window& window, Surface& surface) {
  return gather(best_kernel(), model, window, surface);
}

}  // namespace llmroute::analyzer
