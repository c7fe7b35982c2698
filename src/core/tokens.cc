// Counts what a byte-pair vocabulary would, by kind of run: words of up to
// seven letters are one token, digits go by three, punctuation alone, blanks
// with the word that follows. Beyond ASCII it counts code points: East Asian
// about 0.9 tokens each, other scripts about 0.5.
#include "core/tokens.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/json_writer.h"
#include "base/utf8.h"
#include "core/nfkc.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace llmroute::core {
namespace {

enum class Kind : uint8_t { kLetter, kDigit, kBlank, kNewline, kMark, kWide };

constexpr Kind kind_of(char c) {
  if (static_cast<unsigned char>(c) >= 0x80) return Kind::kWide;
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return Kind::kLetter;
  if (c >= '0' && c <= '9') return Kind::kDigit;
  if (c == '\n' || c == '\r') return Kind::kNewline;
  if (c == ' ' || c == '\t') return Kind::kBlank;
  return Kind::kMark;
}

constexpr std::array<Kind, 256> make_kinds() {
  std::array<Kind, 256> kinds{};
  for (size_t c = 0; c < kinds.size(); ++c) {
    kinds[c] = kind_of(static_cast<char>(c));
  }
  return kinds;
}
constexpr std::array<Kind, 256> kKinds = make_kinds();

Kind kind_at(std::string_view text, size_t at) {
  return kKinds[static_cast<unsigned char>(text[at])];
}

double run_tokens(Kind kind, size_t length) {
  const auto n = static_cast<double>(length);
  switch (kind) {
    case Kind::kLetter:
      return static_cast<double>(1 + (length - 1) / 7);
    case Kind::kDigit:
      return static_cast<double>((length + 2) / 3);
    case Kind::kBlank:
      return length > 1 ? 1 : 0;
    case Kind::kNewline:
      return 1;
    case Kind::kMark:
      return std::ceil(n / 1.7);
    case Kind::kWide:
      break;
  }
  return n;
}

double wide_tokens(char32_t c) {
  if (c >= 0x1F000) return c < 0x20000 ? 2 : 1.5;
  return c >= 0x2E80 && c < 0xFE00 ? 0.9 : 0.5;
}

int64_t whole_tokens(Kind kind, size_t length) {
  constexpr size_t kExact = 64;  // of marks; beyond, as run_tokens() has it
  if (kind == Kind::kMark && length <= kExact) {
    return static_cast<int64_t>((10 * length + 16) / 17);
  }
  return static_cast<int64_t>(run_tokens(kind, length));
}

// A block of text, and the same for each kind of its bytes: one bit a byte.
constexpr size_t kBlock = 64;
struct KindBits {
  uint64_t letter = 0, digit = 0, blank = 0, newline = 0;
};

#if defined(__SSE2__)

uint64_t mask_of(__m128i bytes) {
  return static_cast<uint32_t>(_mm_movemask_epi8(bytes));
}

// first <= byte < first + count, by one signed comparison.
__m128i in_range(__m128i bytes, int first, int count) {
  const __m128i shifted =
      _mm_add_epi8(bytes, _mm_set1_epi8(static_cast<char>(128 - first)));
  return _mm_cmplt_epi8(shifted, _mm_set1_epi8(static_cast<char>(count - 128)));
}

__m128i either(__m128i bytes, char one, char other) {
  return _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(one)),
                      _mm_cmpeq_epi8(bytes, _mm_set1_epi8(other)));
}

KindBits kinds_of(const char* text) {
  KindBits kinds;
  for (size_t i = 0; i < kBlock; i += 16) {
    const __m128i bytes =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + i));
    const __m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    kinds.letter |= mask_of(in_range(lower, 'a', 26)) << i;
    kinds.digit |= mask_of(in_range(bytes, '0', 10)) << i;
    kinds.blank |= mask_of(either(bytes, ' ', '\t')) << i;
    kinds.newline |= mask_of(either(bytes, '\n', '\r')) << i;
  }
  return kinds;
}

#else

KindBits kinds_of(const char* text) {
  KindBits kinds;
  for (size_t i = 0; i < kBlock; ++i) {
    const Kind kind = kind_of(text[i]);
    kinds.letter |= uint64_t{kind == Kind::kLetter} << i;
    kinds.digit |= uint64_t{kind == Kind::kDigit} << i;
    kinds.blank |= uint64_t{kind == Kind::kBlank} << i;
    kinds.newline |= uint64_t{kind == Kind::kNewline} << i;
  }
  return kinds;
}

#endif

// Bits of a block, and of the block before.
class Bits {
 public:
  uint64_t next(uint64_t block) {
    before_ = block_;
    return block_ = block;
  }
  // Of the bytes that stand `n` before.
  uint64_t behind(int n) const {
    return block_ << n | before_ >> (static_cast<int>(kBlock) - n);
  }
  // Those with none in front.
  uint64_t first() const { return block_ & ~behind(1); }

 private:
  uint64_t block_ = 0, before_ = 0;
};

// Of the runs of a kind: where a token begins, in those as long as most are;
// and the byte after those that are longer, of which only `counted` tokens are
// told.
struct TokenBits {
  uint64_t begins = 0;
  uint64_t long_ends = 0;
  int64_t counted = 0;
};

// Tokens of letters: one for every seven.
class LetterRuns {
 public:
  TokenBits next(uint64_t letters) {
    all_.next(letters);
    const uint64_t two = two_.next(letters & all_.behind(1));
    const uint64_t four = four_.next(two & two_.behind(2));
    const uint64_t from_7 = from_7_.next(four & four_.behind(4));
    const uint64_t from_14 = from_14_.next(from_7 & from_7_.behind(7));
    from_21_.next(from_14 & from_14_.behind(7));
    return {all_.first() | from_7_.first() | from_14_.first(),
            from_21_.behind(1) & ~letters, 3};
  }

 private:
  // With so many before them in their run, or so many in a row with them.
  Bits all_, two_, four_, from_7_, from_14_, from_21_;
};

// One for every three.
class DigitRuns {
 public:
  TokenBits next(uint64_t digits) {
    all_.next(digits);
    const uint64_t two = two_.next(digits & all_.behind(1));
    const uint64_t from_3 = from_3_.next(two & two_.behind(2));
    const uint64_t from_6 = from_6_.next(from_3 & from_3_.behind(3));
    from_9_.next(from_6 & from_6_.behind(3));
    return {all_.first() | from_3_.first() | from_6_.first(),
            from_9_.behind(1) & ~digits, 3};
  }

 private:
  Bits all_, two_, from_3_, from_6_, from_9_;
};

// Ten for every seventeen, rounded up.
class MarkRuns {
 public:
  TokenBits next(uint64_t marks) {
    all_.next(marks);
    const uint64_t two = two_.next(marks & all_.behind(1));
    from_3_.next(two & two_.behind(2));
    return {all_.first() | two_.first(), from_3_.behind(1) & ~marks, 2};
  }

 private:
  Bits all_, two_, from_3_;
};

int64_t run_before(std::string_view text, size_t end) {
  const Kind kind = kind_at(text, end - 1);
  size_t begin = end - 1;
  while (begin > 0 && kind_at(text, begin - 1) == kind) --begin;
  return whole_tokens(kind, end - begin);
}

int64_t long_tokens(std::string_view text, size_t block,
                    const TokenBits& tokens) {
  int64_t missing = 0;
  for (uint64_t ends = tokens.long_ends; ends != 0; ends &= ends - 1) {
    const auto at = static_cast<size_t>(std::countr_zero(ends));
    missing += run_before(text, block + at) - tokens.counted;
  }
  return missing;
}

class TokenCounter {
 public:
  explicit TokenCounter(std::string_view text) : text_(text) {}

  // The block that begins at `at`, of which `inside` is text.
  void add(const char* block, size_t at, uint64_t inside) {
    const KindBits kinds = kinds_of(block);
    const TokenBits letters = letters_.next(kinds.letter);
    const TokenBits digits = digits_.next(kinds.digit);
    const TokenBits marks = marks_.next(
        inside & ~(kinds.letter | kinds.digit | kinds.blank | kinds.newline));
    blanks_.next(kinds.blank);
    two_blanks_.next(kinds.blank & blanks_.behind(1));
    newlines_.next(kinds.newline);
    tokens_ += std::popcount(letters.begins | digits.begins | marks.begins |
                             two_blanks_.first() | newlines_.first());
    if ((letters.long_ends | digits.long_ends | marks.long_ends) == 0) return;
    for (const TokenBits& bits : {letters, digits, marks}) {
      tokens_ += long_tokens(text_, at, bits);
    }
  }
  int64_t tokens() const { return tokens_; }

 private:
  std::string_view text_;
  LetterRuns letters_;
  DigitRuns digits_;
  MarkRuns marks_;
  Bits blanks_, two_blanks_, newlines_;
  int64_t tokens_ = 0;
};

// Of ASCII, whose counts are whole numbers.
int64_t ascii_tokens(std::string_view text) {
  TokenCounter counter(text);
  size_t at = 0;
  for (; at + kBlock <= text.size(); at += kBlock) {
    counter.add(text.data() + at, at, ~uint64_t{0});
  }
  // Never a full block, so that every run has an end.
  std::array<char, kBlock> last{};
  const size_t count = text.size() - at;
  std::copy_n(text.data() + at, count, last.data());
  counter.add(last.data(), at, (uint64_t{1} << count) - 1);
  return counter.tokens();
}

int64_t most_tokens(std::string_view text) {
  return static_cast<int64_t>(text.size()) + nfkc_growth(text);
}

// What a call gave may be sent as a JSON string.
int64_t most_tokens(const Message& message) {
  if (message.role != Role::kTool) return most_tokens(message.text);
  std::string quoted;
  base::append_json_string(quoted, message.text);
  return most_tokens(quoted) + most_tokens(message.call_id) +
         most_tokens(message.call_name);
}

}  // namespace

int64_t estimate_tokens(std::string_view text) {
  const size_t ascii = base::ascii_run(text, 0);
  if (ascii == text.size()) return ascii_tokens(text);
  auto tokens = static_cast<double>(ascii_tokens(text.substr(0, ascii)));
  for (size_t at = ascii; at < text.size();) {
    const Kind kind = kind_at(text, at);
    if (kind == Kind::kWide) {
      tokens += wide_tokens(base::next_code_point(text, at));
      continue;
    }
    const size_t start = at;
    do {
      ++at;
    } while (at < text.size() && kind_at(text, at) == kind);
    tokens += run_tokens(kind, at - start);
  }
  return std::llround(std::ceil(tokens));
}

int64_t estimate_input_tokens(const Prompt& prompt) {
  int64_t tokens = estimate_tokens(prompt.system) + 3;
  tokens += estimate_tokens(prompt.parameters.schema);
  for (const Tool& tool : prompt.parameters.tools) {
    tokens += estimate_tokens(tool.name) + estimate_tokens(tool.description) +
              estimate_tokens(tool.parameters);
  }
  for (const Message& message : prompt.messages) {
    tokens += estimate_tokens(message.text) + 4;
    for (const ToolCall& call : message.calls) {
      tokens += estimate_tokens(call.name) + estimate_tokens(call.arguments);
    }
  }
  return tokens;
}

int64_t input_token_bound(const Prompt& prompt) {
  constexpr int64_t kPerMessage = 16;
  constexpr int64_t kPerRequest = 64;
  constexpr int64_t kWithTools = 1000;
  int64_t bound = most_tokens(prompt.system) + kPerMessage;
  for (const Message& message : prompt.messages) {
    bound += most_tokens(message) + kPerMessage;
    for (const ToolCall& call : message.calls) {
      bound += most_tokens(call.id) + most_tokens(call.name) +
               most_tokens(call.arguments) + kPerMessage;
    }
  }
  const Parameters& parameters = prompt.parameters;
  bound += most_tokens(parameters.schema);
  // A field may take the place of the messages.
  for (const auto& [name, value] : parameters.extra) {
    bound += most_tokens(name) + most_tokens(value);
  }
  for (const Tool& tool : parameters.tools) {
    bound += most_tokens(tool.name) + most_tokens(tool.description) +
             most_tokens(tool.parameters) + kPerMessage;
  }
  const bool tools = !parameters.tools.empty() || prompt.has_calls();
  return bound + (tools ? kWithTools : kPerRequest);
}

}  // namespace llmroute::core
