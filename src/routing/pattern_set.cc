#include "routing/pattern_set.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
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

  const std::string& source() const { return source_; }
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

// Patterns that are matched at once.
struct Together {
  std::vector<size_t> patterns;  // place in the set -> number
  std::optional<RE2::Set> set;   // none: too large

  base::Status add(const std::deque<LonePattern>& all, size_t number,
                   int64_t memory);
  void compile();
  void find(std::string_view text, const std::deque<LonePattern>& all,
            std::vector<bool>& found) const;
};

// So many patterns whose words are in a text are no longer tried one by one.
constexpr size_t kManyToTry = 32;

}  // namespace

struct PatternSet::Parts {
  int64_t set_memory = 0;
  std::deque<LonePattern> all;
  std::vector<LiteralIndex::Literal> literals;
  std::optional<LiteralIndex> index;  // of them
  Together wordless;                  // patterns without a literal
  std::vector<size_t> worded;         // the others
  std::once_flag many;
  Together worded_together;  // compiled when many are to be tried at once

  const Together& together();
};

PatternSet::PatternSet(int64_t set_memory) : parts_(std::make_unique<Parts>()) {
  parts_->set_memory = set_memory;
}
PatternSet::PatternSet(PatternSet&&) noexcept = default;
PatternSet& PatternSet::operator=(PatternSet&&) noexcept = default;
PatternSet::~PatternSet() = default;

base::Status PatternSet::add(std::string_view pattern) {
  const size_t number = parts_->all.size();
  parts_->all.emplace_back(pattern);
  auto sketch = core::sketch_pattern(pattern);
  if (sketch && !sketch->literals.empty()) {
    for (std::string& text : sketch->literals) {
      parts_->literals.push_back({std::move(text), number});
    }
    parts_->worded.push_back(number);
    return {};
  }
  return parts_->wordless.add(parts_->all, number, parts_->set_memory);
}

void PatternSet::compile() {
  parts_->index.emplace(std::move(parts_->literals));
  parts_->wordless.compile();
}

size_t PatternSet::size() const { return parts_->all.size(); }

base::Status Together::add(const std::deque<LonePattern>& all, size_t number,
                           int64_t memory) {
  if (!set) set.emplace(set_options(memory), RE2::UNANCHORED);
  std::string why;
  if (set->Add(piece(all[number].source()), &why) < 0) {
    return base::Error{base::ErrorKind::kData, why};
  }
  patterns.push_back(number);
  return {};
}

void Together::compile() {
  if (set && !set->Compile()) set.reset();
}

void Together::find(std::string_view text, const std::deque<LonePattern>& all,
                    std::vector<bool>& found) const {
  std::vector<int> matched;
  RE2::Set::ErrorInfo error{RE2::Set::kNoError};
  if (set && (set->Match(piece(text), &matched, &error) ||
              error.kind == RE2::Set::kNoError)) {
    for (const size_t number : patterns) found[number] = false;
    for (const int place : matched) {
      found[patterns[static_cast<size_t>(place)]] = true;
    }
    return;
  }
  for (const size_t number : patterns) {
    found[number] = all[number].found_in(text);
  }
}

const Together& PatternSet::Parts::together() {
  std::call_once(many, [this] {
    for (const size_t number : worded) {
      if (!worded_together.add(all, number, set_memory)) {
        worded_together.set.reset();
        worded_together.patterns = worded;
        return;
      }
    }
    worded_together.compile();
  });
  return worded_together;
}

std::vector<bool> PatternSet::found_in(std::string_view text) const {
  std::vector<bool> found(parts_->all.size());
  parts_->index->find_owners(core::folded_case(text), found);
  const auto to_try =
      static_cast<size_t>(std::count(found.begin(), found.end(), true));
  if (to_try > kManyToTry) {
    parts_->together().find(text, parts_->all, found);
  } else {
    for (size_t i = 0; i < found.size(); ++i) {
      if (found[i]) found[i] = parts_->all[i].found_in(text);
    }
  }
  parts_->wordless.find(text, parts_->all, found);
  return found;
}

}  // namespace llmroute::routing
