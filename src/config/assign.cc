#include "config/assign.h"

#include <cmath>

#include "base/text.h"

namespace llmroute::config {

base::Status assign(std::string& out, const Node& node) {
  out = node.text;
  return {};
}
base::Status assign(bool& out, const Node& node) {
  out = node.flag;
  return {};
}
base::Status assign(double& out, const Node& node) {
  out = node.number;
  return {};
}
base::Status assign(std::optional<double>& out, const Node& node) {
  out = node.number;
  return {};
}
base::Status assign(std::optional<int64_t>& out, const Node& node) {
  out = node.integer;
  return {};
}
base::Status assign(std::vector<std::string>& out, const Node& node) {
  out.clear();
  if (node.kind == Node::Kind::kString) out.push_back(node.text);
  for (const Node& item : node.items) out.push_back(item.text);
  return {};
}
base::Status assign(std::chrono::milliseconds& out, const Node& node) {
  if (node.kind == Node::Kind::kString) {
    out = base::parse_duration(node.text).value_or(out);
  } else {
    out = std::chrono::milliseconds(std::llround(node.number * 1000));
  }
  return {};
}

base::Status complain(const Setting& setting, const Node& node,
                      const Complaint& complaint) {
  if (complaint) return setting.fail(node, *complaint);
  return {};
}

// Each string of a list.
base::Status complain_each(const Setting& setting, const Node& node,
                           Complaint (*check)(std::string_view)) {
  if (node.kind == Node::Kind::kString) {
    return complain(setting, node, check(node.text));
  }
  for (const Node& item : node.items) {
    LLMROUTE_CHECK(complain(setting, item, check(item.text)));
  }
  return {};
}

}  // namespace llmroute::config
