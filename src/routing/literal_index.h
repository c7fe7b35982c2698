// Which of many short texts a longer one holds, in a single pass: each has one
// of its three-byte pieces in a table, where every place of the text is looked
// up. To build it takes time linear in their bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute::routing {

// Immutable once built; thread-safe.
class LiteralIndex {
 public:
  struct Literal {
    std::string text;  // REQUIRES: of 3 bytes or more
    size_t owner = 0;
  };
  explicit LiteralIndex(std::vector<Literal> literals);

  // owners[o] becomes true where `text` holds a literal of o.
  void find_owners(std::string_view text, std::vector<bool>& owners) const;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  size_t slot(const char* piece) const;
  size_t emptiest_piece(std::string_view text,
                        const std::vector<uint32_t>& counts) const;

  std::vector<Literal> literals_;
  std::vector<size_t> offsets_;  // of each literal's piece
  std::vector<uint32_t> next_;   // literal in the same slot, or kNone
  std::vector<uint32_t> first_;  // slot -> literal, or kNone
  int shift_ = 0;
};

}  // namespace llmroute::routing
