#include "provider/think_filter.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace llmroute::provider {
namespace {

// In two pieces, cut everywhere, and byte by byte: always the same.
void check_everywhere(const std::string& text, const std::string& wanted) {
  CAPTURE(text);
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    ThinkFilter filter;
    std::string out = filter.feed(text.substr(0, cut));
    out += filter.feed(text.substr(cut));
    CHECK(out + filter.finish() == wanted);
  }
  ThinkFilter filter;
  std::string out;
  for (const char c : text) out += filter.feed(std::string(1, c));
  CHECK(out + filter.finish() == wanted);
}

TEST_CASE("reasoning between tags before the answer is left out") {
  check_everywhere("<think>hm</think>yes", "yes");
  check_everywhere("\n <think>\na < b </thin\n</think>\n\nyes\n", "yes\n");
  check_everywhere("<think></think>", "");
  check_everywhere("<think>a</think> b <think>c</think>", "b <think>c</think>");
}

TEST_CASE("reasoning that never ends is no answer") {
  check_everywhere("<think>hm", "");
  check_everywhere("<think>", "");
}

TEST_CASE("any other text stays as it is") {
  for (const char* text :
       {"", "a", " \n", "\n\n a", "<", "<thin", "<thinking>a</thinking>",
        "a <think>b</think>", "<b>a</b>", "</think>a"}) {
    check_everywhere(text, text);
  }
}

TEST_CASE("what cannot become a tag any more is passed on at once") {
  ThinkFilter filter;
  CHECK(filter.feed("\n<th") == "");
  CHECK(filter.feed("e") == "\n<the");
  CHECK(filter.feed("<think>") == "<think>");
}

}  // namespace
}  // namespace llmroute::provider
