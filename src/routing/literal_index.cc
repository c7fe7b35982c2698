#include "routing/literal_index.h"

#include <bit>

namespace llmroute::routing {
namespace {

constexpr size_t kPiece = 3;

uint32_t number_of(const char* piece) {
  const auto byte = [piece](size_t i) {
    return uint32_t{static_cast<unsigned char>(piece[i])};
  };
  return byte(0) | byte(1) << 8 | byte(2) << 16;
}

}  // namespace

LiteralIndex::LiteralIndex(std::vector<Literal> literals)
    : literals_(std::move(literals)),
      offsets_(literals_.size()),
      next_(literals_.size(), kNone) {
  constexpr size_t kSlotsPerLiteral = 4;
  const auto bits =
      static_cast<int>(std::bit_width(literals_.size() * kSlotsPerLiteral)) + 1;
  shift_ = 32 - bits;
  first_.assign(size_t{1} << bits, kNone);
  std::vector<uint32_t> counts(first_.size());
  for (uint32_t i = 0; i < literals_.size(); ++i) {
    const std::string_view text = literals_[i].text;
    offsets_[i] = emptiest_piece(text, counts);
    const size_t at = slot(text.data() + offsets_[i]);
    next_[i] = first_[at];
    first_[at] = i;
    ++counts[at];
  }
}

// By multiplication (Knuth 6.4): the upper bits are the mixed ones.
size_t LiteralIndex::slot(const char* piece) const {
  return (number_of(piece) * uint32_t{2654435761}) >> shift_;
}

size_t LiteralIndex::emptiest_piece(std::string_view text,
                                    const std::vector<uint32_t>& counts) const {
  size_t best = 0;
  for (size_t at = 1; at + kPiece <= text.size(); ++at) {
    if (counts[slot(text.data() + at)] < counts[slot(text.data() + best)]) {
      best = at;
    }
  }
  return best;
}

void LiteralIndex::find_owners(std::string_view text,
                               std::vector<bool>& owners) const {
  if (literals_.empty()) return;
  for (size_t at = 0; at + kPiece <= text.size(); ++at) {
    for (uint32_t i = first_[slot(text.data() + at)]; i != kNone;
         i = next_[i]) {
      const Literal& literal = literals_[i];
      if (owners[literal.owner] || at < offsets_[i]) continue;
      const size_t begin = at - offsets_[i];
      owners[literal.owner] = text.substr(begin).starts_with(literal.text);
    }
  }
}

}  // namespace llmroute::routing
