#include "analyzer/courtesy.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace llmroute::analyzer {
namespace {

constexpr std::string_view kWords[] = {
    "a",         "advance", "afternoon", "again",      "all",
    "am",        "and",     "any",       "appreciate", "appreciated",
    "are",       "be",      "below",     "best",       "can",
    "cheers",    "could",   "day",       "dear",       "do",
    "doing",     "evening", "everybody", "everyone",   "everything",
    "favor",     "favour",  "find",      "fine",       "folks",
    "following", "for",     "friend",    "friends",    "glad",
    "going",     "good",    "grateful",  "great",      "greetings",
    "guys",      "have",    "hello",     "help",       "hey",
    "hi",        "hope",    "hoping",    "how",        "i",
    "id",        "if",      "im",        "in",         "is",
    "it",        "its",     "kind",      "kindly",     "like",
    "little",    "lot",     "madam",     "me",         "morning",
    "much",      "my",      "need",      "nice",       "of",
    "on",        "one",     "out",       "please",     "problem",
    "question",  "quick",   "quickly",   "really",     "regards",
    "request",   "side",    "sincerely", "sir",        "so",
    "some",      "soon",    "support",   "task",       "team",
    "thank",     "thanks",  "that",      "the",        "there",
    "things",    "this",    "time",      "to",         "today",
    "very",      "was",     "welcome",   "well",       "will",
    "wish",      "wishes",  "with",      "wonderful",  "wondering",
    "would",     "you",     "your",      "youre"};
static_assert(std::is_sorted(std::begin(kWords), std::end(kWords)));

constexpr size_t kLongestWord = 11;
constexpr size_t kLeast = 20;      // bytes that must be left
constexpr size_t kFurthest = 200;  // bytes that a last sentence may have
constexpr int kMost = 16;          // last sentences, so that time is bounded

// Where the words of each first letter begin.
constexpr auto kFirst = [] {
  std::array<uint8_t, 27> first{};
  for (const std::string_view word : kWords) {
    for (auto c = static_cast<size_t>(word[0] - 'a'); c < 26; ++c) {
      ++first[c + 1];
    }
  }
  return first;
}();

// REQUIRES: a word of small letters, not empty.
bool known(std::string_view word) {
  const auto letter = static_cast<size_t>(word[0] - 'a');
  const auto* begin = kWords + kFirst[letter];
  const auto* end = kWords + kFirst[letter + 1];
  return std::find(begin, end, word) != end;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool is_prose_mark(char c) {
  return std::string_view(".,!?:;-#*").find(c) != std::string_view::npos;
}
bool ends_clause(char c) {
  return c == '.' || c == ',' || c == '!' || c == '?' || c == ':';
}
bool is_space(char c) { return is_blank(c) || c == '\n'; }

// Reads words of courtesy and marks of prose: where the clause ends, with the
// blanks after it, or the text if there is no end; 0 where anything else
// stands.
size_t courteous_clause(std::string_view text) {
  std::array<char, kLongestWord> word;
  size_t length = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_letter(c)) {
      if (length == kLongestWord) return 0;
      word[length++] = static_cast<char>(c | 0x20);
      continue;
    }
    if (c == '\'') continue;
    if (length > 0 && !known({word.data(), length})) return 0;
    length = 0;
    if (!is_space(c) && !is_prose_mark(c)) return 0;
    const bool apart = i + 1 < text.size() && is_space(text[i + 1]);
    if (c != '\n' && !(ends_clause(c) && apart)) continue;
    do {
      ++i;
    } while (i < text.size() && is_space(text[i]));
    return i;
  }
  return length > 0 && !known({word.data(), length}) ? 0 : text.size();
}

bool courteous(std::string_view text) {
  while (!text.empty()) {
    const size_t end = courteous_clause(text);
    if (end == 0) return false;
    text.remove_prefix(end);
  }
  return true;
}

// Of the last line, with what follows it; all of a line without words.
std::string_view last_word(std::string_view text) {
  text.remove_prefix(text.size() - std::min(text.size(), kFurthest));
  size_t begin = text.size();
  while (begin > 0 && !is_letter(text[begin - 1])) {
    if (text[begin - 1] == '\n') return text.substr(begin);
    --begin;
  }
  while (begin > 0 && is_letter(text[begin - 1])) --begin;
  return text.substr(begin);
}

// Where the last sentence begins; the text's end if its last word is none of
// courtesy.
size_t last_sentence(std::string_view text) {
  if (!courteous(last_word(text))) return text.size();
  const size_t least = text.size() - std::min(text.size(), kFurthest);
  for (size_t i = text.size() - 1; i-- > least;) {
    const char c = text[i];
    const bool mark = c == '.' || c == '!' || c == '?';
    if (c == '\n' || (mark && is_blank(text[i + 1]))) return i + 1;
  }
  return text.size();
}

std::string_view without_blank_end(std::string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string_view without_courtesy(std::string_view prompt) {
  std::string_view rest = prompt;
  while (rest.size() > kLeast) {
    const size_t end = courteous_clause(rest);
    if (end == 0) break;
    rest.remove_prefix(end);
  }
  rest = without_blank_end(rest);
  for (int i = 0; i < kMost && rest.size() > kLeast; ++i) {
    const size_t begin = last_sentence(rest);
    if (begin == rest.size() || !courteous(rest.substr(begin))) break;
    rest = without_blank_end(rest.substr(0, begin));
  }
  return rest.size() < kLeast || courteous(rest) ? prompt : rest;
}

}  // namespace llmroute::analyzer
