#include "config/schema.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "config/fields.h"

namespace llmroute::config {
namespace {

TEST_CASE("each key is documented once, in one line") {
  std::set<std::string> seen;
  for (const KeyRow& row : kKeys) {
    const std::string name =
        std::string(row.section) + "." + std::string(row.key);
    CAPTURE(name);
    CHECK(seen.insert(name).second);
    CHECK(row.doc.size() > 5);
    CHECK(row.doc.find('\n') == std::string_view::npos);
    CHECK(row.doc.ends_with('.'));
  }
}

TEST_CASE("the rows of a section stand together, and sections have rows") {
  size_t total = 0;
  for (const SectionRow& section : kSections) {
    CAPTURE(section.name);
    CHECK(!section_keys(section.name).empty());
    CHECK(!section.doc.empty());
    total += section_keys(section.name).size();
  }
  CHECK(total == kKeys.size());
  CHECK(section_keys("nonsense").empty());
}

TEST_CASE("numbers have bounds") {
  for (const KeyRow& row : kKeys) {
    CAPTURE(row.key);
    const bool number =
        row.type == KeyType::kNumber || row.type == KeyType::kInteger;
    CHECK(number == (row.max > row.min));
  }
}

template <class T>
std::string default_of(std::string_view key) {
  for (const Leaf& leaf : list_members(T())) {
    if (leaf.key == key) return leaf.text;
  }
  return "";
}

// What the manual prints as the default is the default.
template <class T>
void check_defaults() {
  for (const KeyRow& row : section_keys(section_of<T>())) {
    if (row.fallback.empty() || row.type == KeyType::kAbility) continue;
    CAPTURE(row.section);
    CAPTURE(row.key);
    const std::string text = default_of<T>(row.key);
    const std::string fallback(row.fallback);
    CHECK((text == fallback || text == "\"" + fallback + "\""));
  }
}

TEST_CASE("documented defaults are the real ones") {
  check_defaults<core::Config>();
  check_defaults<core::Provider>();
  check_defaults<core::Model>();
  check_defaults<core::Route>();
  check_defaults<core::Rule>();
  check_defaults<core::Profile>();
  check_defaults<core::Limits>();
}

TEST_CASE("choices are split") {
  CHECK(choice_names("a|b|c").size() == 3);
  CHECK(choice_names("").empty());
}

}  // namespace
}  // namespace llmroute::config
