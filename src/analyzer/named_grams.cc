#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analyzer/features.h"

namespace llmroute::analyzer {
namespace {

// The word as it is hashed: lower-cased, digits as '0'.
std::string normalised(std::string_view text) {
  std::string word;
  size_t digits = 0;
  for (size_t at = 0; at < text.size();) {
    const auto c = static_cast<uint8_t>(text[at]);
    if (c >= 0x80) {
      const Wide wide = read_wide(text, at);
      for (size_t i = 0; i < wide.length; ++i) {
        word += static_cast<char>(wide.bytes[i]);
      }
      at += wide.length;
      continue;
    }
    ++at;
    if (c == '\'') continue;
    const bool digit = kByteTable.kind[c] == ByteKind::kDigit;
    if (digit && ++digits > 4) continue;
    word += static_cast<char>(kByteTable.lower[c]);
  }
  return word;
}

class NameSink {
 public:
  void set_text(std::string_view text) { text_ = text; }
  void gram(GramKind kind, uint64_t hash, size_t begin, size_t end) {
    if (kind == GramKind::kEdge) return add(hash, edge_names_[hash], true);
    if (kind == GramKind::kPair) return add_word(hash, before_ + " " + last_);
    before_ = std::move(last_);
    last_ = normalised(text_.substr(begin, end - begin));
    add_word(hash, last_);
  }
  std::vector<NamedGram> take() { return std::move(grams_); }

 private:
  void add_word(uint64_t hash, const std::string& name) {
    edge_names_.try_emplace(edge_hash(hash), name);
    add(hash, name);
  }

  // Edges by hash, the others by id, each id once.
  void add(uint64_t hash, const std::string& name, bool edge = false) {
    const uint64_t key = edge ? hash : gram_id(hash);
    const auto [place, is_new] = index_.try_emplace(key, grams_.size());
    if (is_new) grams_.push_back({name, hash, 0, edge});
    if (is_new || edge) ++grams_[place->second].count;
  }

  std::string_view text_;
  std::string before_, last_;
  std::vector<NamedGram> grams_;
  std::unordered_map<uint64_t, size_t> index_;
  std::unordered_map<uint64_t, std::string> edge_names_;
};

}  // namespace

std::vector<NamedGram> named_grams(const Window& window) {
  NameSink sink;
  Surface surface;
  Scanner<NameSink> scanner(sink, surface);
  const size_t edges = edge_piece(window);
  for (size_t i = 0; i < window.pieces.size(); ++i) {
    if (window.pieces[i].empty()) continue;
    sink.set_text(window.pieces[i]);
    scanner.feed(window.pieces[i], i == edges);
  }
  return sink.take();
}

}  // namespace llmroute::analyzer
