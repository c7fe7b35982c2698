// Hashes of words, and the few closed classes of English words that the dense
// features count: question words, negations and the like.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace llmroute::analyzer {

inline constexpr uint64_t kHashSeed = 0xa4093822299f31d0;

// The next eight bytes of a word, the first lowest, zeros after its end: words
// hold no zeros.
constexpr uint64_t hash_step(uint64_t hash, uint64_t eight) {
  hash = (hash ^ eight) * 0x9e3779b97f4a7c15;
  return hash ^ hash >> 32;
}

// Spreads every bit over the upper half, which becomes the bucket. Never 0.
constexpr uint64_t finish_hash(uint64_t hash) {
  hash *= 0x9fb21c651e98df25;
  hash ^= hash >> 29;
  return hash | 1;
}

constexpr uint64_t pair_hash(uint64_t first, uint64_t second) {
  const uint64_t both = (first ^ (second >> 17 | second << 47)) + second;
  return both * 0xd6e8feb86659fd93;
}

// The same word or pair at the edge of a text.
constexpr uint64_t edge_hash(uint64_t hash) {
  return (hash ^ 0x5851f42d4c957f2d) * 0xe7037ed1a0b428db;
}

constexpr uint64_t word_hash(std::string_view word) {
  uint64_t hash = kHashSeed;
  for (size_t at = 0; at < word.size(); at += 8) {
    uint64_t eight = 0;
    for (size_t i = at; i < std::min(word.size(), at + 8); ++i) {
      eight |= uint64_t{static_cast<uint8_t>(word[i])} << 8 * (i - at);
    }
    hash = hash_step(hash, eight);
  }
  return finish_hash(hash);
}

struct WordClass {
  std::string_view name;
  std::string_view words;  // separated by blanks
};

// The class's number is its index here plus one; 0 is no class.
inline constexpr WordClass kWordClasses[] = {
    {"question words",
     "what who whom whose when where which why how que qué quién cómo cuál was "
     "wer wie warum quel quelle comment pourquoi"},
    {"yes-no openers",
     "is are was were do does did can could will would should has have had"},
    {"negation",
     "not no never none neither nor cannot without dont doesnt isnt"},
    {"quantifiers",
     "all each every any some most many few several both either"},
    {"conditions",
     "if then else unless suppose assume let given such whether otherwise "
     "hence therefore thus"},
    {"comparison",
     "more less than greater smaller larger least fewer same different between "
     "compare versus"},
    {"requirements",
     "must exactly only should ensure required require requirements constraint "
     "constraints limit format following include avoid"},
    {"sequence",
     "first second third next finally step steps after before until"},
    {"proof", "prove show proof derive explain justify determine analyze"},
    {"making",
     "write create generate make build design implement draft compose develop"},
    {"courtesy",
     "hi hello hey thanks thank please bye morning welcome sorry ok okay yes "
     "cool great nice"},
    {"first person", "i me my mine im ive we our us"},
    {"second person", "you your youre yours u"},
    {"code words",
     "function class def return int string array list void public static const "
     "var import include print null true false code python java javascript "
     "sql"},
    {"time and number words",
     "one two three four five six seven eight nine ten hundred thousand hour "
     "hours day days week weeks year years minutes percent total"},
};
inline constexpr size_t kWordClassCount = std::size(kWordClasses) + 1;

namespace internal {

// A perfect hash: `factor`, found by trial at compile time, gives every word a
// slot of its own, so that looking up neither searches nor branches.
inline constexpr size_t kClassSlotBits = 12;
inline constexpr size_t kMostClassWords = 255;

struct ClassTable {
  uint64_t factor = 1;
  std::array<uint8_t, 1 << kClassSlotBits> word{};  // 0: none
  std::array<uint64_t, kMostClassWords + 1> hash{};
  std::array<uint8_t, kMostClassWords + 1> number{};
  size_t words = 0;
};

constexpr size_t class_slot(uint64_t hash, uint64_t factor) {
  return (hash * factor) >> (64 - kClassSlotBits);
}

constexpr void add_class_word(ClassTable& table, std::string_view word,
                              size_t number) {
  const uint64_t hash = word_hash(word);
  for (size_t i = 1; i <= table.words; ++i) {
    if (table.hash[i] == hash) return;  // the first class named keeps it
  }
  ++table.words;
  table.hash[table.words] = hash;
  table.number[table.words] = static_cast<uint8_t>(number);
}

constexpr void find_class_factor(ClassTable& table) {
  std::array<uint16_t, 1 << kClassSlotBits> taken{};  // in which trial
  size_t placed = 0;
  for (uint16_t trial = 1; placed < table.words; ++trial) {
    table.factor = table.factor * 0x5851f42d4c957f2d + 2;
    placed = 0;
    for (size_t i = 1; i <= table.words; ++i) {
      const size_t slot = class_slot(table.hash[i], table.factor);
      if (taken[slot] == trial) break;
      taken[slot] = trial;
      ++placed;
    }
  }
}

constexpr ClassTable make_class_table() {
  ClassTable table;
  for (size_t i = 0; i < std::size(kWordClasses); ++i) {
    std::string_view rest = kWordClasses[i].words;
    while (!rest.empty()) {
      const size_t blank = rest.find(' ');
      add_class_word(table, rest.substr(0, blank), i + 1);
      rest = blank == std::string_view::npos ? std::string_view()
                                             : rest.substr(blank + 1);
    }
  }
  find_class_factor(table);
  for (size_t i = 1; i <= table.words; ++i) {
    table.word[class_slot(table.hash[i], table.factor)] =
        static_cast<uint8_t>(i);
  }
  return table;
}
inline constexpr ClassTable kClassTable = make_class_table();

}  // namespace internal

inline uint8_t find_word_class(uint64_t hash) {
  using internal::kClassTable;
  const uint8_t word =
      kClassTable.word[internal::class_slot(hash, kClassTable.factor)];
  const auto found = static_cast<uint32_t>(kClassTable.hash[word] == hash);
  return static_cast<uint8_t>(kClassTable.number[word] & (0 - found));
}

}  // namespace llmroute::analyzer
