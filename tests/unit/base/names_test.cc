#include "base/names.h"

#include <doctest/doctest.h>

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

}  // namespace llmroute::base
