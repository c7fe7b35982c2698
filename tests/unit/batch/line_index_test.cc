#include "batch/line_index.h"

#include <doctest/doctest.h>

#include "../config/temporary.h"

namespace llmroute::batch {

using config::TemporaryDirectory;

TEST_CASE("a line leads to the offset set last, others nowhere") {
  const TemporaryDirectory directory;
  LineIndex index(directory.path());
  CHECK(!index.find(1)->has_value());
  CHECK(index.set(3, 0));
  CHECK(index.set(1, 77));
  CHECK(index.set(1, 1'234'567'890'123));
  CHECK(index.set(kMostLines, 5));
  CHECK(*index.find(1) == 1'234'567'890'123);
  CHECK(!index.find(2)->has_value());
  CHECK(*index.find(3) == 0);
  CHECK(!index.find(4)->has_value());
  CHECK(*index.find(kMostLines) == 5);
}

TEST_CASE("an index leaves no name behind") {
  const TemporaryDirectory directory;
  LineIndex index(directory.path());
  CHECK(index.set(1, 2));
  CHECK(::rmdir(directory.path().c_str()) == 0);
  CHECK(*index.find(1) == 2);
}

TEST_CASE("F4 an index without a place for its file is an error") {
  LineIndex index("/nonexistent/directory");
  CHECK(!index.find(1)->has_value());
  const auto set = index.set(1, 2);
  REQUIRE(!set);
  CHECK(set.error().kind == base::ErrorKind::kCannotCreate);
}

}  // namespace llmroute::batch
