#include <cmath>

#include "base/text.h"
#include "config/layer.h"
#include "core/domain.h"

namespace llmroute::config {
namespace {

using Kind = Node::Kind;

base::Error wrong_type(const Setting& setting, const Node& node) {
  return setting.fail(
      node, fmt::format("must be {}, not {}", type_text(setting.row.type),
                        kind_text(node.kind)));
}

base::Status check_text(const Setting& setting, const Node& node) {
  if (node.text.find('\0') != std::string::npos) {
    return setting.fail(node, "holds a NUL");
  }
  const std::vector<std::string> choices = choice_names(setting.row.choices);
  for (const std::string& choice : choices) {
    if (choice == node.text) return {};
  }
  if (choices.empty()) return {};
  return setting.fail(node, fmt::format("must be one of {}, not '{}'{}",
                                        base::join(choices, ", "), node.text,
                                        did_you_mean(node.text, choices)));
}

// REQUIRES: an array.
base::Status check_items(const Setting& setting, const Node& node, Kind kind) {
  for (const Node& item : node.items) {
    if (item.kind != kind) return wrong_type(setting, item);
    if (kind == Kind::kString) LLMROUTE_CHECK(check_text(setting, item));
  }
  return {};
}

base::Status check_string_map(const Setting& setting, const Node& node) {
  for (const Member& member : node.members) {
    if (member.value.kind != Kind::kString) {
      return wrong_type(setting, member.value);
    }
    LLMROUTE_CHECK(check_text(setting, member.value));
  }
  return {};
}

base::Status check_number(const Setting& setting, const Node& node) {
  const KeyRow& row = setting.row;
  if (std::isnan(node.number) || node.number < row.min ||
      node.number > row.max) {
    return setting.fail(
        node, fmt::format("must be between {} and {}", row.min, row.max));
  }
  return {};
}

base::Status check_duration(const Setting& setting, const Node& node) {
  if (node.kind == Kind::kString) {
    const auto duration = base::parse_duration(node.text);
    if (duration && duration->count() > 0) return {};
  } else if (node.number >= 0.001 && node.number <= 366.0 * 24 * 3600) {
    return {};
  }
  return setting.fail(node,
                      "must be a time from 1ms to a year, such as \"30s\", "
                      "\"250ms\", \"2m\", \"1h\" or a number of seconds");
}

bool kind_fits(KeyType type, Kind kind) {
  const bool number = kind == Kind::kInteger || kind == Kind::kFloat;
  switch (type) {
    case KeyType::kString:
      return kind == Kind::kString;
    case KeyType::kStrings:
      return kind == Kind::kString || kind == Kind::kArray;
    case KeyType::kCommand:
    case KeyType::kIntegers:
    case KeyType::kPriceTiers:
      return kind == Kind::kArray;
    case KeyType::kStringMap:
    case KeyType::kPrice:
      return kind == Kind::kTable;
    case KeyType::kBool:
      return kind == Kind::kBool;
    case KeyType::kInteger:
      return kind == Kind::kInteger;
    case KeyType::kNumber:
      return number;
    case KeyType::kDuration:
      return number || kind == Kind::kString;
    case KeyType::kAbility:
      return number || kind == Kind::kTable;
  }
  return false;
}

}  // namespace

base::Status check_value(const Setting& setting, const Node& node) {
  const KeyType type = setting.row.type;
  if (!kind_fits(type, node.kind)) return wrong_type(setting, node);
  switch (type) {
    case KeyType::kString:
      return check_text(setting, node);
    case KeyType::kStrings:
      if (node.kind == Kind::kString) return check_text(setting, node);
      return check_items(setting, node, Kind::kString);
    case KeyType::kCommand:
      return check_items(setting, node, Kind::kString);
    case KeyType::kStringMap:
      return check_string_map(setting, node);
    case KeyType::kIntegers:
      return check_items(setting, node, Kind::kInteger);
    case KeyType::kPriceTiers:
      return check_items(setting, node, Kind::kTable);
    case KeyType::kInteger:
    case KeyType::kNumber:
      return check_number(setting, node);
    case KeyType::kDuration:
      return check_duration(setting, node);
    case KeyType::kBool:
    case KeyType::kPrice:
    case KeyType::kAbility:
      return {};
  }
  return {};
}

}  // namespace llmroute::config
