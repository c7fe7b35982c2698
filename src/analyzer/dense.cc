#include "analyzer/dense.h"

#include <algorithm>
#include <cmath>
#include <utility>

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
    {"emoji", 0xf0, 0xf4},  // always 0: see append_scripts()
};

constexpr std::string_view kShapeNames[] = {
    "length",           "length over 50",  "length over 200", "length over 800",
    "length over 2500", "context length",  "words",           "word length",
    "short words",      "long words",      "digits",          "numbers",
    "long numbers",     "single letters",  "distinct words",  "lines",
    "line length",      "blank lines",     "indented lines",  "list lines",
    "numbered lines",   "option lines",    "statement ends",  "colon ends",
    "question ends",    "wide characters",
};
constexpr size_t kShapeCount = std::size(kShapeNames);
constexpr size_t kMarkCount = std::size(kMarkGroups);
constexpr size_t kScriptCount = std::size(kScripts);
static_assert(kShapeCount + kMarkCount + kScriptCount + kWordClassCount - 1 <=
              kDenseCount);

// log1p of small counts: most of what a short prompt needs.
constexpr uint32_t kTabled = 256;

struct Logarithms {
  double of[kTabled];

  Logarithms() {
    for (size_t n = 0; n < kTabled; ++n) {
      of[n] = std::log1p(static_cast<double>(n));
    }
  }
};

const Logarithms& logarithms() {
  static const Logarithms kTable;
  return kTable;
}

constexpr double kLengthBounds[] = {50, 200, 800, 2500};

// Counts are as in the first kilobyte of an even text, so that long contexts
// stay within what training has seen.
constexpr double kEvenBytes = 1000;
constexpr double kLongest = 5000;

class Counter {
 public:
  explicit Counter(double length) : table_(logarithms().of) {
    if (length <= kEvenBytes) return;
    share_ = kEvenBytes / length;
    tabled_ = 1;  // 0 stays 0
  }
  double operator()(uint32_t count) const {
    return count < tabled_ ? table_[count] : std::log1p(count * share_);
  }

 private:
  const double* table_;
  uint32_t tabled_ = kTabled;
  double share_ = 1;
};

// Of the text that was looked at; wide characters are two bytes' worth.
double length_of(const Surface& s) {
  return s.word_bytes + s.words + 2.0 * s.wide_characters;
}

// How far the length is beyond each bound, on a logarithmic scale. `share`: of
// the bytes of a text, what counts as its length.
void append_length(const Window& window, double share, float*& out) {
  static const std::array<double, std::size(kLengthBounds)> kBounds = [] {
    std::array<double, std::size(kLengthBounds)> bounds{};
    for (size_t i = 0; i < bounds.size(); ++i) {
      bounds[i] = std::log1p(kLengthBounds[i]);
    }
    return bounds;
  }();
  const double length =
      std::min(share * static_cast<double>(window.text_bytes), kLongest);
  const double context =
      std::min(share * static_cast<double>(window.context_bytes), kLongest);
  const double logarithm = std::log1p(length);
  *out++ = static_cast<float>(logarithm);
  for (const double bound : kBounds) {
    *out++ = static_cast<float>(std::max(0.0, logarithm - bound));
  }
  *out++ = static_cast<float>(context == 0 ? 0 : std::log1p(context));
}

void append_shape(const Surface& s, uint32_t distinct_words, double length,
                  const Counter& log_count, float*& out) {
  const uint32_t all_words = s.words + s.wide_characters + 1;
  const double words = all_words;
  const uint32_t lines = s.lines - s.blank_lines;
  const double values[kShapeCount - 6] = {
      log_count(all_words),
      s.word_bytes / (s.words + 1.0),
      s.short_words / words,
      s.long_words / words * 4,
      s.digits / (length + 1) * 10,
      log_count(s.numbers),
      log_count(s.long_numbers),
      s.lone_letters / words * 4,
      distinct_words / words,
      log_count(lines),
      std::log1p((length + 1) / (lines + 1.0)),
      log_count(s.blank_lines),
      log_count(s.indented_lines),
      log_count(s.bullet_lines),
      log_count(s.numbered_lines),
      log_count(s.option_lines),
      log_count(s.statement_ends),
      log_count(s.colon_ends),
      log_count(s.question_ends),
      log_count(s.wide_characters),
  };
  for (const double value : values) *out++ = static_cast<float>(value);
}

void append_marks(const uint32_t* bytes, const Counter& log_count,
                  float*& out) {
  for (const ByteGroup& group : kMarkGroups) {
    const uint32_t count =
        bytes[static_cast<uint8_t>(group.bytes.front())] +
        (group.bytes.size() > 1 ? bytes[static_cast<uint8_t>(group.bytes[1])]
                                : 0);
    *out++ = static_cast<float>(log_count(count));
  }
}

// The loops are unrolled by the compiler: their bounds are known to it. Emoji
// are no letters: beside a few words they would outweigh everything, and they
// say nothing of what is asked. Their place is kept for the model's layout.
template <size_t... i>
void append_scripts(const uint32_t* bytes, double letters, float*& out,
                    std::index_sequence<i...>) {
  const auto count = [&](const ByteRange& script) {
    uint32_t sum = 0;
    if (script.first == 0xf0) return sum;
    for (size_t c = script.first; c <= script.last; ++c) sum += bytes[c];
    return sum;
  };
  ((*out++ = static_cast<float>(count(kScripts[i]) / letters * 2)), ...);
}

}  // namespace

DenseFeatures dense_features(const Surface& surface, const Window& window,
                             uint32_t distinct_words) {
  DenseFeatures features{};
  float* out = features.data();
  const double length = length_of(surface);
  const Counter log_count(length);
  append_length(
      window,
      window.bytes == 0 ? 0 : length / static_cast<double>(window.bytes), out);
  append_shape(surface, distinct_words, length, log_count, out);
  append_marks(surface.bytes.data(), log_count, out);
  const double letters = surface.word_bytes + surface.wide_characters + 1.0;
  append_scripts(surface.bytes.data(), letters, out,
                 std::make_index_sequence<kScriptCount>());
  const uint32_t* word_class = surface.word_class.data();
  for (size_t i = 1; i < kWordClassCount; ++i) {
    *out++ = static_cast<float>(log_count(word_class[i]));
  }
  return features;
}

bool tells_domain(size_t index) {
  const bool script = index >= kShapeCount + kMarkCount &&
                      index < kShapeCount + kMarkCount + kScriptCount;
  return !script && dense_name(index) != "wide characters";
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
