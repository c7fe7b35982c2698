#include "analyzer/courtesy.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace llmroute::analyzer {
namespace {

// Sorted, for a binary search.
constexpr std::string_view kWords[] = {
    "a",         "advance", "afternoon", "again",      "all",
    "am",        "and",     "any",       "appreciate", "appreciated",
    "are",       "be",      "below",     "best",       "can",
    "cheers",    "could",   "day",       "dear",       "do",
    "doing",     "evening", "everyone",  "everybody",  "everything",
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
    "would",     "you",     "your",      "youre",
};

constexpr size_t kLongestWord = 11;
constexpr size_t kLeast = 20;      // bytes that must be left
constexpr size_t kFurthest = 200;  // bytes that a clause may have

bool known(std::string_view word) {
  static const auto kSorted = [] {
    std::array<std::string_view, std::size(kWords)> words;
    std::copy(std::begin(kWords), std::end(kWords), words.begin());
    std::sort(words.begin(), words.end());
    return words;
  }();
  return std::binary_search(kSorted.begin(), kSorted.end(), word);
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// Whether `clause` holds nothing but words of courtesy and marks of prose.
bool courteous(std::string_view clause) {
  std::array<char, kLongestWord> word;
  size_t length = 0;
  for (size_t i = 0; i <= clause.size(); ++i) {
    const char c = i < clause.size() ? clause[i] : ' ';
    if (is_letter(c)) {
      if (length == kLongestWord) return false;
      word[length++] = static_cast<char>(c | 0x20);
      continue;
    }
    if (c == '\'') continue;
    if (static_cast<uint8_t>(c) >= 0x80 ||
        std::string_view(" \t\r\n.,!?:;-#*").find(c) == std::string_view::npos)
      return false;
    if (length > 0 && !known({word.data(), length})) return false;
    length = 0;
  }
  return true;
}

// Where the first clause ends: after its mark and the blanks that follow.
size_t first_clause(std::string_view text) {
  const size_t limit = std::min(text.size(), kFurthest);
  for (size_t i = 0; i < limit; ++i) {
    const char c = text[i];
    const bool mark = c == '.' || c == ',' || c == '!' || c == '?' || c == ':';
    const bool apart =
        i + 1 < text.size() && (is_blank(text[i + 1]) || text[i + 1] == '\n');
    if (c != '\n' && !(mark && apart)) continue;
    ++i;
    while (i < text.size() && (is_blank(text[i]) || text[i] == '\n')) ++i;
    return i;
  }
  return 0;
}

// Where the last sentence begins.
size_t last_sentence(std::string_view text) {
  const size_t least = text.size() - std::min(text.size(), kFurthest);
  for (size_t i = text.size() - 1; i-- > least;) {
    const char c = text[i];
    const bool mark = c == '.' || c == '!' || c == '?';
    if (c == '\n' || (mark && is_blank(text[i + 1]))) return i + 1;
  }
  return text.size();
}

std::string_view without_blank_end(std::string_view text) {
  while (!text.empty() && (is_blank(text.back()) || text.back() == '\n'))
    text.remove_suffix(1);
  return text;
}

}  // namespace

std::string_view without_courtesy(std::string_view prompt) {
  std::string_view rest = prompt;
  while (rest.size() > kLeast) {
    const size_t end = first_clause(rest);
    if (end == 0 || !courteous(rest.substr(0, end))) break;
    rest.remove_prefix(end);
  }
  rest = without_blank_end(rest);
  while (rest.size() > kLeast) {
    const size_t begin = last_sentence(rest);
    if (begin == rest.size() || !courteous(rest.substr(begin))) break;
    rest = without_blank_end(rest.substr(0, begin));
  }
  return rest.size() < kLeast || courteous(rest) ? prompt : rest;
}

}  // namespace llmroute::analyzer
