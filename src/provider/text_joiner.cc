#include "provider/text_joiner.h"

#include "base/utf8.h"

namespace llmroute::provider {
namespace {

constexpr char kSurrogateLead = '\xED';

char32_t low_bits(char byte) {
  return static_cast<char32_t>(static_cast<unsigned char>(byte) & 0x3F);
}

// The surrogate written at text[at] in three bytes; 0 if there is none.
char32_t surrogate_at(std::string_view text, size_t at) {
  if (text.size() - at < 3) return 0;
  const auto second = static_cast<unsigned char>(text[at + 1]);
  if (second < 0xA0 || second > 0xBF) return 0;
  return 0xD000 | low_bits(text[at + 1]) << 6 | low_bits(text[at + 2]);
}

}  // namespace

void TextJoiner::give_up_half(std::string& out) {
  if (high_ == 0) return;
  high_ = 0;
  repaired_ = true;
  base::append_utf8(out, 0xFFFD);
}

void TextJoiner::half(char32_t surrogate, std::string& out) {
  const bool is_low = surrogate >= 0xDC00;
  if (is_low && high_ != 0) {
    const char32_t high = high_;
    high_ = 0;
    base::append_utf8(out,
                      0x10000 + ((high - 0xD800) << 10) + (surrogate - 0xDC00));
    return;
  }
  give_up_half(out);
  high_ = surrogate;
  if (is_low) give_up_half(out);
}

std::string TextJoiner::add(std::string_view piece) {
  std::string out;
  size_t copied = 0;
  auto copy_until = [&](size_t end) {
    if (end > copied) give_up_half(out);
    out.append(piece.substr(copied, end - copied));
  };
  size_t at = piece.find(kSurrogateLead);
  while (at != std::string_view::npos) {
    const char32_t surrogate = surrogate_at(piece, at);
    if (surrogate == 0) {
      at = piece.find(kSurrogateLead, at + 1);
      continue;
    }
    copy_until(at);
    half(surrogate, out);
    copied = at + 3;
    at = piece.find(kSurrogateLead, copied);
  }
  copy_until(piece.size());
  return out;
}

std::string TextJoiner::finish() {
  std::string out;
  give_up_half(out);
  return out;
}

}  // namespace llmroute::provider
