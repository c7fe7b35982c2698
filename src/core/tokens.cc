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

// Tokens of runs up to a block's length, by kind: a look-up does not branch.
constexpr size_t kBlock = 64;
using RunTokens = std::array<std::array<uint8_t, kBlock + 1>, 5>;

constexpr RunTokens make_run_tokens() {
  RunTokens table{};
  for (size_t n = 1; n <= kBlock; ++n) {
    const size_t tokens[] = {1 + (n - 1) / 7, (n + 2) / 3, n > 1, 1,
                             (10 * n + 16) / 17};
    for (size_t kind = 0; kind < table.size(); ++kind) {
      table[kind][n] = static_cast<uint8_t>(tokens[kind]);
    }
  }
  return table;
}
constexpr RunTokens kRunTokens = make_run_tokens();

int64_t whole_tokens(Kind kind, size_t length) {
  return length <= kBlock ? kRunTokens[static_cast<size_t>(kind)][length]
                          : static_cast<int64_t>(run_tokens(kind, length));
}

// Of each byte of a block; without branches and look-ups, so that the compiler
// takes many at once.
void find_kinds(const char* text, uint8_t* kinds) {
  for (size_t i = 0; i < kBlock; ++i) {
    const auto c = static_cast<uint8_t>(text[i]);
    const bool letter = static_cast<uint8_t>((c | 0x20) - 'a') < 26;
    const bool digit = static_cast<uint8_t>(c - '0') < 10;
    const bool blank = c == ' ' || c == '\t';
    const bool newline = c == '\n' || c == '\r';
    kinds[i] =
        static_cast<uint8_t>(4 - 4 * letter - 3 * digit - 2 * blank - newline);
  }
}

// Bit i: kinds[i] is another than kinds[i - 1]. Eight at a time: kinds are less
// than 128, so that adding 127 sets the high bit of those that differ.
uint64_t changes(const uint8_t* kinds) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kEachToItsBit = 0x0102040810204080;
  static_assert(std::endian::native == std::endian::little);
  uint64_t all = 0;
  for (size_t i = 0; i < kBlock; i += 8) {
    uint64_t here = 0, before = 0;
    std::memcpy(&here, kinds + i, 8);
    std::memcpy(&before, kinds + i - 1, 8);
    const uint64_t differ = (((here ^ before) + 0x7F * kOnes) >> 7) & kOnes;
    all |= (differ * kEachToItsBit >> 56) << i;
  }
  return all;
}

// Of ASCII, whose counts are whole numbers.
int64_t ascii_tokens(std::string_view text) {
  if (text.empty()) return 0;
  int64_t tokens = 0;
  Kind kind = kind_at(text, 0);
  size_t start = 0;
  std::array<uint8_t, kBlock + 1> kinds{};
  std::array<char, kBlock> last{};
  for (size_t at = 0; at < text.size(); at += kBlock) {
    const size_t count = std::min(kBlock, text.size() - at);
    const char* block = text.data() + at;
    if (count < kBlock) {
      std::memcpy(last.data(), block, count);
      block = last.data();
    }
    kinds[0] = static_cast<uint8_t>(kind);
    find_kinds(block, kinds.data() + 1);
    uint64_t begins = changes(kinds.data() + 1);
    if (count < kBlock) begins &= (uint64_t{1} << count) - 1;
    for (; begins != 0; begins &= begins - 1) {
      const auto i = static_cast<size_t>(std::countr_zero(begins));
      tokens += whole_tokens(kind, at + i - start);
      start = at + i;
      kind = static_cast<Kind>(kinds[i + 1]);
    }
  }
  return tokens + whole_tokens(kind, text.size() - start);
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
  for (const Tool& tool : parameters.tools) {
    bound += most_tokens(tool.name) + most_tokens(tool.description) +
             most_tokens(tool.parameters) + kPerMessage;
  }
  const bool tools = !parameters.tools.empty() || prompt.has_calls();
  return bound + (tools ? kWithTools : kPerRequest);
}

}  // namespace llmroute::core
