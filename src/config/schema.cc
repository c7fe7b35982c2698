#include "config/schema.h"

#include <algorithm>

#include "base/text.h"

namespace llmroute::config {

std::string_view type_text(KeyType type) {
  switch (type) {
    case KeyType::kString:
      return "a string";
    case KeyType::kStrings:
      return "a string or an array of strings";
    case KeyType::kCommand:
      return "an array of strings";
    case KeyType::kStringMap:
      return "a table of strings";
    case KeyType::kBool:
      return "true or false";
    case KeyType::kInteger:
      return "an integer";
    case KeyType::kIntegers:
      return "an array of integers";
    case KeyType::kNumber:
      return "a number";
    case KeyType::kDuration:
      return "a duration such as \"30s\", or a number of seconds";
    case KeyType::kPrice:
      return "a table";
    case KeyType::kPriceTiers:
      return "an array of tables";
    case KeyType::kAbility:
      return "a number or a table of numbers";
  }
  return "";
}

std::span<const KeyRow> section_keys(std::string_view section) {
  const auto in_section = [&](const KeyRow& row) {
    return row.section == section;
  };
  const auto* first = std::find_if(kKeys.begin(), kKeys.end(), in_section);
  const auto* last = std::find_if_not(first, kKeys.end(), in_section);
  return {first, last};
}

const KeyRow* find_key(std::string_view section, std::string_view key) {
  for (const KeyRow& row : section_keys(section)) {
    if (row.key == key) return &row;
  }
  return nullptr;
}

std::vector<std::string> key_names(std::string_view section) {
  std::vector<std::string> names;
  for (const KeyRow& row : section_keys(section)) names.emplace_back(row.key);
  return names;
}

std::vector<std::string> choice_names(std::string_view choices) {
  if (choices.empty()) return {};
  return base::split(choices, '|');
}

}  // namespace llmroute::config
