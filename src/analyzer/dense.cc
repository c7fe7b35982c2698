#include "analyzer/dense.h"

#include <algorithm>
#include <cmath>

namespace llmroute::analyzer {
namespace {

// Counts of bytes that belong together, as one feature.
struct ByteGroup {
  std::string_view name;
  std::string_view bytes;
};

constexpr ByteGroup kMarkGroups[] = {
    {"question marks", "?"},
    {"exclamation marks", "!"},
    {"commas", ","},
    {"full stops", "."},
    {"colons", ":"},
    {"semicolons", ";"},
    {"double quotes", "\""},
    {"round brackets", "("},
    {"square brackets", "["},
    {"braces", "{"},
    {"angle brackets", "<>"},
    {"equals signs", "="},
    {"plus and times", "+*"},
    {"hyphens", "-"},
    {"slashes", "/"},
    {"backslashes", "\\"},
    {"underscores", "_"},
    {"dollar signs", "$"},
    {"carets", "^"},
    {"number signs", "#"},
    {"backticks", "`"},
    {"percent signs", "%"},
    {"ampersands and bars", "&|"},
};

// Scripts by the first byte of their UTF-8 sequences.
struct ByteRange {
  std::string_view name;
  uint8_t first, last;
};

constexpr ByteRange kScripts[] = {
    {"accented Latin", 0xc3, 0xc9},
    {"Greek", 0xcd, 0xcf},
    {"Cyrillic", 0xd0, 0xd3},
    {"Hebrew", 0xd6, 0xd7},
    {"Arabic", 0xd8, 0xdb},
    {"Indic and Thai", 0xe0, 0xe0},
    {"marks and symbols", 0xe2, 0xe2},
    {"kana", 0xe3, 0xe3},
    {"Han", 0xe4, 0xe9},
    {"Hangul", 0xea, 0xed},
    {"emoji", 0xf0, 0xf4},
};

constexpr std::string_view kShapeNames[] = {
    "length",           "length over 50",  "length over 200", "length over 800",
    "length over 2500", "context length",  "words",           "word length",
    "short words",      "long words",      "digits",          "numbers",
    "long numbers",     "single letters",  "distinct words",  "lines",
    "line length",      "blank lines",     "indented lines",  "list lines",
    "numbered lines",   "option lines",    "statement ends",  "colon ends",
    "question ends",    "wide characters", "spaces",
};
constexpr size_t kShapeCount = std::size(kShapeNames);
constexpr size_t kMarkCount = std::size(kMarkGroups);
constexpr size_t kScriptCount = std::size(kScripts);
static_assert(kShapeCount + kMarkCount + kScriptCount + kWordClassCount - 1 <=
              kDenseCount);

double over(double length, double bound) {
  return std::max(0.0, std::log1p(length) - std::log1p(bound));
}

// Words that differ, estimated from how many of the 1024 bits are set.
double distinct_words(const Surface& surface) {
  int set = 0;
  for (const uint64_t bits : surface.word_bits) set += std::popcount(bits);
  if (set >= 1024) return 5000;
  return -1024 * std::log(1 - set / 1024.0);
}

// Counts are as in the first kilobyte of an even text, so that long contexts
// stay within what training has seen.
constexpr double kEvenBytes = 1000;
constexpr double kLongest = 5000;

struct Counter {
  double share = 1;
  double operator()(double count) const { return std::log1p(count * share); }
};

Counter counter(const TextSizes& sizes) {
  const double scanned = static_cast<double>(sizes.scanned);
  return {scanned > kEvenBytes ? kEvenBytes / scanned : 1};
}

void append_shape(const Surface& s, const TextSizes& sizes, float*& out) {
  const double length = std::min(static_cast<double>(sizes.bytes), kLongest);
  const Counter log_count = counter(sizes);
  const double words = s.words + s.wide_characters + 1.0;
  const double lines = s.lines + 0.0;
  double digits = 0;
  for (size_t c = '0'; c <= '9'; ++c) digits += s.bytes[c];
  const double scanned = static_cast<double>(sizes.scanned) + 1;
  const double values[kShapeCount] = {
      std::log1p(length),
      over(length, 50),
      over(length, 200),
      over(length, 800),
      over(length, 2500),
      std::log1p(std::min(static_cast<double>(sizes.context_bytes), kLongest)),
      log_count(words),
      s.word_bytes / (s.words + 1.0),
      s.short_words / words,
      s.long_words / words * 4,
      digits / scanned * 10,
      log_count(s.numbers),
      log_count(s.long_numbers),
      s.lone_letters / words * 4,
      distinct_words(s) / words,
      log_count(lines),
      std::log1p(scanned / (lines + 1)),
      log_count(s.blank_lines),
      log_count(s.indented_lines),
      log_count(s.bullet_lines),
      log_count(s.numbered_lines),
      log_count(s.option_lines),
      log_count(s.statement_ends),
      log_count(s.colon_ends),
      log_count(s.question_ends),
      log_count(s.wide_characters),
      s.bytes[' '] / scanned * 4,
  };
  for (const double value : values) *out++ = static_cast<float>(value);
}

void append_marks(const Surface& s, const Counter& log_count, float*& out) {
  for (const ByteGroup& group : kMarkGroups) {
    double count = 0;
    for (const char c : group.bytes) count += s.bytes[static_cast<uint8_t>(c)];
    *out++ = static_cast<float>(log_count(count));
  }
}

void append_scripts(const Surface& s, double letters, float*& out) {
  for (const ByteRange& script : kScripts) {
    double count = 0;
    for (size_t c = script.first; c <= script.last; ++c) count += s.bytes[c];
    *out++ = static_cast<float>(count / letters * 2);
  }
}

}  // namespace

DenseFeatures dense_features(const Surface& surface, const TextSizes& sizes) {
  DenseFeatures features{};
  float* out = features.data();
  append_shape(surface, sizes, out);
  append_marks(surface, counter(sizes), out);
  const double letters = surface.word_bytes + surface.wide_characters + 1.0;
  append_scripts(surface, letters, out);
  for (size_t i = 1; i < kWordClassCount; ++i) {
    *out++ = static_cast<float>(counter(sizes)(surface.word_class[i]));
  }
  return features;
}

bool tells_domain(size_t index) {
  const bool script = index >= kShapeCount + kMarkCount &&
                      index < kShapeCount + kMarkCount + kScriptCount;
  return !script && dense_name(index) != "wide characters" &&
         dense_name(index) != "spaces";
}

std::string_view dense_name(size_t index) {
  if (index < kShapeCount) return kShapeNames[index];
  index -= kShapeCount;
  if (index < kMarkCount) return kMarkGroups[index].name;
  index -= kMarkCount;
  if (index < kScriptCount) return kScripts[index].name;
  index -= kScriptCount;
  return index + 1 < kWordClassCount ? kWordClasses[index].name
                                     : std::string_view();
}

}  // namespace llmroute::analyzer
