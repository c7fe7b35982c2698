#include "routing/pattern_set.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "core/pattern_sketch.h"
#include "core/text_pattern.h"
#include "routing/literal_index.h"

namespace llmroute::routing {
namespace {

RE2::Options set_options(int64_t memory) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(memory);
  return options;
}

// Compiled when it is first looked for.
class LonePattern {
 public:
  explicit LonePattern(std::string_view pattern) : source_(pattern) {}

  bool found_in(std::string_view text) const {
    std::call_once(once_, [this] {
      if (auto compiled = core::TextPattern::compile(source_)) {
        pattern_ = std::move(*compiled);
      }
    });
    return pattern_ && pattern_->matches_part_of(text);
  }

 private:
  std::string source_;
  mutable std::once_flag once_;
  mutable std::optional<core::TextPattern> pattern_;
};

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

struct PatternSet::Parts {
  int64_t set_memory = 0;
  std::deque<LonePattern> alone;  // every pattern
  std::vector<LiteralIndex::Literal> literals;
  std::optional<LiteralIndex> index;  // of them
  std::vector<size_t> in_set;         // place in the set -> pattern
  std::optional<RE2::Set> set;        // none: none is needed, or too large

  void find_set(std::string_view text, std::vector<bool>& found) const;
};

PatternSet::PatternSet(int64_t set_memory) : parts_(std::make_unique<Parts>()) {
  parts_->set_memory = set_memory;
}
PatternSet::PatternSet(PatternSet&&) noexcept = default;
PatternSet& PatternSet::operator=(PatternSet&&) noexcept = default;
PatternSet::~PatternSet() = default;

base::Status PatternSet::add(std::string_view pattern) {
  const size_t number = parts_->alone.size();
  parts_->alone.emplace_back(pattern);
  auto sketch = core::sketch_pattern(pattern);
  if (sketch && !sketch->literals.empty()) {
    for (std::string& text : sketch->literals) {
      parts_->literals.push_back({std::move(text), number});
    }
    return {};
  }
  std::optional<RE2::Set>& set = parts_->set;
  if (!set) set.emplace(set_options(parts_->set_memory), RE2::UNANCHORED);
  std::string why;
  if (set->Add(piece(pattern), &why) < 0) {
    return base::Error{base::ErrorKind::kData, why};
  }
  parts_->in_set.push_back(number);
  return {};
}

void PatternSet::compile() {
  parts_->index.emplace(std::move(parts_->literals));
  if (parts_->set && !parts_->set->Compile()) parts_->set.reset();
}

size_t PatternSet::size() const { return parts_->alone.size(); }

void PatternSet::Parts::find_set(std::string_view text,
                                 std::vector<bool>& found) const {
  std::vector<int> matched;
  RE2::Set::ErrorInfo error{RE2::Set::kNoError};
  if (set && (set->Match(piece(text), &matched, &error) ||
              error.kind == RE2::Set::kNoError)) {
    for (const int place : matched) {
      found[in_set[static_cast<size_t>(place)]] = true;
    }
    return;
  }
  for (const size_t number : in_set)
    found[number] = alone[number].found_in(text);
}

std::vector<bool> PatternSet::found_in(std::string_view text) const {
  std::vector<bool> found(parts_->alone.size());
  parts_->index->find_owners(core::folded_case(text), found);
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i]) found[i] = parts_->alone[i].found_in(text);
  }
  parts_->find_set(text, found);
  return found;
}

}  // namespace llmroute::routing
