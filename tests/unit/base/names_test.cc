#include "base/names.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace llmroute::base {

TEST_CASE("help with an unknown name is the nearest, or all if they are few") {
  std::vector<std::string> known = {"cheap", "fast"};
  CHECK(name_help("chaep", known) == " (did you mean 'cheap'?)");
  CHECK(name_help("other", known) == " (known: cheap, fast)");
  CHECK(name_help("other", {}).empty());
  known.insert(known.end(), 7, "more");
  CHECK(name_help("other", known).empty());
}

TEST_CASE("a long name is shown cut between characters") {
  CHECK(shown_name("").empty());
  CHECK(shown_name(std::string(60, 'x')) == std::string(60, 'x'));
  CHECK(shown_name(std::string(61, 'x')) == std::string(60, 'x') + "...");
  CHECK(shown_name(std::string(59, 'x') + "\u00e9y") ==
        std::string(59, 'x') + "...");
}

}  // namespace llmroute::base
