#include "core/pattern_sketch.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "base/utf8.h"

namespace llmroute::core {
namespace {

using Literals = std::vector<std::string>;

// So long a pattern, of whatever it is made, stays far below 8 MiB compiled. A
// counted repetition is as long as what it repeats is written out.
constexpr size_t kLongest = 4000;
constexpr int64_t kMostTimes = 100;
constexpr int kDeepest = 50;

bool one_of(std::string_view set, char c) {
  return set.find(c) != std::string_view::npos;
}

bool is_punctuation(char c) {
  return one_of("!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~", c);
}

size_t least_length(const Literals& literals) {
  size_t least = literals.empty() ? 0 : SIZE_MAX;
  for (const std::string& one : literals) least = std::min(least, one.size());
  return least;
}

void keep_better(Literals& best, Literals found) {
  if (least_length(found) > least_length(best)) best = std::move(found);
}

std::string with_all_replaced(const std::string& text, std::string_view from,
                              char to) {
  std::string out;
  size_t done = 0;
  for (size_t at = 0; (at = text.find(from, done)) != std::string::npos;
       done = at + from.size()) {
    out.append(text, done, at - done) += to;
  }
  return out.append(text, done);
}

// One thing that may be repeated.
struct Atom {
  enum class Kind { kCharacter, kAssertion, kOther };
  Kind kind = Kind::kOther;
  std::string_view character;  // kCharacter
  Literals literals;           // kOther: what it needs
};

enum class Times { kOnce, kMaybe, kMore };

// Recursive descent; each step returns false where it does not know.
class Reader {
 public:
  explicit Reader(std::string_view pattern)
      : rest_(pattern), length_(pattern.size()) {}

  bool read(Literals& needed) {
    return read_flags() && read_alternatives(needed, 0) && rest_.empty() &&
           length_ <= kLongest;
  }

 private:
  bool next_is(std::string_view set) const {
    return !rest_.empty() && one_of(set, rest_.front());
  }
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  std::string_view take_character();
  bool read_flags();
  bool read_alternatives(Literals& needed, int depth);
  bool read_sequence(Literals& needed, int depth);
  bool read_atom(Atom& atom, int depth);
  bool read_escape(Atom& atom);
  bool read_class();
  bool read_class_item();
  bool read_times(Times& times, bool may_count);
  bool read_counts(Times& times);
  std::optional<size_t> take_count();

  std::string_view rest_;
  size_t length_;       // with counted repetitions written out
  bool folds_ = false;  // (?i)
};

// REQUIRES: valid UTF-8.
std::string_view Reader::take_character() {
  size_t size = 1;
  while (size < rest_.size() && (rest_[size] & 0xC0) == 0x80) ++size;
  const std::string_view character = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return character;
}

bool Reader::read_flags() {
  const size_t end = rest_.find_first_not_of("ims", 2);
  if (!rest_.starts_with("(?") || end == 2 || end == std::string_view::npos ||
      rest_[end] != ')') {
    return true;  // none, or read_atom() will not know them
  }
  folds_ = one_of(rest_.substr(2, end - 2), 'i');
  rest_.remove_prefix(end + 1);
  return true;
}

bool Reader::read_alternatives(Literals& needed, int depth) {
  bool all_need = true;
  do {
    Literals one;
    if (!read_sequence(one, depth)) return false;
    all_need = all_need && !one.empty();
    std::move(one.begin(), one.end(), std::back_inserter(needed));
  } while (take("|"));
  if (!all_need) needed.clear();
  return true;
}

bool Reader::read_sequence(Literals& needed, int depth) {
  std::string run;
  const auto end_run = [&] {
    const std::string folded = folded_case(run);
    if (folded.size() >= kLeastLiteral) keep_better(needed, {folded});
    run.clear();
  };
  while (!rest_.empty() && !next_is("|)")) {
    Atom atom;
    Times times = Times::kOnce;
    const bool single = !next_is("(");
    if (!read_atom(atom, depth) || !read_times(times, single)) return false;
    if (atom.kind == Atom::Kind::kAssertion) {
      if (times != Times::kOnce) return false;
      continue;
    }
    if (times != Times::kMaybe) {
      run += atom.character;
      keep_better(needed, std::move(atom.literals));
    }
    if (atom.kind == Atom::Kind::kOther || times != Times::kOnce) end_run();
  }
  end_run();
  return true;
}

bool Reader::read_atom(Atom& atom, int depth) {
  if (take("(")) {
    if (depth == kDeepest || (next_is("?") && !take("?:"))) return false;
    return read_alternatives(atom.literals, depth + 1) && take(")");
  }
  if (take("[")) return read_class();
  if (take("\\")) return read_escape(atom);
  if (take(".")) return true;
  if (take("^") || take("$")) {
    atom.kind = Atom::Kind::kAssertion;
    return true;
  }
  if (next_is("*+?{}]")) return false;
  const std::string_view character = take_character();
  if (folds_ && character.size() > 1) return true;
  atom.kind = Atom::Kind::kCharacter;
  atom.character = character;
  return true;
}

bool Reader::read_escape(Atom& atom) {
  if (rest_.empty()) return false;
  const std::string_view character = take_character();
  const char c = character.front();
  if (one_of("dDsSwWntrfv", c)) return true;
  if (one_of("bBAz", c)) {
    atom.kind = Atom::Kind::kAssertion;
    return true;
  }
  atom.kind = Atom::Kind::kCharacter;
  atom.character = character;
  return is_punctuation(c);
}

bool Reader::read_class() {
  take("^");
  do {
    if (!read_class_item()) return false;
    if (rest_.starts_with("-]")) take("-");
  } while (!take("]"));
  return true;
}

bool Reader::read_class_item() {
  if (rest_.empty()) return false;
  if (take("\\")) {
    const bool known = !rest_.empty() && (one_of("dDsSwWnt", rest_.front()) ||
                                          is_punctuation(rest_.front()));
    if (known) take_character();
    return known && (!next_is("-") || rest_.starts_with("-]"));
  }
  if (next_is("[]-")) return false;
  const std::string_view low = take_character();
  if (!next_is("-") || rest_.starts_with("-]")) return true;
  take("-");
  if (rest_.empty() || next_is("\\[]-")) return false;
  const std::string_view high = take_character();
  return low.size() == 1 && high.size() == 1 && low <= high && !next_is("-");
}

bool Reader::read_times(Times& times, bool may_count) {
  if (take("{")) {
    if (!may_count || !read_counts(times)) return false;
  } else if (next_is("*+?")) {
    times = next_is("+") ? Times::kMore : Times::kMaybe;
    take_character();
  } else {
    return true;
  }
  take("?");
  return !next_is("*+?{");
}

// "2}", "2,}" or "2,3}".
bool Reader::read_counts(Times& times) {
  const std::optional<size_t> least = take_count();
  std::optional<size_t> most = least;
  if (take(",") && !next_is("}")) most = take_count();
  if (!least || !most || *most < *least || !take("}")) return false;
  times = *least == 0 ? Times::kMaybe : Times::kMore;
  length_ += *most;
  return true;
}

std::optional<size_t> Reader::take_count() {
  const size_t end = rest_.find_first_not_of("0123456789");
  const auto count = base::parse_int(rest_.substr(0, end));
  if (!count || *count > kMostTimes) return std::nullopt;
  rest_.remove_prefix(std::min(end, rest_.size()));
  return static_cast<size_t>(*count);
}

}  // namespace

std::optional<PatternSketch> sketch_pattern(std::string_view pattern) {
  if (pattern.size() > kLongest || base::find_invalid_utf8(pattern)) {
    return std::nullopt;
  }
  PatternSketch sketch;
  if (!Reader(pattern).read(sketch.literals)) return std::nullopt;
  return sketch;
}

std::string folded_case(std::string_view text) {
  const std::string small = base::to_lower_ascii(text);
  return with_all_replaced(with_all_replaced(small, "\xC5\xBF", 's'),
                           "\xE2\x84\xAA", 'k');
}

}  // namespace llmroute::core
