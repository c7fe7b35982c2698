// Hashes of words, and the few closed classes of English words that the dense
// features count: question words, negations and the like.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace llmroute::analyzer {

inline constexpr uint64_t kHashSeed = 0x243f6a8885a308d3;

constexpr uint64_t hash_step(uint64_t hash, uint8_t byte) {
  return (hash ^ byte) * 0x100000001b3;
}

// Spreads every bit over the upper half, which becomes the bucket. Never 0.
constexpr uint64_t finish_hash(uint64_t hash) {
  hash ^= hash >> 32;
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
  for (const char c : word) hash = hash_step(hash, static_cast<uint8_t>(c));
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

inline constexpr size_t kClassSlots = 1024;
struct ClassTable {
  std::array<uint64_t, kClassSlots> hash{};
  std::array<uint8_t, kClassSlots> number{};
};

constexpr void insert_word(ClassTable& table, std::string_view word,
                           uint8_t number) {
  const uint64_t hash = word_hash(word);
  size_t slot = hash >> 54;
  while (table.number[slot] != 0 && table.hash[slot] != hash) {
    slot = (slot + 1) % kClassSlots;
  }
  if (table.number[slot] != 0) return;  // the first class named keeps it
  table.hash[slot] = hash;
  table.number[slot] = number;
}

constexpr ClassTable make_class_table() {
  ClassTable table;
  for (size_t i = 0; i < std::size(kWordClasses); ++i) {
    std::string_view rest = kWordClasses[i].words;
    while (!rest.empty()) {
      const size_t blank = rest.find(' ');
      insert_word(table, rest.substr(0, blank), static_cast<uint8_t>(i + 1));
      rest = blank == std::string_view::npos ? std::string_view()
                                             : rest.substr(blank + 1);
    }
  }
  return table;
}
inline constexpr ClassTable kClassTable = make_class_table();

}  // namespace internal

inline uint8_t find_word_class(uint64_t hash) {
  using internal::kClassTable;
  size_t slot = hash >> 54;
  while (kClassTable.number[slot] != 0) {
    if (kClassTable.hash[slot] == hash) return kClassTable.number[slot];
    slot = (slot + 1) % internal::kClassSlots;
  }
  return 0;
}

}  // namespace llmroute::analyzer
